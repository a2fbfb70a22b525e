"""Random sweeps, each run by us and by scikit-learn's GridSearchCV on the same folds.

A case is written twice from the same drawn values: as the YAML and the table that a person would have, and as the
Python that the same person would write for GridSearchCV. The two sides share nothing but the file of rows, so that a
mistake in our reading of a spec, in our labels, folds or weights cannot hide on both sides at once.
"""
