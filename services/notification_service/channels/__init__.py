"""The ways out of the house and back in: one module per vendor profile behind one port."""
