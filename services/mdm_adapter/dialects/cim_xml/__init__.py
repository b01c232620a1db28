"""CIM XML: the IEC 61968-100 Edition 1 envelope with a subset of 61968-9 and 61968-6 payloads."""
