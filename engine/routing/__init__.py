"""Batches of orders, routed: problem folders in and out, and the runs that commit plans."""
