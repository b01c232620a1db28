"""What may happen to devices and material: states, the ledger, reservations, visits, readings; pure and synchronous."""
