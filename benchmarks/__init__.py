"""Each file states its question, prints one table, and names the ratio that does not depend on the machine."""
