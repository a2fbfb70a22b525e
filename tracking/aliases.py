"""Which version is champion: asked, changed by one promotion at a time, and changed back.

The registry has no compare-and-set, so two promotions that both found the same champion could both move the alias, the
worse one last. We use Fischer's mutual exclusion: write a claim, wait longer than the step from reading the claim to
moving the alias can take, and go on only if the claim is still one's own. It leaves no lock behind when a process
dies. The former champion's number is a tag of the new one, so that any number of promotions can be undone in turn.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from errors import TrackingError
from tracking import store
from tracking.registry import ensure_registered
from tracking.runs import EntryRun

CHAMPION, CHALLENGER = "champion", "challenger"
OVER = "promotion.over"

_CLAIM = "promotion.claim"
_SECONDS_TO_SETTLE = 1.0
_ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")  # of an alias, some stores say the latter


@dataclass(frozen=True)
class Version:
    """A version of a registered model.

    Attributes
    ----------
    name : str
    number : int
    run_id : str
        Of the sweep that made it.
    source : str
        ``models:/NAME/NUMBER`` of what it was copied from, else where its files are.
    tags : mapping of str to str
    """

    name: str
    number: int
    run_id: str
    source: str
    tags: Mapping[str, str]

    @property
    def uri(self) -> str:
        """What loads it."""
        return f"models:/{self.name}/{self.number}"

    def is_copy_of(self, other: Version) -> bool:
        """Whether the two are the same model."""
        return other.uri in (self.uri, self.source)

    def __str__(self) -> str:
        return f"{self.name} version {self.number}"


def at_alias(client: MlflowClient, name: str, alias: str) -> Version | None:
    """Return the version that has `alias`, or None where there is no such model or none has it.

    Raises
    ------
    TrackingError
        The registry cannot be asked.
    """
    with store.refusals(f"look up {name}@{alias}"):
        try:
            return _version(client.get_model_version_by_alias(name, alias))
        except MlflowException as error:
            if error.error_code in _ABSENT:
                return None
            raise


def challenger_of(client: MlflowClient, name: str) -> Version:
    """Return the challenger.

    Raises
    ------
    TrackingError
        There is none.
    """
    if found := at_alias(client, name, CHALLENGER):
        return found
    raise TrackingError(
        f"models:/{name}@{CHALLENGER}: no version has this alias. Run a sweep with -P model_name={name}, or set the"
        " alias on a version in the MLflow UI."
    )


def promote(run: EntryRun, version: Version, name: str, expected: Version | None, tags: Mapping[str, str]) -> Version:
    """Make `version` champion of `name` in place of `expected`, and tag it with who, when and `tags`.

    Parameters
    ----------
    run : EntryRun
    version : Version
        Copied to `name` where it is of another registered model; the files are not.
    name : str
        Made if need be.
    expected : Version or None
        The champion that `version` was compared with.
    tags : mapping of str to str

    Raises
    ------
    TrackingError
        Someone else has promoted since `expected` was looked up, or is doing so now; nothing was changed.
    """
    client = run.client
    with store.refusals(f"promote {version}"):
        ensure_registered(client, name)
        _claim(run, name)
        now = at_alias(client, name, CHAMPION)
        if (now and now.number) != (expected and expected.number):
            raise _overtaken(name, f"the champion is {now or 'no version'} now, not {expected or 'none'}")
        crowned = version if version.name == name else _version(client.copy_model_version(version.uri, name))
        over = {OVER: str(expected.number)} if expected else {}
        _move(client, crowned, {**_signed(run, "promotion"), **over, **tags})
    return crowned


def roll_back(run: EntryRun, name: str, reason: str) -> tuple[Version, Version]:
    """Make the former champion champion again.

    Returns
    -------
    tuple of Version
        The one that is champion no more, and the one that is again.

    Raises
    ------
    TrackingError
        There is no champion, or none before it.
    """
    client = run.client
    with store.refusals(f"roll back {name}"):
        _claim(run, name)
        champion = at_alias(client, name, CHAMPION)
        if champion is None:
            raise TrackingError(f"models:/{name}@{CHAMPION}: there is no champion to roll back.")
        if OVER not in champion.tags:
            raise TrackingError(f"{champion} is the first champion, so there is none to go back to.")
        former = _version(client.get_model_version(name, champion.tags[OVER]))
        for tag, value in {**_signed(run, "rollback"), "rollback.reason": reason, "rollback.to": former.number}.items():
            client.set_model_version_tag(name, str(champion.number), tag, str(value))
        client.set_registered_model_alias(name, CHAMPION, str(former.number))
        return champion, former


def _claim(run: EntryRun, name: str) -> None:
    run.client.set_registered_model_tag(name, _CLAIM, run.run_id)
    time.sleep(_SECONDS_TO_SETTLE)
    if run.client.get_registered_model(name).tags.get(_CLAIM) != run.run_id:
        raise _overtaken(name, "another promotion is under way")


def _move(client: MlflowClient, version: Version, tags: Mapping[str, str]) -> None:
    """Set the alias between two groups of tags: without OVER a promotion could not be undone if we died here."""
    if OVER in tags:
        client.set_model_version_tag(version.name, str(version.number), OVER, tags[OVER])
    elif OVER in version.tags:
        client.delete_model_version_tag(version.name, str(version.number), OVER)
    client.set_registered_model_alias(version.name, CHAMPION, str(version.number))
    for tag, value in tags.items():
        client.set_model_version_tag(version.name, str(version.number), tag, store.text(value, store.TAG_LIMIT))


def _overtaken(name: str, why: str) -> TrackingError:
    return TrackingError(f"{name}: {why}. Nothing was changed; run promote again.")


def _signed(run: EntryRun, what: str) -> dict[str, str]:
    return {
        f"{what}.by": run.user,
        f"{what}.at": datetime.now(UTC).isoformat(timespec="seconds"),
        f"{what}.run": run.run_id,
    }


def _version(found: ModelVersion) -> Version:
    return Version(found.name, int(found.version), found.run_id or "", found.source or "", dict(found.tags))
