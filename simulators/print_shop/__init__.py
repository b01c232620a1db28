"""The print shop: takes batches from its folder, prints them after a while, and says what became of each letter."""
