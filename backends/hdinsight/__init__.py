"""``-b hdinsight``: an entry point as the driver of a Spark application on an HDInsight cluster, through Livy."""
