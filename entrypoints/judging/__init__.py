"""Two models compared on rows that neither has learned from."""
