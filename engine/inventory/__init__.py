"""Stock positions, supplies and reservations."""
