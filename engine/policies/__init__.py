"""What routing runs optimise and keep to: versioned policies that never change."""
