"""A store as one file, taken while it is in use, and put back."""
