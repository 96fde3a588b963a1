"""What goes over the wire, one file per word of the path: msgspec structs, and nothing else."""
