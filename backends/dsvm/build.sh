#!/bin/sh
# Makes the environment's image, inside a container of the base image that is committed afterwards.
# Not a Dockerfile: its RUN lines can get a proxy's certificate or an index's password only as build arguments, which
# stay in the image's history, or as BuildKit secrets, which engines without buildx do not have.
#
# $1: the Python version that conda.yaml asks for    $2: 'cpu', or 'gpu' to keep the GPU packages
# /run/gridfold (in memory, not in the image): requirements.txt, and pip.conf and ca.pem where they are given
set -eu

python=$(command -v "python$1" || command -v python3 || true)
if [ -z "$python" ]; then
    echo "gridfold: the base image has no Python"
    exit 3
fi
found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
if [ "$found" != "$1" ]; then
    echo "gridfold: the base image has Python $found, and conda.yaml asks for $1"
    exit 3
fi

"$python" -m venv /opt/env
# xgboost asks for NVIDIA's NCCL (0.3 GB) by name; without a GPU nothing loads it. What else it needs is listed here.
if [ "$2" = cpu ] && grep -qiE '^xgboost([^a-z0-9_.-]|$)' /run/gridfold/requirements.txt; then
    grep -iE '^xgboost([^a-z0-9_.-]|$)' /run/gridfold/requirements.txt > /run/gridfold/alone.txt
    grep -viE '^xgboost([^a-z0-9_.-]|$)' /run/gridfold/requirements.txt > /run/gridfold/others.txt
    printf 'numpy\nscipy\n' >> /run/gridfold/others.txt
    /opt/env/bin/pip install --no-cache-dir --no-compile -r /run/gridfold/others.txt
    /opt/env/bin/pip install --no-cache-dir --no-compile --no-deps -r /run/gridfold/alone.txt
else
    /opt/env/bin/pip install --no-cache-dir --no-compile -r /run/gridfold/requirements.txt
fi
# On all cores, where pip compiles on one. Some packages bring files that no Python compiles, templates for instance.
/opt/env/bin/python -m compileall -q -j 0 /opt/env/lib > /dev/null || true

# The job's user: it owns the cache, and nothing else that outlives its container.
grep -q '^gridfold:' /etc/passwd || echo 'gridfold:x:10001:10001::/cache/home:/bin/sh' >> /etc/passwd
grep -q '^gridfold:' /etc/group || echo 'gridfold:x:10001:' >> /etc/group
mkdir -p /cache /project
chown 10001:10001 /cache
