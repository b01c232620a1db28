"""Who goes where, when, and whether the customer agreed."""
