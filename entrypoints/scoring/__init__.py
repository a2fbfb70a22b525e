"""Predictions by a registered model: the file of them, and how far the rows stand from those it learned from."""
