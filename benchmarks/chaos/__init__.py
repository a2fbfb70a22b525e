"""Sweeps that are killed at random moments and go on by the same command: what is lost, doubled or left behind."""
