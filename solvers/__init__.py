"""Pure mathematics of order routing: arrays in, plans and proven bounds out.

No Redis, no HTTP, no clock, no files: those live in `engine` and `api`.
"""
