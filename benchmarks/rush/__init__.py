"""The parts of `benchmarks.peak`: the world of the peak hour, the shoppers beside it, the audit and the table."""
