"""conda.yaml is read for pip, and what pip cannot install is refused here and not found out there."""

import pytest

from backends import environment
from backends.failures import BackendError


@pytest.fixture
def conda(tmp_path):
    def write(text):
        path = tmp_path / "conda.yaml"
        path.write_text(text)
        return path

    return write


def test_the_python_version_and_pips_requirements_are_read(conda):
    path = conda("dependencies:\n  - python=3.11.4\n  - pip=24\n  - pip:\n      - mlflow==3\n      - x>=1\n")
    assert environment.read(path) == environment.Environment("3.11", ("mlflow==3", "x>=1"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("dependencies:\n  - python=3.11\n  - numpy\n", "'numpy' is a conda package; remote jobs install with pip"),
        ("dependencies:\n  - python=3.11\n  - python-dateutil\n", "'python-dateutil' is a conda package"),
        ("dependencies:\n  - pip\n", "needs one line like 'python=3.11' under 'dependencies:'"),
        ("dependencies: [", "cannot be read"),
    ],
)
def test_what_will_not_do_is_one_line(conda, text, sentence):
    with pytest.raises(BackendError, match=sentence):
        environment.read(conda(text))


def test_the_digest_is_of_content_and_not_of_layout(conda):
    one = environment.read(conda("dependencies:\n  - python=3.11\n  - pip:\n      - a==1\n"))
    same = environment.read(conda("# a comment\nname: z\ndependencies: ['python=3.11', {pip: ['a==1']}]\n"))
    other = environment.read(conda("dependencies:\n  - python=3.11\n  - pip:\n      - a==2\n"))
    assert one.digest(base="x") == same.digest(base="x")
    assert len({one.digest(base="x"), one.digest(base="y"), other.digest(base="x")}) == 3
