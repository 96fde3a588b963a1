"""Scenario data that travels with the package: see README.md for the index."""
