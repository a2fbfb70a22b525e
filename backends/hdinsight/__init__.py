"""``-b hdinsight``: an entry point as the driver of a Spark application on an HDInsight cluster, through Livy."""

from backends.abilities import Abilities

ABILITIES = Abilities(
    place="a Spark cluster, by Livy",
    file="backends/hdinsight.json",
    settings="backends.hdinsight.settings:HdinsightSettings",
    example="CLUSTER.azurehdinsight.net",
    attaches=True,
    spark=True,
    programs={"uv": "pip install uv"},
    variables=("HDINSIGHT_USER", "HDINSIGHT_PASSWORD"),
)
