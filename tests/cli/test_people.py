"""`tapwatt people` and `tapwatt audit` as an operator uses them, and the platform that leaves loopback."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tapwatt.platform.tables import AUDIT_ENTRY, METADATA
from tapwatt.store import SyncDatabase

PASSWORD = "correct horse battery"


def tapwatt(data: Path, *arguments: str, typed: str = "", **more: str) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TAPWATT_")}
    return subprocess.run(
        [sys.executable, "-m", "tapwatt", *arguments],
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**clean, "TAPWATT_DATA": str(data), **more},
    )


def test_people_are_let_in_listed_shut_out_and_reset(tmp_path: Path) -> None:
    added = tapwatt(tmp_path, "people", "add", "Ada", "--name", "Ada L.", "--json", typed=f"{PASSWORD}\n")
    assert (added.returncode, added.stderr) == (0, "")
    told = json.loads(added.stdout)
    assert told["login_name"] == "ada"
    assert told["otpauth"].startswith("otpauth://totp/Tapwatt:ada?secret=")
    for arguments, typed, code, says in [
        (("add", "ben", "--name", "Ben", "--role", "king"), PASSWORD, 2, "--role"),
        (("add", "ben", "--name", "Ben", "--role", "support"), "short", 1, "12 to 256 characters"),
        (("add", "b n", "--name", "Ben"), PASSWORD, 1, "login_name: has"),
        (("add", "ada", "--name", "Other"), PASSWORD, 1, "somebody is called ada"),
        (("disable", "ada"), "", 1, "only administrator who can log in"),
        (("disable", "eve"), "", 1, "nobody is called eve"),
        (("add", "ben", "--name", "Ben", "--role", "support"), PASSWORD, 0, ""),
        (("disable", "ben"), "", 0, ""),
    ]:
        run = tapwatt(tmp_path, "people", *arguments, typed=typed + "\n")
        assert run.returncode == code, run
        assert says in run.stderr
        assert run.stderr.count("\n") == (1 if code else 0)
    listed = json.loads(tapwatt(tmp_path, "people", "list", "--json").stdout)["people"]
    assert [(one["login_name"], one["role"], one["disabled"]) for one in listed] == [
        ("ada", "administrator", False),
        ("ben", "support", True),
    ]
    again = tapwatt(tmp_path, "people", "reset", "ben", typed="another long word\n")
    assert "otpauth://" in again.stdout
    assert json.loads(tapwatt(tmp_path, "people", "list", "--json").stdout)["people"][1]["disabled"] is False
    everything = (tmp_path / "platform.sqlite").read_bytes()
    assert PASSWORD.encode() not in everything


def test_the_log_is_verified_and_a_changed_row_found(tmp_path: Path) -> None:
    for name in ("ada", "ben", "cem"):
        tapwatt(tmp_path, "people", "add", name, "--name", name.capitalize(), typed=f"{PASSWORD}\n")
    good = tapwatt(tmp_path, "audit", "verify", "--json")
    told = json.loads(good.stdout)
    assert (good.returncode, told["intact"], told["entries"]) == (0, True, 3)
    assert "person added" in tapwatt(tmp_path, "audit", "list").stdout
    database = SyncDatabase.open(f"sqlite:///{tmp_path}/platform.sqlite", metadata=METADATA)
    database.write(lambda tx: tx.run(AUDIT_ENTRY.delete().where(AUDIT_ENTRY.c.seq == 3)))
    database.close()
    assert tapwatt(tmp_path, "audit", "verify").returncode == 0
    cut = tapwatt(tmp_path, "audit", "verify", "--checkpoint", told["checkpoint"])
    assert (cut.returncode, "entry 3 of the checkpoint is gone" in cut.stdout) == (1, True)
    senseless = tapwatt(tmp_path, "audit", "verify", "--checkpoint", "3")
    assert (senseless.returncode, senseless.stderr.count("\n")) == (2, 1)


OUTSIDE: dict[str, Any] = {
    "TAPWATT_HTTP_HOST": "0.0.0.0",
    "TAPWATT_HTTP_PORT": "0",
    "TAPWATT_OCPP_PORT": "0",
    "TAPWATT_EDGE_PORT": "0",
}


@pytest.mark.parametrize("url", ["", "http://pay.example.com"])
def test_passwords_do_not_travel_in_the_clear(tmp_path: Path, url: str) -> None:
    run = tapwatt(tmp_path, "serve", **OUTSIDE, TAPWATT_PUBLIC_URL=url)
    assert (run.returncode, run.stderr.count("\n")) == (2, 1)
    assert "TAPWATT_HTTP_HOST is 0.0.0.0, outside loopback: then TAPWATT_PUBLIC_URL must begin" in run.stderr


def test_the_console_leaves_loopback_only_with_an_administrator(tmp_path: Path) -> None:
    outside = {**OUTSIDE, "TAPWATT_PUBLIC_URL": "https://pay.example.com"}
    refused = tapwatt(tmp_path, "serve", **outside)
    assert refused.returncode == 1
    assert "TAPWATT_HTTP_HOST is 0.0.0.0, outside loopback, and there is no administrator" in refused.stderr
    tapwatt(tmp_path, "people", "add", "ada", "--name", "Ada", typed=f"{PASSWORD}\n")
    env = {**os.environ, "TAPWATT_DATA": str(tmp_path), **outside}
    with subprocess.Popen(
        [sys.executable, "-m", "tapwatt", "serve"], env=env, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stderr is not None
        ready = next(line for line in program.stderr if line.startswith("tapwatt platform"))
        program.send_signal(signal.SIGTERM)
        program.communicate(timeout=20)
    assert "http 0.0.0.0:" in ready
    assert "ocpp 127.0.0.1:" in ready
    assert program.returncode == 0
