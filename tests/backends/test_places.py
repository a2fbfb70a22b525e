"""What a backend's file says of size and price is read without reaching anything; what is wrong is one line."""

import json
from pathlib import Path

import pytest

from backends.capacity import Capacity, cost
from backends.failures import BackendError
from backends.places import capacity_of

DSVM = {"host": "ssh://me@vm", "cpus": 8, "memory": "24g"}
CLUSTER = {
    "url": "https://c.azurehdinsight.net/livy",
    "storage": "wasbs://c@a.blob.core.windows.net/g",
    "num_executors": 6,
}
JOBS = {
    "files": "/Volumes/main/default/g",
    "new_cluster": {"spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_D8ds_v5", "num_workers": 4},
}


@pytest.fixture
def file(tmp_path):
    def write(content) -> str:
        path = tmp_path / "mine.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    return write


@pytest.mark.parametrize(
    ("given", "fits", "memory"),
    [
        (DSVM, 8, 24 * 2**30),
        ({**DSVM, "cpus": 0.5}, 1, 24 * 2**30),
        (CLUSTER, 12, None),
        (JOBS, 32, None),
        ({**JOBS, "new_cluster": {**JOBS["new_cluster"], "num_workers": 0}}, 8, None),
        (
            {
                **JOBS,
                "new_cluster": {
                    "spark_version": "15",
                    "node_type_id": "n2-standard-16",
                    "autoscale": {"min_workers": 1, "max_workers": 3},
                },
            },
            48,
            None,
        ),
    ],
)
def test_the_fits_side_by_side_are_those_of_the_file(file, given, fits, memory):
    told = capacity_of(file({**given, "price_per_hour": "1.20 EUR"}))
    assert told == Capacity("mine", fits, memory, "1.20 EUR")


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"host": "ssh://me@vm"}, 'how many cores it has: write "cpus"'),
        ({key: value for key, value in CLUSTER.items() if key != "num_executors"}, 'write "num_executors"'),
        ({"files": JOBS["files"], "serverless": {}}, "how large it is: its file does not say"),
        ({**JOBS, "new_cluster": {**JOBS["new_cluster"], "node_type_id": "i3.xlarge"}}, "how many cores its machines"),
    ],
)
def test_what_the_file_leaves_to_the_place_is_not_guessed(file, given, what):
    told = capacity_of(file(given))
    assert told.fits is None
    assert what in told.unknown


def test_the_example_files_are_read(monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[2])
    assert [capacity_of(f"backends/{name}.json").fits for name in ("dsvm", "hdinsight", "databricks")] == [8, 12, 32]


@pytest.mark.parametrize(
    ("price", "seconds", "money"),
    [
        ("0.504 EUR", 3600 * 10, "5.04 EUR"),
        ("$3", 1800, "$1.50"),
        ("€ 0.50", 36, "€ 0.005"),
        ("2", 7200, "4.00"),
        ("1 CHF", 3600 * 12345, "12,345.00 CHF"),
        ("0 EUR", 60, "0.00 EUR"),
    ],
)
def test_money_is_written_as_the_price_is(price, seconds, money):
    assert cost(price, seconds) == money


@pytest.mark.parametrize("price", ["0,50 EUR", "EUR", "", "-1 EUR", "1 to 2 EUR", True, ["1"], "1 EUR\nx"])
def test_a_price_that_is_none_is_refused_in_one_line(file, price):
    with pytest.raises(BackendError, match=r"^-c of backend 'dsvm': price_per_hour: ") as told:
        capacity_of(file({**DSVM, "price_per_hour": price}))
    assert str(told.value).count("\n") == 0


def test_a_number_alone_is_a_price(file):
    assert capacity_of(file({**DSVM, "price_per_hour": 0.5})).price == "0.5"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", r"is not JSON \("),
        ("[1]", "is no backend's configuration, which is a JSON object"),
        ({"cores": 2}, "has no key of a backend's configuration"),
        ({**DSVM, "cpu": 2}, "cpu: unknown key. Did you mean 'cpus'"),
        ({"new_cluster": {}}, "files: the key is missing: A volume"),
    ],
)
def test_a_wrong_file_is_one_line(file, content, sentence):
    with pytest.raises(BackendError, match=sentence) as told:
        capacity_of(file(content))
    assert "\n" not in str(told.value)


def test_a_file_that_is_not_there_is_one_line():
    with pytest.raises(BackendError, match=r"^-P backends: nowhere.json cannot be read \(No such file"):
        capacity_of("nowhere.json")
