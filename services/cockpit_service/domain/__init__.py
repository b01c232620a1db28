"""The rows of the read model, and who is signed in."""
