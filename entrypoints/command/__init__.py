"""What makes a function a command: arguments, a run around it, signals, and one line and an exit code at the end."""
