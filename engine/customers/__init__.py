"""Customers: who they are, sealed under a key of their own each, which can be destroyed."""
