"""Partners: what is agreed with each of them, as data."""
