"""Out-of-fold predictions: noted as models are scored, kept on disk by cell, and what can be said from them alone."""
