"""Finding orders in milliseconds: a read model in SQLite that follows the feed, and can be made again at any time."""
