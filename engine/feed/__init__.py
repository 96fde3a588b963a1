"""What happened, told to the outside in one order that readers can follow."""
