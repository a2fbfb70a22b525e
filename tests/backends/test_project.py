"""The project is what git tracks or would track; never data, runs, caches or keys."""

import io
import os
import subprocess
import tarfile

import pytest

from backends import project
from backends.failures import BackendError
from tests.backends.cluster.folder_compute import FolderCompute, FolderShelf


@pytest.fixture
def folder(tmp_path):
    for name in ("a.py", "room/b.py", "room/data/c.py", "secret.txt", "scratch.log"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / ".gitignore").write_text("*.log\n")
    return tmp_path


@pytest.fixture
def shared(tmp_path_factory):
    return tmp_path_factory.mktemp("shared")


def git(folder, *words):
    subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)


def names(folder) -> list[str]:
    return [str(name) for name in project.find(folder).files]


CODE = [".gitignore", "a.py", "room/b.py", "room/data/c.py", "secret.txt"]


def test_a_repository_gives_what_it_tracks_and_what_it_would_track(folder):
    git(folder, "init")
    git(folder, "add", "a.py")
    assert names(folder) == CODE


def test_a_folder_that_is_no_repository_gives_the_same(folder):
    assert names(folder) == CODE


def test_a_folder_within_a_repository_gives_its_own_files(folder):
    git(folder, "init")
    assert names(folder / "room") == ["b.py", "data/c.py"] or names(folder / "room") == ["b.py"]


@pytest.mark.parametrize(
    "name", ["data/x.csv", "mlruns/0/meta.yaml", "mlflow.db", ".cache/t", "id_rsa", "k.pem", ".env"]
)
def test_data_runs_caches_and_keys_stay_even_where_git_tracks_them(folder, name):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("x")
    git(folder, "init")
    git(folder, "add", "--force", name)
    assert names(folder) == CODE


def test_a_deleted_file_and_a_link_out_of_the_folder_are_left_out(folder):
    git(folder, "init")
    git(folder, "add", ".")
    (folder / "a.py").unlink()
    (folder / "passwd").symlink_to("/etc/passwd")
    assert names(folder) == [name for name in CODE if name != "a.py"]


def test_too_much_to_be_code_is_refused_with_the_largest_file(folder):
    with (folder / "big.bin").open("wb") as file:
        file.truncate(200 * 2**20)
    with pytest.raises(BackendError, match=r"are 200 MiB, of which big.bin is 200 MiB. Only code is copied"):
        project.find(folder)


def test_a_cluster_has_a_project_under_another_name_once_a_file_has_another_name_content_or_mode(folder, shared):
    def name():
        return FolderCompute(shared)._put_project(project.find(folder))

    known = [name()]
    os.utime(folder / "a.py", (0, 0))
    assert name() == known[0]
    (folder / "a.py").write_text("other")
    known.append(name())
    (folder / "a.py").chmod(0o755)
    known.append(name())
    (folder / "a.py").rename(folder / "z.py")
    known.append(name())
    assert len(set(known)) == len(known) == len(FolderCompute(shared).shared.names("projects/"))


def test_a_file_that_is_saved_while_the_project_is_sent_is_never_under_the_name_of_another(folder, shared, monkeypatch):
    def saved_meanwhile(self, prefix):
        (folder / "a.py").write_text("new")
        return names(self, prefix)

    (folder / "a.py").write_text("old")
    names = FolderShelf.names
    with monkeypatch.context() as patched:
        patched.setattr(FolderShelf, "names", saved_meanwhile)
        sent = [FolderCompute(shared)._put_project(project.find(folder))]
    for text in ("new", "old"):
        (folder / "a.py").write_text(text)
        name = FolderCompute(shared)._put_project(project.find(folder))
        assert text_of(shared / name, "a.py") == text
        sent.append(name)
    assert sent[0] in sent[1:]


def text_of(archive, name):
    with tarfile.open(archive) as tar:
        return tar.extractfile(name).read().decode()


def test_the_archive_is_roots_and_read_only_for_others(folder):
    (folder / "run.sh").write_text("x")
    (folder / "run.sh").chmod(0o777)
    content = project.archive([("p/a.py", folder / "a.py"), ("p/run.sh", folder / "run.sh"), ("p/c", b"bytes")])
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        entries = {entry.name: (entry.uid, oct(entry.mode), tar.extractfile(entry).read()) for entry in tar}
    assert entries == {"p/a.py": (0, "0o644", b"a.py"), "p/run.sh": (0, "0o755", b"x"), "p/c": (0, "0o644", b"bytes")}


def packed_for_a_vm(files, shared):
    from backends.dsvm.container import _code

    with tarfile.open(fileobj=io.BytesIO(_code(files))) as tar:
        return {name.removeprefix("project/") for name in tar.getnames() if name.startswith("project/")}


def packed_for_a_cluster(files, shared):
    name = FolderCompute(shared)._put_project(files)
    with tarfile.open(shared / name) as tar:
        return set(tar.getnames())


@pytest.mark.parametrize("pack", [packed_for_a_vm, packed_for_a_cluster])
def test_a_users_own_modules_are_project_files_wherever_the_project_is_sent(folder, tmp_path_factory, pack):
    """At the top, and beside a spec; dsvm packs by the one way, hdinsight and databricks-jobs by the other."""
    own_spec(folder, "mymodels.py", "spaces/near.py")
    found = project.find(folder)
    project.check_spec(found, "spaces/own.yaml")
    assert {"mymodels.py", "spaces/near.py", "spaces/own.yaml"} <= pack(found, tmp_path_factory.mktemp("shared"))


def own_spec(folder, *modules):
    (folder / "spaces").mkdir()
    (folder / "spaces" / "own.yaml").write_text(
        "estimator: mymodels.Mine\ngrid: {C: [1]}\nscoring: {c: {function: near.c}}"
    )
    for module in modules:
        (folder / module).write_text("")


def test_files_that_git_does_not_track_go_along_and_are_counted_and_named(folder):
    git(folder, "init")
    git(folder, "add", "a.py", ".gitignore")
    assert project.find(folder).summary == (
        "5 files (0.0 MiB), of which 3 that git does not track: room/b.py, room/data/c.py, secret.txt"
    )
    (folder / "then.txt").write_text("x")
    assert project.find(folder).summary.endswith("room/b.py, room/data/c.py, secret.txt and 1 more")
    git(folder, "add", ".")
    assert project.find(folder).summary == "6 files (0.0 MiB)"


@pytest.mark.parametrize("place", [".", "room"], ids=["the repository's top", "a folder of a repository"])
@pytest.mark.parametrize("tracked", [True, False])
def test_what_gridfoldignore_names_stays_here_whether_git_tracks_it_or_not(folder, place, tracked):
    project_folder = folder / place
    (project_folder / "private").mkdir()
    (project_folder / "private" / "salaries.csv").write_text("x")
    (project_folder / "private" / "code.py").write_text("x")
    (project_folder / ".gridfoldignore").write_text("/private/*\n!code.py\n")
    git(folder, "init")
    if tracked:
        git(folder, "add", ".")
    assert {name for name in names(project_folder) if "private" in name} == {"private/code.py"}
    assert {".gridfoldignore"} <= set(names(project_folder))


def test_gridfoldignore_holds_in_a_folder_that_is_no_repository(folder):
    (folder / ".gridfoldignore").write_text("secret.txt\n")
    assert set(names(folder)) == {*CODE, ".gridfoldignore"} - {"secret.txt"}


@pytest.mark.parametrize("ignored", ["mymodels.py", "spaces/near.py", "spaces/own.yaml"])
@pytest.mark.parametrize("by", [".gitignore", ".gridfoldignore"])
def test_what_is_ignored_of_a_spec_and_its_modules_is_said_before_anything_is_sent(folder, ignored, by):
    own_spec(folder, "mymodels.py", "spaces/near.py")
    (folder / by).write_text(f"{ignored}\n")
    with pytest.raises(
        BackendError, match=rf"space=spaces/own.yaml: \S+/{ignored} would not be sent\..*\.gitignore"
    ) as caught:
        project.check_spec(project.find(folder), "spaces/own.yaml")
    assert "\n" not in str(caught.value)


def test_a_spec_outside_the_folder_is_refused(folder, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "own.yaml"
    outside.write_text("estimator: mymodels.Mine")
    with pytest.raises(
        BackendError, match=r"lies outside the project's folder .* copy the spec into it, with the modules"
    ):
        project.check_spec(project.find(folder), str(outside))


@pytest.mark.parametrize("space", ["", "runs:/0123/own.yaml", "/only/over/there.yaml"])
def test_a_spec_that_is_no_file_here_is_left_to_the_other_machine(folder, space):
    project.check_spec(project.find(folder), space)
