"""Where solves run: in this process, on its threads, or on a cluster of Ray workers."""
