"""What comes back from a sweep: scores per candidate and fold, the table that they make, and what it proves."""
