"""The canonical messages: what partners and the hub say to each other, without any syntax."""
