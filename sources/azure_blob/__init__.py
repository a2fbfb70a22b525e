"""The seven files in a container of Azure Blob Storage.

Kept apart from the sources beside it because it is the only one that has an address, credentials, and half-done work
that outlives the process. Nothing is imported here: Azure's SDK takes half a second, which only its users should wait.
"""
