"""What runs on the other side: in a VM's container beside the job, and as the main file of a Spark application.

``supervisor`` is a container's first process and ``driver`` an application's main program; the others are their parts.
``link`` is a connection that outlives the pipe it runs through, and is used on the user's side as well.

All of it is there before any package is installed, and has to be able to say what is missing. So it imports the
standard library and its own parts by relative names, and nothing else: on the other side the room is called
``gridfold_guest`` and has no neighbours. ``backends.shipping`` sends it.
"""
