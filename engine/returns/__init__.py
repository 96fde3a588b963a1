"""Returns and exchanges: what may come back, by which terms, where it goes, and what it pays back."""
