"""scikit-learn's own search classes on our plan of fits: what they ask for is read, planned, run, and given back.

Their ``fit`` makes a list of calls of ``_fit_and_score``, one per candidate and fold, hands it to joblib, and builds
``cv_results_`` from what comes back. We stand where joblib stands. The calls come in and the same dicts go out, so all
that a person sees of a search is made by scikit-learn itself.
"""
