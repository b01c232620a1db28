"""The language of the hub: events, identifiers, code lists, topics. Imports nothing of ours."""
