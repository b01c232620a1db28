"""Ways to partners and from them; none looks inside a document."""
