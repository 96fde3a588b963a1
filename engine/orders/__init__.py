"""Orders: captured, listed while open, committed to nodes by routing runs, cancelled."""
