"""Make the seven tables up: the same shape, oddities and signal as the real ones, which may not be passed on.

There is one world (brands, apps, labels, tastes of the groups) and people drawn from it: two seeds are two samples of
the same world, so a model trained on one can be scored on the other. Each table has a random stream of its own, and the
same seed makes the same tables in any process. We do not resample a real sample, since that would be real data still.
"""

from sources.synthetic.tables import generate, write_csv

__all__ = ["generate", "write_csv"]
