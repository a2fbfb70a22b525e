"""Another winner of a finished sweep: fetched with what it has kept, refitted, and held to limits."""
