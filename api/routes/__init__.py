"""The endpoints, one file per word of the path; each ends in its part of the table."""
