"""What runs inside the container beside the job: standard library only, shipped as one zip.

``supervisor`` is the container's first process; ``link`` is a connection that outlives the pipe it runs through, and is
used on the user's side as well.
"""
