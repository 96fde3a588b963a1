"""What has happened to an order beside its routing: plain types, a file for each capability."""
