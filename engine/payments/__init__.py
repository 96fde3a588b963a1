"""Payments: what orders ask for is done at payment providers, once, and reconciled with what they say."""
