"""Mutated messages of every dialect: each one ends in a verdict, quickly, in little memory, and opens nothing."""
