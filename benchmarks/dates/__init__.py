"""What `benchmarks/promise_dates.py` measures on: a history whose truth is known, and real lead times."""
