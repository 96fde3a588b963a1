"""The parts of `benchmarks.routing_gap`: instances, measured runs, tables and the plot of their traces."""
