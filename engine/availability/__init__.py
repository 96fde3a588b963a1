"""What can be promised now and on each later day, by node and summed."""
