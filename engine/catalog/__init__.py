"""Products, kits and substitutes: the document, its compiled form and its service."""
