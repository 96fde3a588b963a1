"""The only place that opens a socket to the store: client, key names, functions, documents, embedded server."""
