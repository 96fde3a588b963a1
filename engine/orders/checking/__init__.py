"""What an order is checked for when it is captured, by the order policy: rules, and what they find."""
