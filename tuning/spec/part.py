"""What every part of a spec has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class SpecPart(BaseModel):
    """Keys of a spec: an unknown one is refused, and none changes later.

    Its validator is built when it is first needed, which most commands never do.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)
