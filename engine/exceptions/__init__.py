"""Orders whose promise may be broken: seen before it is, told why, with ways out and their cost."""
