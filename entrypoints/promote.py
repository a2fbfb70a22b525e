"""Make the challenger champion if it is better on devices that neither model has learned from; or go back."""

from __future__ import annotations

import shlex

from entrypoints.command import entrypoint
from entrypoints.held_out import figures, held_out
from entrypoints.parameters import IngestParams, PromoteParams, parse
from entrypoints.pipeline import tables_for
from entrypoints.terminal.results import show_row
from errors import SpecError
from release import gates, verdict
from release.gates import Rules
from tracking import EntryRun, aliases
from tracking.aliases import Version
from tracking.loading import DeviceModel, load
from tracking.registry import check_model_name

_OF_THE_DATA = ("data", "scale", "seed", "leak")


@entrypoint("promote")
def promote(params: PromoteParams, run: EntryRun) -> None:
    """Compare, check the gates, and move the alias; or move it back."""
    name = params.to or params.model
    check_model_name(name)
    if params.rollback:
        left, back = aliases.roll_back(run, name, params.reason)
        return _close(run, f"{back} is champion again, in place of version {left.number}")
    rules = Rules.load(params.gates)
    challenger = aliases.challenger_of(run.client, params.model)
    champion = aliases.at_alias(run.client, name, aliases.CHAMPION)
    if champion and champion.is_copy_of(challenger):
        return _close(run, f"{challenger} is the champion of {name} already; nothing to do")

    found = _judge(params, run, rules, challenger, champion)
    if params.dry_run:
        return _close(run, f"{challenger} passes; it was a dry run, so nothing was changed", verdict.table(found))
    tags = {**verdict.tags(found), "promotion.reason": params.reason}
    crowned = aliases.promote(run, challenger, name, champion, tags)
    place = f"in place of version {champion.number}" if champion else "the first"
    return _close(run, f"{crowned} is champion, {place}", verdict.table(found))


def _judge(
    params: PromoteParams, run: EntryRun, rules: Rules, challenger: Version, champion: Version | None
) -> verdict.Verdict:
    """Compare the two, record what was found, and refuse the challenger if it misses a gate."""
    ours, theirs = _of_devices(challenger.uri), _of_devices(champion.uri) if champion else None
    tables = tables_for(_data_of(params, run, challenger), run)
    rows = held_out(tables, ours, theirs)
    found = verdict.Verdict(rules, figures(tables, rows, ours, theirs), rows.n_left_out)
    run.log_metrics(verdict.metrics(found))
    run.log_text(verdict.table(found), "promotion.md")
    print(verdict.table(found))
    gates.check(found.findings, str(challenger))
    return found


def _of_devices(uri: str) -> DeviceModel:
    model = load(uri)
    if isinstance(model, DeviceModel):
        return model
    raise SpecError(f"{uri}: this model takes the columns of a table, not devices with brand, model and events.")


def _data_of(params: PromoteParams, run: EntryRun, challenger: Version) -> IngestParams:
    """Return the data of the challenger's sweep, or those that the person names."""
    if params.data:
        return parse(IngestParams, ["--data", params.data])
    known = run.params_of(challenger.run_id)
    if "data" not in known:
        raise SpecError(f"the run of {challenger} does not say on which data it learned. Name them: -P data=DIR.")
    return parse(IngestParams, [word for name in _OF_THE_DATA for word in (f"--{name}", as_typed(known[name]))])


def as_typed(value: str) -> str:
    """Return a param without the quotes that ``mlflow run`` has put around it for the shell, and then logged."""
    return shlex.split(value)[0] if value[:1] == value[-1:] == "'" else value


def _close(run: EntryRun, line: str, table: str = "") -> None:
    run.set_note(f"{line}\n\n{table}".strip())
    show_row("promote", line)


if __name__ == "__main__":
    promote.main()
