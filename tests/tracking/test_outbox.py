"""What a store could not be told is kept on disk, whole, and told later as if it had been told then."""

from __future__ import annotations

import json
from collections.abc import Iterator

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModelOutput, Metric, Param, RunTag
from sklearn.linear_model import LogisticRegression

from errors import KeptForLaterError, StoreAwayError
from tests.services import faulty_proxy
from tests.services.faulty_proxy import REFUSE, FaultyProxy
from tests.tracking.conftest import VARIABLES
from tests.tracking.outcomes import SPEC
from tests.tracking.test_outages import assert_whole, children, record
from tracking import EntryRun, FittedModel, SweepRecorder, patience, registry
from tracking.outbox import Outbox

ENTITIES = [
    Metric("score", 0.1, 1, 0, model_id="m"),
    Param("depth", "3"),
    RunTag("a", "b"),
    LoggedModelOutput("m", 0),
    DatasetInput(Dataset("t", "d", "local", "{}", "[]", "{}"), [InputTag("context", "training")]),
]


def requests_of(outbox: Outbox) -> list[tuple[str, list, dict]]:
    sent: list[tuple[str, list, dict]] = []
    outbox.send(lambda method, given, named: sent.append((method, list(given), dict(named))))
    return sent


def test_requests_come_back_in_order_with_their_arguments(tmp_path):
    outbox = Outbox(tmp_path / "kept")
    assert not outbox
    outbox.add("log_batch", ["run", ENTITIES], {"step": 1}, {})
    outbox.add("set_tag", ["run", "a", "ä"], {}, {})
    assert outbox
    (batch, tag) = requests_of(Outbox(tmp_path / "kept"))
    assert tag == ("set_tag", ["run", "a", "ä"], {})
    assert batch[0] == "log_batch"
    assert batch[2] == {"step": 1}
    assert [type(each) for each in batch[1][1]] == [type(each) for each in ENTITIES]
    assert [each.to_dictionary() for each in batch[1][1][-1:]] == [each.to_dictionary() for each in ENTITIES[-1:]]
    assert dict(batch[1][1][0]) == dict(ENTITIES[0])
    assert not outbox
    assert not (tmp_path / "kept").exists()


def test_files_are_kept_as_they_were(tmp_path):
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "a.txt").write_text("then")
    outbox = Outbox(tmp_path / "kept")
    outbox.add("log_artifacts", ["run", str(tmp_path / "plots"), "plots"], {}, {})
    (tmp_path / "plots" / "a.txt").write_text("now")
    read = []

    def carry_out(method, given, named):
        read.append((method, (tmp_path / given[1] / "a.txt").read_text(), given[2]))

    outbox.send(carry_out)
    assert read == [("log_artifacts", "then", "plots")]


class Made:
    """What a store answers."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id


def test_what_the_store_makes_takes_its_name_everywhere(tmp_path):
    outbox = Outbox(tmp_path / "kept")
    outbox.add("create_run", ["0"], {}, {"run_id": "ours"})
    outbox.add("set_tag", ["ours", "leads to", "runs:/ours/x"], {}, {})
    sent = []

    def carry_out(method, given, named):
        sent.append(given)
        return Made("theirs")

    assert outbox.send(carry_out) == {"ours": "theirs"}
    assert sent == [["0"], ["theirs", "leads to", "runs:/theirs/x"]]


def test_a_sending_that_breaks_off_goes_on_where_it_was(tmp_path):
    outbox = Outbox(tmp_path / "kept")
    outbox.add("create_run", ["0"], {}, {"run_id": "ours"})
    outbox.add("set_tag", ["ours", "a", "b"], {}, {})

    def breaks_off(method, given, named):
        if method == "set_tag":
            raise StoreAwayError("away")
        return Made("theirs")

    with pytest.raises(StoreAwayError):
        outbox.send(breaks_off)
    assert requests_of(Outbox(tmp_path / "kept")) == [("set_tag", ["theirs", "a", "b"], {})]


def test_a_torn_last_line_is_not_read(tmp_path):
    outbox = Outbox(tmp_path / "kept")
    outbox.add("set_tag", ["run", "a", "b"], {}, {})
    with open(tmp_path / "kept" / "requests.jsonl", "a") as file:
        file.write('{"method": "set_tag", "giv')
    assert len(requests_of(outbox)) == 1


# --- in a store -------------------------------------------------------------------------------------------------------


@pytest.fixture
def proxy(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    """A proxy before the server, which the environment names."""
    for name in (*VARIABLES, *patience._OURS):
        monkeypatch.delenv(name, raising=False)
    with faulty_proxy.running(server) as running:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", running.address)
        yield running


def away(*_: object) -> str:
    return REFUSE


def a_model() -> FittedModel:
    example = np.array([[0.0], [1.0]])
    return FittedModel(LogisticRegression().fit(example, [0, 1]), example, [0, 1], ["a"])


def leave_all_of_it(run: EntryRun, four, proxy: FaultyProxy, name: str) -> None:
    """Record a sweep and its model to a store that is away by then."""
    proxy.wrong = away
    with run:
        record(run, four, wait=0)
        run.log_text("table", "cv_results.csv")
        stored = registry.log(run, a_model(), {"holdout_neg_log_loss": -0.5})
        with pytest.raises(KeptForLaterError, match="is to be registered as"):
            registry.register(run, stored, name)


def assert_all_of_it(store: MlflowClient, run: EntryRun, four, name: str) -> None:
    assert_whole(store, run, four)
    read = store.get_run(run.run_id)
    assert [item.path for item in store.list_artifacts(run.run_id)] == ["cv_results.csv"]
    assert read.data.metrics["holdout_neg_log_loss"] == -0.5
    [output] = read.outputs.model_outputs
    model = store.get_logged_model(output.model_id)
    assert model.status == "READY"
    version = store.get_model_version_by_alias(name, "challenger")
    assert version.run_id == run.run_id
    assert json.loads(model.tags["mlflow.modelVersions"])[0]["version"] == version.version


def test_all_that_a_sweep_writes_is_kept_and_recorded_by_another_process(proxy, server, four, tmp_path):
    run = EntryRun.begin("sweep")
    run.keep_unrecorded(tmp_path / "kept")
    with pytest.raises(
        KeptForLaterError, match=r"kept in .*/kept: mlflow run \. -e sync --env-manager local records it"
    ):
        leave_all_of_it(run, four, proxy, "kept-by-one")
    store = MlflowClient(server)
    assert store.get_run(run.run_id).info.status == "RUNNING"
    proxy.wrong = None
    with EntryRun.begin("sync") as other:
        assert other.knows(run.run_id)
        other.send(Outbox(tmp_path / "kept"))
    assert not (tmp_path / "kept").exists()
    assert_all_of_it(store, run, four, "kept-by-one")


def test_a_store_that_is_back_in_time_is_told_in_order_by_the_same_process(proxy, server, four, tmp_path, monkeypatch):
    monkeypatch.setattr(patience, "_ASK_AGAIN", 0.0)
    run = EntryRun.begin("sweep")
    run.keep_unrecorded(tmp_path / "kept")
    proxy.wrong = away
    with run:
        record(run, four, wait=0)
        logged = registry.log(run, a_model(), {"holdout_neg_log_loss": -0.5})
        assert (tmp_path / "kept").exists()
        proxy.wrong = None
        run.log_text("table", "cv_results.csv")
        registry.register(run, logged, "kept-by-itself")
    assert not (tmp_path / "kept").exists()
    assert_all_of_it(MlflowClient(server), run, four, "kept-by-itself")


def test_a_model_that_was_kept_loads_under_the_names_that_the_store_gave(proxy, server, four, tmp_path, monkeypatch):
    run = EntryRun.begin("sweep")
    run.keep_unrecorded(tmp_path / "kept")
    proxy.wrong = away
    run.patience.allow(0)
    stored = registry.log(run, a_model())
    assert stored.model_id.startswith("unrecorded")
    proxy.wrong = None
    with EntryRun.begin("sync") as other:
        other.send(Outbox(tmp_path / "kept"))
    [output] = MlflowClient(server).get_run(run.run_id).outputs.model_outputs
    mlflow.set_tracking_uri(server)
    model = mlflow.pyfunc.load_model(f"models:/{output.model_id}")
    assert model.metadata.model_id == output.model_id
    assert model.predict(pd.DataFrame({"a": [0.0, 1.0]})).shape == (2, 2)


def test_an_interrupted_sweep_is_kept_and_recorded_as_interrupted(proxy, server, four, tmp_path, monkeypatch):
    monkeypatch.setattr("tracking.recorder.LEAVING", 0.1)
    monkeypatch.setattr("tracking.runs._LAST_WORDS", 0.1)
    run = EntryRun.begin("sweep")
    run.keep_unrecorded(tmp_path / "kept")
    proxy.wrong = away
    done, half_done = four.candidates[:2]

    def break_off() -> None:
        with run, SweepRecorder(run) as recorder:
            recorder.started(SPEC, 4, 2)
            recorder.scored([*four.fold_scores[done], four.fold_scores[half_done][0]])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    proxy.wrong = None
    with EntryRun.begin("sync") as other:
        other.send(Outbox(tmp_path / "kept"))
    store = MlflowClient(server)
    found = {child.data.tags["candidate.key"]: child for child in children(store, run)}
    assert {key: child.info.status for key, child in found.items()} == {done.key: "FINISHED", half_done.key: "KILLED"}
    assert found[half_done.key].data.metrics == {"split0_test_score": -2.2}
    assert store.get_run(run.run_id).info.status == "KILLED"
