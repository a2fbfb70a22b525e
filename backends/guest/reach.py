"""Whether the tracking server answers from where the job runs, asked before the job begins to use it."""

from __future__ import annotations

import urllib.error
import urllib.request

UNREACHABLE = 97
"""The exit code that says that it does not."""

_SECONDS_TO_ANSWER = 15


def cannot_reach(tracking_uri: str) -> str:
    """Return why the tracking server does not answer from here, empty where it does or is no HTTP server."""
    if not tracking_uri.startswith(("http://", "https://")):
        return ""
    try:
        urllib.request.urlopen(tracking_uri.rstrip("/") + "/health", timeout=_SECONDS_TO_ANSWER)
    except urllib.error.HTTPError:
        return ""  # it has answered; whether it lets us in is MLflow's to say
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", None) or error)
    return ""
