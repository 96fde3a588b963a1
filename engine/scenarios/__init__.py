"""Scenario files: stories about a network, its stock and its demand, read into one value that can be simulated."""
