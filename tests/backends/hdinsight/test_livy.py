"""Livy's interface: what is asked, what is asked again, and how a refusal reads."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from backends.cluster.job import LockedOutError
from backends.failures import BackendError, ConnectionLostError
from backends.hdinsight.backend import last_words
from backends.hdinsight.livy import AnswerLostError, Livy

NAMES = ("HDINSIGHT_USER", "HDINSIGHT_PASSWORD")
SUBMITTED = {"file": "wasbs://cluster@devstoreaccount1.blob.core.windows.net/absent.py", "name": "a"}


@pytest.fixture
def livy(running_livy):
    running_livy.reset()
    client = Livy(running_livy.url, running_livy.user, running_livy.password, NAMES, running_livy.certificate)
    yield client
    client.close()


@pytest.fixture
def pauses(monkeypatch):
    """The seconds that would have been waited."""
    waited = []
    monkeypatch.setattr("time.sleep", waited.append)
    return waited


def test_a_batch_is_submitted_looked_at_and_deleted(livy):
    number = livy.submit(SUBMITTED)
    assert livy.batch(number)["name"] == "a"
    assert [batch["id"] for batch in livy.batches()] == [number]
    assert isinstance(livy.log(number), list)
    livy.delete(number)
    livy.delete(number)
    assert livy.batch(number) is None
    assert livy.log(number) == []


def test_all_pages_of_batches_are_read(livy, monkeypatch):
    monkeypatch.setattr("backends.hdinsight.livy._PAGE", 3)
    names = [f"batch {number}" for number in range(7)]
    for name in names:
        livy.submit({**SUBMITTED, "name": name})
    assert [batch["name"] for batch in livy.batches()] == names


@pytest.mark.parametrize("status", [429, 503])
def test_livy_is_asked_again_when_it_says_so(livy, running_livy, pauses, status):
    running_livy.refusals.extend([(status, {"Retry-After": "7"}), (status, {})])
    assert list(livy.batches()) == []
    assert pauses == [7.0, 2.0]


def test_a_date_is_a_time_to_wait_for_too(livy, running_livy, pauses):
    in_a_while = datetime.now(UTC) + timedelta(seconds=40)
    running_livy.refusals.append((429, {"Retry-After": format_datetime(in_a_while, usegmt=True)}))
    assert list(livy.batches()) == []
    assert pauses == [pytest.approx(40, abs=35)]


def test_no_pause_is_longer_than_a_minute(livy, running_livy, pauses):
    running_livy.refusals.append((503, {"Retry-After": "86400"}))
    assert list(livy.batches()) == []
    assert pauses == [60.0]


def test_a_submission_that_was_refused_for_now_is_repeated(livy, running_livy, pauses):
    running_livy.refusals.append((429, {"Retry-After": "3"}))
    livy.submit(SUBMITTED)
    assert pauses == [3.0]
    assert len(running_livy.submitted) == 1


def test_patience_ends(livy, running_livy, pauses):
    running_livy.refusals.extend([(429, {})] * 5)
    with pytest.raises(ConnectionLostError, match=r"Livy answered 429 \(Rejected, too many sessions .*\)\. Try again"):
        list(livy.batches())


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_submission_whose_answer_says_nothing_is_not_repeated_blindly(livy, running_livy, pauses, status):
    running_livy.refusals.append((status, {}))
    with pytest.raises(AnswerLostError):
        livy.submit(SUBMITTED)
    running_livy.answers_to_lose = 1
    with pytest.raises(AnswerLostError):
        livy.submit(SUBMITTED)
    assert len(running_livy.submitted) == 1


def test_what_livy_refuses_is_told_in_its_words(livy):
    with pytest.raises(BackendError, match=r"Livy refuses the job: 400 Unrecognized field \"cores\""):
        livy.submit({**SUBMITTED, "cores": 3})


def test_an_expired_password_is_no_lost_connection(livy, running_livy):
    running_livy.password = "changed"
    with pytest.raises(LockedOutError, match=r"does not accept the login\. Set HDINSIGHT_USER and HDINSIGHT_PASSWORD"):
        list(livy.batches())


def test_addresses_that_are_none(running_livy):
    def refusal(url, **options):
        with pytest.raises(BackendError) as caught:
            list(Livy(url, running_livy.user, running_livy.password, NAMES, **options).batches())
        assert running_livy.password not in str(caught.value)
        return str(caught.value)

    assert "the certificate of" in refusal(running_livy.url)
    elsewhere = running_livy.url.replace("/livy", "/ambari")
    assert "there is no Livy at" in refusal(elsewhere, ca_bundle=running_livy.certificate)
    assert "no answer from https://127.0.0.1:9/livy. Check the address" in refusal("https://127.0.0.1:9/livy")
    assert "no answer from https://absent.invalid/livy" in refusal("https://absent.invalid/livy")


def test_the_login_does_not_follow_a_redirection():
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.path)
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(BackendError, match="there is no Livy at"):
            list(Livy(f"http://127.0.0.1:{server.server_address[1]}/livy", "u", "p", NAMES).batches())
        server.shutdown()
    assert [path.partition("?")[0] for path in seen] == ["/livy/batches"]


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ([], "Livy says dead"),
        (["stdout: ", "stderr: "], "Livy says dead"),
        (
            ["INFO: running", "\t diagnostics: Application failed 1 times: Exit code is 143", "\t queue: default"],
            "Livy says dead: diagnostics: Application failed 1 times: Exit code is 143",
        ),
    ],
)
def test_the_telling_line_of_a_log(log, words):
    assert last_words("dead", log) == words
