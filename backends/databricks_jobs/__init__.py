"""``-b databricks-jobs``: an entry point as a one-time run of a Databricks workspace, through databricks-sdk."""
