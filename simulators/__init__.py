"""Counterparties that can be scripted: they use contracts and kit, and never a service."""
