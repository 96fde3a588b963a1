"""Notices to customers: that an order is confirmed, shipped, delayed, delivered, refunded or cancelled."""
