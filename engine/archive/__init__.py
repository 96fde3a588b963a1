"""Orders that are over, in Parquet files beside the store: still found, still shown, and brought back when need be."""
