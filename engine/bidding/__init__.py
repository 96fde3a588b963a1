"""Bid prices: what a unit of stock is worth to the demand that is expected, as a versioned document."""
