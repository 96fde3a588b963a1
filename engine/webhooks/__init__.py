"""Webhooks: events sent to those who asked for them, signed, until they are taken."""
