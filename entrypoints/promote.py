"""Make the challenger champion if it is better on rows that neither model has learned from; or go back."""

from __future__ import annotations

from typing import Any

from entrypoints.command.entry import entrypoint
from entrypoints.data.pipeline import tables_for
from entrypoints.judging.held_out_devices import OF_DEVICES, figures, held_out
from entrypoints.judging.held_out_rows import contestants, figures_of_tables
from entrypoints.judging.judge import judge_for
from entrypoints.parameters import IngestParams, PromoteParams, parse
from entrypoints.terminal.results import show_row
from errors import GridfoldError, SpecError
from release import gates, verdict
from release.gates import Figures, Rules
from tracking import EntryRun, aliases
from tracking.aliases import Version
from tracking.loading import TableModel, load
from tracking.registry import check_model_name
from tracking.swept import as_typed

_OF_THE_DATA = ("data", "scale", "seed", "leak")


@entrypoint("promote")
def promote(params: PromoteParams, run: EntryRun) -> None:
    """Make the challenger champion if it passes the gates; or go back to the former champion."""
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
    ours, theirs = load(challenger.uri), load(champion.uri) if champion else None
    if theirs is not None and type(theirs) is not type(ours):
        raise GridfoldError(f"of {challenger} and {champion} one takes devices and one rows: they cannot be compared.")
    found = verdict.Verdict(rules, *_figures(params, run, rules, (challenger, ours), (champion, theirs)))
    run.log_metrics(verdict.metrics(found))
    run.log_text(verdict.table(found), "promotion.md")
    print(verdict.table(found))
    gates.check(found.findings, str(challenger))
    return found


def _figures(
    params: PromoteParams, run: EntryRun, rules: Rules, challenger: tuple[Version, Any], champion: tuple[Any, Any]
) -> tuple[Figures, int]:
    """Measure both on the rows that neither has learned from; and return how many the champion has."""
    version, ours = challenger
    if isinstance(ours, TableModel):
        both = contestants(run, version, ours, *champion)
        return figures_of_tables(params.data, params.gates, rules, run, *both)
    if unknown := set(rules.slices.by or ()) - set(OF_DEVICES):
        raise SpecError(f"{params.gates}: slices.by: devices have no '{min(unknown)}'. There are brand and events.")
    tables = tables_for(_data_of(params, run, version), run)
    rows = held_out(tables, ours, champion[1])
    probable = hasattr(ours.model.estimator, "predict_proba")
    judge = judge_for(rules.scorer, params.gates, probable, run, version.run_id)
    return figures(tables, rows, ours, champion[1], judge), rows.n_left_out


def _data_of(params: PromoteParams, run: EntryRun, challenger: Version) -> IngestParams:
    """Return the data of the challenger's sweep, or those that the person names."""
    if params.data:
        return parse(IngestParams, ["--data", params.data])
    known = run.params_of(challenger.run_id)
    if "data" not in known:
        raise SpecError(f"the run of {challenger} does not say on which data it learned. Name them: -P data=DIR.")
    return parse(IngestParams, [word for name in _OF_THE_DATA for word in (f"--{name}", as_typed(known[name]))])


def _close(run: EntryRun, line: str, table: str = "") -> None:
    run.set_note(f"{line}\n\n{table}".strip())
    show_row("promote", line)


if __name__ == "__main__":
    promote.main()
