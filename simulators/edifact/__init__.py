"""A market party that speaks EDIFACT, with a reader and a writer of its own."""
