"""CSV files of orders, one row per order."""
