"""What benchmarks/http.py is made of: the endpoint most teams would write, the load, and the two servers."""
