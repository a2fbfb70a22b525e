"""What is written to a person's terminal while a command works, and the plain lines that stand for it elsewhere."""
