"""Nodes, calendars, zones and rate cards: the document, its compiled form, its days and its service."""
