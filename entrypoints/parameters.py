"""What each entry point takes.

One model per entry point, repeated in MLproject with the same names and defaults (a test holds the two together):
MLflow needs them there to log them with the run, and we need types. A field's description is what the parameter must
be; it is both the help text and the end of the sentence that refuses a wrong value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from errors import SpecError, did_you_mean
from masking import CREDENTIALS, secret_in, visible
from sources.own_file import table_name
from tracking.patience import WAIT
from tracking.store import text
from tracking.swept import as_typed


class Params(BaseModel):
    """What every entry point takes."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, protected_namespaces=())

    debug: bool = Field(False, description="true or false: show the traceback of a failure")


class IngestParams(Params):
    """Which data."""

    data: str = Field(
        "synthetic",
        min_length=1,
        description="'synthetic', a folder, or wasbs://CONTAINER@ACCOUNT.blob.core.windows.net/PATH",
    )
    scale: float = Field(
        0.05,
        ge=0.001,
        le=1,
        description="a number from 0.001 to 1: size of the synthetic data, 1 being that of the real",
    )
    seed: int = Field(
        0, ge=0, lt=2**32, description="a whole number, 0 to 4294967295: seed of the synthetic data and of the hold-out"
    )
    leak: bool = Field(False, description="true or false: give the synthetic data the row-order leak of the real")


class FeaturizeParams(IngestParams):
    """Which features of the data."""

    feature_sets: str = Field(
        "small", min_length=1, description="'all', 'small' (all but one_hot_category), or a comma list of feature sets"
    )
    holdout: float = Field(
        0.1, ge=0, lt=1, description="a share from 0 to below 1 of the devices, kept from the sweep for the final score"
    )

    min_devices: int = Field(
        1, ge=1, description="a whole number, 1 or more: leave out features that fewer devices have, for faster fits"
    )


class FeaturizeStepParams(FeaturizeParams):
    """Where features alone are computed; a sweep's `engine` is that of its fits."""

    engine: Literal["local", "spark"] = Field(
        "local", description="'local', or 'spark' for tables (.parquet or .csv) that only a cluster can hold"
    )
    master: str = Field("", description="a Spark master: spark://HOST:PORT, local[N], yarn or k8s://HOST:PORT")


class SweepParams(FeaturizeParams):
    """Which sweep over the features, where it runs, and what becomes of the winner."""

    features: str = Field(
        "",
        description="your own rows in place of `data`: a table (.csv, .tsv, .parquet) or a scipy .npz matrix",
    )
    target: str = Field(
        "",
        description="the column of `features` to predict, or several: COLUMN,COLUMN; FILE:COLUMN with an .npz matrix",
    )
    groups: str = Field("", description="a column beside the target; rows of one group stay on one side of a split")
    weights: str = Field("", description="a column beside the target: how much each row counts")
    space: str = Field(
        "spaces/quick.yaml",
        min_length=1,
        description="a sweep spec (YAML), or runs:/RUN_ID/FILE for the one that a sweep's run has kept",
    )
    engine: str = Field("auto", min_length=1, description="'auto', or the name of an engine")
    master: str = Field(
        "",
        description="a Spark master: spark://HOST:PORT, local[N], yarn, k8s://HOST:PORT, or sc://HOST:PORT (Connect)",
    )
    cores: int = Field(0, ge=0, description="a whole number: fits side by side, 0 for one on each core")
    verify: int = Field(
        0, ge=0, description="a whole number: random fits of the sweep that are repeated alone and compared"
    )
    reuse: Literal["auto", "never"] = Field(
        "auto", description="'auto', or 'never' to fit anew what earlier sweeps have fitted"
    )
    plan: bool = Field(False, description="true or false: say what the sweep comes to on this machine, and stop")
    backends: str = Field(
        "", description="for a plan, where else: 'here' and backends' files (.json), with commas between them"
    )
    model_name: str = Field(
        "", description="the name that the winner is registered under: demographics, or that of your file, unless given"
    )

    record_wait: float = Field(
        WAIT,
        ge=0,
        description="seconds, 0 or more: how long to wait at the end for a tracking store that is away",
    )

    @property
    def registered_name(self) -> str:
        """What the winner is registered under; a person's own table must not take over the demographics model."""
        return self.model_name or (table_name(self.features) if self.features else "demographics")

    @property
    def predicted(self) -> str:
        """What the sweep learns to predict."""
        return self.target if self.features else "group"

    @property
    def subject(self) -> str:
        """What is swept over, in a word or two."""
        if self.features:
            return table_name(self.features)
        return "demographics-synthetic" if self.data == "synthetic" else "demographics"


class SyncParams(Params):
    """How long the store is waited for."""

    record_wait: float = Field(
        WAIT, ge=0, description="seconds, 0 or more: how long to wait for a tracking store that is away"
    )


class CompareParams(Params):
    """Which sweeps."""

    runs: str = Field("", description="the ids of two finished sweeps' runs or more, with commas between them")


class ChooseParams(Params):
    """Which sweep, and by which rule another winner is chosen from what it has kept."""

    run: str = Field("", description="the id of a finished sweep's run")
    rule: Literal["best", "one_standard_error", "threshold", "ensemble"] = Field(
        "best", description="'best', 'one_standard_error', 'threshold' or 'ensemble'"
    )
    scorer: str = Field(
        "", description="a scorer's name, or an object as in a spec: {scorer: f1, pos_label: yes}; the sweep's if empty"
    )
    max_latency_ms: float = Field(
        0, ge=0, description="a number of milliseconds that the model may take for one row; 0 for any"
    )
    max_size_mb: float = Field(0, ge=0, description="a number of megabytes that the model's files may have; 0 for any")
    cores: int = Field(0, ge=0, description="a whole number: cores to refit with, 0 for all")
    model_name: str = Field("", description="the name that the choice is registered under: the sweep's unless given")


class ScoreParams(IngestParams):
    """Which model, on which data, and where the predictions go."""

    model: str = Field(
        "models:/demographics@champion",
        min_length=1,
        description="models:/NAME@ALIAS, models:/NAME/VERSION or runs:/ID",
    )
    data: str = Field(
        "synthetic",
        min_length=1,
        description="'synthetic', a folder, wasbs://CONTAINER@ACCOUNT.blob.core.windows.net/PATH, or your table's file",
    )
    output: str = Field("submission.csv", min_length=1, description="a file to write, .csv or .parquet")
    labels: str = Field(
        "",
        description="where the truth is, to judge by: a column of your table; for devices FILE:COLUMN beside device_id",
    )


class PromoteParams(Params):
    """Which model's challenger, by which gates, and to where."""

    model: str = Field("demographics", min_length=1, description="the name of a registered model")
    to: str = Field("", description="another registered model, whose champion the challenger is to succeed")
    gates: str = Field("promotion.yaml", min_length=1, description="a file of gates (YAML)")
    data: str = Field(
        "",
        description="where the held-out devices are, as for a sweep; or a table of labelled rows in place of those",
    )
    reason: str = Field("", description="why, in your words; kept with the version")
    dry_run: bool = Field(False, description="true or false: judge, and change nothing")
    rollback: bool = Field(False, description="true or false: make the former champion champion again")


Model = TypeVar("Model", bound=Params)


def parse(model: type[Model], arguments: Sequence[str]) -> Model:
    """Read ``--name value`` arguments.

    Raises
    ------
    SpecError
        One line about the first argument that is wrong.
    """
    given = dict(_pairs(arguments))
    for name, value in given.items():
        if name not in model.model_fields:
            raise SpecError(f"-P {name}={value}: there is no parameter '{name}'.{_advice(name, model)}")
        _check_may_be_kept(name, value)
    return _validated(model, given)


def _advice(name: str, model: type[Params]) -> str:
    """Say which parameter may have been meant; a sweep calls a person's own table by another name than the others."""
    if name == "features" and issubclass(model, ScoreParams | PromoteParams):
        return f" Your table is given as -P data= here: {model.model_fields['data'].description}."
    return did_you_mean(name, model.model_fields) or f" There are: {', '.join(model.model_fields)}."


def contradicted(model: type[Params], arguments: Sequence[str], held: Mapping[str, str]) -> list[str]:
    """Say which params that a run holds are not what `arguments` ask for; none where these cannot be read."""
    try:
        given = dict(_pairs(arguments))
        asked = parse(model, arguments).model_dump()
    except SpecError:
        return []
    found = []
    for name in asked.keys() & held.keys():
        typed = as_typed(held[name])
        if text(asked[name]) == held[name]:
            continue
        with suppress(SpecError):
            if _validated(model, given | {name: typed}).model_dump()[name] == asked[name]:
                continue
        found.append(f"{name} is '{typed}' there and '{text(asked[name])}' here")
    return sorted(found)


def wants_debug(arguments: Sequence[str]) -> bool:
    """Whether a traceback is asked for, even where the arguments cannot be parsed."""
    return "--debug true" in " ".join(arguments).replace("=", " ").lower()


def _pairs(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    words = iter(arguments)
    for word in words:
        if not word.startswith("--"):
            raise SpecError(f"{word}: expected '--name value'.")
        name, equals, value = word[2:].partition("=")
        if not equals:
            value = next(words, "")
        yield name, value


def _check_may_be_kept(name: str, value: str) -> None:
    """Refuse what must not, or cannot, stand in a store for others to read."""
    if form := secret_in(value):
        raise SpecError(
            f"-P {name} has a secret in it ({form}), and a run's parameters are there for all to read. If `mlflow run` "
            f"began this, it has recorded the value: make that void, and {CREDENTIALS}"
        )
    if visible(value) != value:
        raise SpecError(f"-P {name}={value}: there is a control character in it. Take it out, or rename the file.")


def _validated(model: type[Model], given: Mapping[str, str]) -> Model:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        expected = model.model_fields[name].description
        raise SpecError(f"-P {name}={given[name]}: expected {expected}.") from error
