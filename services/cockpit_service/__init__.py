"""What people see: lists, search, figures and problems, folded from the events of all other services."""
