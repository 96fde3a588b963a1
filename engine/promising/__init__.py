"""Dated, priced options for one order; a promise holds nothing."""
