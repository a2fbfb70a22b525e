"""The language of a sweep spec: what may be written, its checks, and the objects that it can name.

``sweep_spec.SweepSpec`` is what the rest of the project takes; nothing is imported here, since strategies need the
space of candidates (``space``) and the spec's checks need the strategies.
"""
