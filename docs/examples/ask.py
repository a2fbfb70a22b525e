"""Wait until a served model is up, ask it once, and print what it answers; fail if it says nothing of use.

python docs/examples/ask.py http://127.0.0.1:5001
"""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request

SECONDS_TO_START = 120
ROWS = {"dataframe_records": [{"phone_brand": "Huawei", "device_model": "Mate 8"}]}


def answered(address: str, body: bytes | None = None) -> bytes:
    """Return what `address` answers."""
    asked = urllib.request.Request(address, data=body, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        found: bytes = answer.read()
    return found


def wait_until_up(server: str) -> None:
    """Return as soon as the server answers."""
    until = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            answered(f"{server}/ping")
            return
        except (urllib.error.URLError, ConnectionError) as error:
            if time.monotonic() > until:
                sys.exit(f"{server} does not answer: {error}")
            time.sleep(0.5)


def main(server: str) -> None:
    """Ask, and look at the answer."""
    wait_until_up(server)
    (prediction,) = json.loads(answered(f"{server}/invocations", json.dumps(ROWS).encode()))["predictions"]
    if not 0.99 < sum(prediction.values()) < 1.01:
        sys.exit(f"{server}: {prediction} are no probabilities.")
    print(json.dumps(prediction))


if __name__ == "__main__":
    main(sys.argv[1])
