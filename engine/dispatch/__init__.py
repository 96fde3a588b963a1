"""Where solves run: in this process, on threads, or (later) on a cluster."""
