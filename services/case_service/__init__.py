"""Runs the work: cases, work orders, definition of done, exceptions; it alone knows the whole lifecycle."""
