"""The four hosts as real processes: started, asked, sent nonsense, stopped, killed."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import pytest
from tests.hosts.chain import SimTerminal

from tapwatt.rails.codec import encode_frame
from tapwatt.rails.messages import HOUSE, network_request
from tapwatt.settings import Settings

pytestmark = pytest.mark.programs
HOSTS = ("issuer", "scheme", "acquirer", "gateway")
UPSTREAM = {"gateway": "acquirer", "acquirer": "scheme", "scheme": "issuer"}
READY = re.compile(r"^tapwatt (\w+) ready: iso8583 127\.0\.0\.1:(\d+), http 127\.0\.0\.1:(\d+)$")


class Running:
    """One program as a child process; its standard error goes to a file."""

    def __init__(self, name: str, data: Path, **settings: object) -> None:
        self.name = name
        data.mkdir(exist_ok=True)
        self.errors = data.parent / f"{name}.{time.monotonic_ns()}.log"
        chosen = {f"TAPWATT_{key.upper()}": str(value) for key, value in settings.items()}
        kept = {key: value for key, value in os.environ.items() if not key.startswith("TAPWATT_")}
        environment = {
            **kept,
            "TAPWATT_DATA": str(data),
            **{f"TAPWATT_{host.upper()}{kind}_PORT": "0" for host in HOSTS for kind in ("", "_HTTP")},
            # Nobody listens at the next one's, unless a test says who does.
            **({f"TAPWATT_{UPSTREAM[name].upper()}_PORT": "1"} if name in UPSTREAM else {}),
            **chosen,
        }
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [str(Path(sys.executable).parent / "tapwatt"), "host", name],
                stderr=errors,
                stdout=subprocess.DEVNULL,
                env=environment,
            )

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def ready(self, within_s: float = 20.0) -> tuple[int, int]:
        """The ports of its one ready line: iso8583 and http."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            lines = [match for line in self.said().splitlines() if (match := READY.match(line))]
            if lines:
                assert len(lines) == 1
                assert lines[0][1] == self.name
                return int(lines[0][2]), int(lines[0][3])
            assert self.process.poll() is None, self.said()
            time.sleep(0.02)
        raise AssertionError(f"{self.name} is not ready: {self.said()}")

    def said(self) -> str:
        return self.errors.read_text()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running("gateway", tmp_path_factory.mktemp("site") / "data") as running:
        running.ready()
        yield running


@pytest.mark.parametrize("name", HOSTS)
def test_a_host_starts_says_so_is_healthy_and_stops_on_sigterm(name: str, tmp_path: Path) -> None:
    with Running(name, tmp_path / "data") as running:
        iso_port, http_port = running.ready()
        assert 0 not in (iso_port, http_port)
        health = httpx.get(f"http://127.0.0.1:{http_port}/health").json()
        assert (health["status"], health["program"]) == ("ok", name)
        summary = httpx.get(f"http://127.0.0.1:{http_port}/api/v1/summary").json()
        assert summary == {"open_holds": 0, "waiting": 0, "parked": 0, "unmatched": 0}
        began = time.monotonic()
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(timeout=5) == 0
        assert time.monotonic() - began < 5
        assert (tmp_path / "data" / f"{name}.sqlite").stat().st_mode & 0o077 == 0


def test_a_setting_that_makes_no_sense_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    with Running("issuer", tmp_path / "data", issuer_port="seven") as running:
        assert running.process.wait(timeout=20) == 2
        said = running.said().strip().splitlines()
        assert len(said) == 1
        assert "TAPWATT_ISSUER_PORT" in said[0]


@pytest.mark.parametrize(("name", "upstream"), UPSTREAM.items())
def test_a_next_party_at_port_0_stops_the_start_with_a_sentence(
    name: str, upstream: str, tmp_path: Path
) -> None:
    with Running(name, tmp_path / "data", **{f"{upstream}_port": 0}) as running:
        assert running.process.wait(timeout=20) == 2
        (said,) = running.said().strip().splitlines()
        assert f"TAPWATT_{upstream.upper()}_PORT is 0" in said


def test_a_taken_port_and_a_taken_data_directory_are_told_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with Running("scheme", tmp_path / "data", scheme_port=port) as running:
            assert running.process.wait(timeout=20) == 1
            assert f"unable to listen on 127.0.0.1:{port}" in running.said()
            assert "Traceback" not in running.said()
    with Running("scheme", tmp_path / "data") as first, Running("scheme", tmp_path / "data") as second:
        exits = {first.process, second.process}
        deadline = time.monotonic() + 20
        while all(process.poll() is None for process in exits) and time.monotonic() < deadline:
            time.sleep(0.05)
        refused = first if first.process.poll() is not None else second
        assert refused.process.wait(timeout=1) == 1
        assert "another scheme already runs" in refused.said()


def test_an_unknown_host_is_refused(tmp_path: Path) -> None:
    with Running("bank", tmp_path / "data") as running:
        running.process.wait(timeout=20)
        assert running.process.returncode == 2


SIGN_ON = encode_frame(HOUSE.encode(network_request("001", stan="000001", now_ms=0)))
NONSENSE = {
    "no message at all": b"\x00\x10" + b"GET / HTTP/1.1\r\n" * 3,
    "a length over the limit": b"\xff\xff" + b"0" * 100,
    "an unknown message type": encode_frame(b"9999" + bytes(8)) * 5,
    "a bitmap of everything": encode_frame(b"0100" + b"\xff" * 16 + b"1" * 300) * 5,
    "half a frame": SIGN_ON + b"\x00\xf0" + b"0100",
    "a request before the sign-on": encode_frame(b"0800" + bytes(8)),
    "a card number where none belongs": SIGN_ON + encode_frame(b"0100" + bytes(8) + b"4111111111111111") * 4,
    "keep-alives": b"\x00\x00" * 1000,
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_on_the_listener_ends_that_line_and_nothing_else(name: str, gateway: Running) -> None:
    iso_port, http_port = gateway.ready()
    with socket.create_connection(("127.0.0.1", iso_port), timeout=3) as line:
        line.sendall(NONSENSE[name])
        line.shutdown(socket.SHUT_WR)
        while True:
            try:
                if not line.recv(65536):
                    break
            except ConnectionResetError:
                break
    assert gateway.process.poll() is None
    assert httpx.get(f"http://127.0.0.1:{http_port}/health").status_code == 200
    assert "Traceback" not in gateway.said()
    assert "4111111111111111" not in gateway.said()
    with socket.create_connection(("127.0.0.1", iso_port), timeout=3) as line:
        line.sendall(SIGN_ON)
        answer = line.recv(65536)
    assert HOUSE.decode(answer[2:]).text(39) == "00"


@pytest.mark.parametrize(
    ("query", "status"), [("limit=0", 400), ("limit=x", 400), ("limit=501", 400), ("limit=1", 200)]
)
def test_the_views_refuse_what_makes_no_sense(query: str, status: int, gateway: Running) -> None:
    _, http_port = gateway.ready()
    answer = httpx.get(f"http://127.0.0.1:{http_port}/api/v1/transactions?{query}")
    assert answer.status_code == status


async def test_a_gateway_killed_after_the_approval_completes_when_it_comes_back(tmp_path: Path) -> None:
    data = tmp_path / "data"
    quick = {"forward_first_retry_s": 0.1, "forward_longest_retry_s": 0.5}
    with Running("issuer", data) as issuer:
        issuer_port, issuer_http = issuer.ready()
        with Running("scheme", data, issuer_port=issuer_port) as scheme:
            scheme_port, _ = scheme.ready()
            with Running("acquirer", data, scheme_port=scheme_port, **quick) as acquirer:
                acquirer_port, _ = acquirer.ready()
                links = {"acquirer_port": acquirer_port, **quick}
                with Running("gateway", data, **links) as gateway:
                    port, http_port = gateway.ready()
                    terminal = SimTerminal(Settings.read(gateway_port=port))
                    await terminal.start()
                    await _until(http_port, "/health", lambda told: told["lines"]["acquirer"])
                    request = terminal.request(reference="KILL9")
                    assert await terminal.code(request) == "00"
                    acquirer.process.send_signal(signal.SIGSTOP)
                    assert await terminal.code(terminal.completion(request, 900)) == "00"
                    gateway.process.send_signal(signal.SIGKILL)
                    gateway.process.wait()
                    acquirer.process.send_signal(signal.SIGCONT)
                    await terminal.stop()
                with Running("gateway", data, **links) as gateway:
                    _, http_port = gateway.ready()
                    mine = await _until(http_port, ROWS, _is_completed)
                    rows = await _until(issuer_http, ROWS, _is_completed)
                    for row in (mine[0], rows[0]):
                        assert (row["authorised_minor"], row["captured_minor"]) == (5000, 900)


ROWS = "/api/v1/transactions?reference=KILL9"


def _is_completed(rows: Any) -> bool:
    return bool(rows) and rows[0]["state"] == "COMPLETED"


async def _until(port: int, path: str, holds: Callable[[Any], bool]) -> Any:
    """What a view says once it says what it should."""
    async with asyncio.timeout(15), httpx.AsyncClient() as client:
        while True:
            told = (await client.get(f"http://127.0.0.1:{port}{path}")).json()
            if holds(told):
                return told
            await asyncio.sleep(0.1)
