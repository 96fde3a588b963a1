"""The business: orders, stock and time. Each folder is one capability, named as its users name it."""
