"""The independent checker of a result folder: standard library only, sharing nothing with what it checks."""
