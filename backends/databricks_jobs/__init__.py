"""``-b databricks-jobs``: an entry point as a one-time run of a Databricks workspace, through databricks-sdk."""

from backends.abilities import Abilities

ABILITIES = Abilities(
    place="a job of a workspace",
    file="backends/databricks.json",
    settings="backends.databricks_jobs.settings:DatabricksSettings",
    example="adb-1234567890123456.7.azuredatabricks.net",
    attaches=True,
    spark=True,
    modules={"databricks.sdk": "databricks"},
)
