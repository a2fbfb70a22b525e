"""What a command works on: tables, features and rows, fetched from the nearest place that has them or made now."""
