"""`tapwatt store` as an operator uses it: exit codes, sentences, numbers."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.store.test_moving import fill, sums


def tapwatt(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tapwatt", "store", *arguments], capture_output=True, text=True, check=False
    )


def test_a_database_is_backed_up_restored_and_copied(new_url: Callable[..., str], tmp_path: Path) -> None:
    first, second, third = new_url("sqlite"), new_url("postgresql"), new_url("sqlite", "third")
    file = str(tmp_path / "kept")
    fill(first, "scheme")
    for arguments, done in (
        (("backup", first, file), "backed up"),
        (("restore", file, second), "restored"),
        (("copy", second, third), "copied"),
        (("restore", file, f"sqlite:///{tmp_path}/a/new/place.sqlite"), "restored"),
    ):
        run = tapwatt(*arguments)
        assert (run.returncode, run.stderr) == (0, "")
        assert f"rows {done} and compared" in run.stdout
        assert "3  trace_number" in run.stdout
    assert sums(third, "scheme") == sums(first, "scheme")


def test_a_refusal_is_one_sentence_and_exit_code_one(new_url: Callable[..., str], tmp_path: Path) -> None:
    url = new_url("sqlite")
    fill(url, "scheme", rows=1)
    file = tmp_path / "file"
    file.touch()
    for arguments, says in (
        (("copy", url, url), "a program runs on"),
        (("copy", url, "postgresql://app:hush@127.0.0.1:1/books"), "books at 127.0.0.1"),
        (("backup", f"sqlite:///{tmp_path}/none", str(tmp_path / "kept")), "there is no database"),
        (("restore", str(tmp_path / "none"), url), "unable to read"),
        (("copy", url, f"sqlite:///{file}/books.sqlite"), "unable to make the folder"),
    ):
        run = tapwatt(*arguments)
        assert (run.returncode, run.stdout, run.stderr.count("\n")) == (1, "", 1), run
        assert run.stderr.startswith("tapwatt store: ")
        assert says in run.stderr
        assert "hush" not in run.stderr


def test_wrong_usage_is_exit_code_two() -> None:
    run = tapwatt("copy")
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (2, "", 1)
