"""What backends share whose jobs are Spark applications that a REST service starts.

Such a service hides no argument, streams no log of a driver in the cluster, and ends a job without asking it first. So
orders, secrets, log, the wish to stop and the ending go through files in a shared folder that both sides reach:

    projects/HASH.tar.gz            the project, once per content
    started/RUN_ID.json             who asked for the job, and the service's id of it: how it is found again
    jobs/RUN_ID/driver.py           the application's main file
    jobs/RUN_ID/orders.json         command, environment, project; nothing secret
    jobs/RUN_ID/secrets.json        taken away by the driver as soon as it has read them
    jobs/RUN_ID/log/000001 ...      the driver's output in pieces, each whole when it appears
    jobs/RUN_ID/stop                its existence asks the driver to stop
    jobs/RUN_ID/ending.json         exit code and reason; the last thing that the driver writes
"""
