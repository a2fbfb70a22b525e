"""Learners: how one family of estimators is fitted, and what its fits share."""
