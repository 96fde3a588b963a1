"""Date distributions from recorded shipments: reading them, learning, scoring, and the file that is kept."""
