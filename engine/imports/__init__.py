"""Files of rows that are taken in bulk, beside the requests."""
