"""What every program stands on: logs without card numbers, and sentences instead of tracebacks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from tapwatt.programs.http import BadQuery, json_app, serve_http
from tapwatt.programs.logs import set_up_logs
from tapwatt.programs.runtime import Runtime, UnableToStart, listening_socket, run_program
from tapwatt.settings import Settings

PAN = "4111111111111111"


class Written:
    """What the program has written to standard error so far."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture, self._text = capture, ""

    def getvalue(self) -> str:
        self._text += self._capture.readouterr().err
        return self._text


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[Written]:
    """Standard error of this test only; the logging that a program sets up ends with it."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield Written(capsys)
    structlog.reset_defaults()
    root.handlers[:] = before
    root.setLevel(level)


def test_no_log_line_carries_a_card_number(written: Written) -> None:
    set_up_logs("info", program="gateway")
    log = structlog.get_logger("test")
    log.warning(f"seen {PAN}", as_text=PAN, as_number=int(PAN), inside={"pan": PAN}, at_ms=1_795_348_800_000)
    log.debug("not written")
    try:
        raise ValueError(PAN)
    except ValueError:
        logging.getLogger("library").exception("failed with %s", PAN)
    said = written.getvalue()
    assert PAN not in said
    assert said.count("411111******1111") == 5
    assert "1795348800000" in said
    assert "error=ValueError" in said
    assert "Traceback" not in said
    assert len(said.splitlines()) == 2


def run(start: Any, tmp_path: Path) -> int:
    return run_program("gateway", start, settings=Settings.read(data=tmp_path / "data"))


def test_a_task_that_fails_stops_the_program_with_1(tmp_path: Path, written: Written) -> None:
    closed = []

    async def start(runtime: Runtime) -> None:
        async def fail() -> None:
            raise RuntimeError("out of ideas")

        async def close() -> None:
            closed.append(True)

        runtime.closing.push_async_callback(close)
        runtime.listening("http", 7011)
        runtime.spawn(fail(), name="thinker")

    assert run(start, tmp_path) == 1
    assert "tapwatt gateway ready: http 127.0.0.1:7011\n" in written.getvalue()
    assert "out of ideas" in written.getvalue()
    assert closed == [True]


def test_what_cannot_start_says_why_in_one_sentence(tmp_path: Path, written: Written) -> None:
    async def start(runtime: Runtime) -> None:
        raise UnableToStart("the port\nis taken.")

    assert run(start, tmp_path) == 1
    assert written.getvalue() == "tapwatt gateway: the port is taken.\n"


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path, written: Written) -> None:
    (tmp_path / "file").write_text("")

    async def start(runtime: Runtime) -> None:
        raise AssertionError("must not come so far")

    code = run_program("gateway", start, settings=Settings.read(data=tmp_path / "file" / "data"))
    assert code == 1
    assert "unable to use the data directory" in written.getvalue()


def test_a_taken_port_is_told_with_its_purpose() -> None:
    taken = listening_socket("127.0.0.1", 0, purpose="test")
    taken.listen()
    port = taken.getsockname()[1]
    with pytest.raises(UnableToStart, match=rf"127\.0\.0\.1:{port} \(gateway's http\)"):
        listening_socket("127.0.0.1", port, purpose="gateway's http")
    taken.close()


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b'{"name": "x"}', 200),
        ("application/json", b'{"name": 3}', 400),
        ("application/json", b"[]", 400),
        ("application/json", b"{", 400),
        ("application/json", b'"' + b"x" * 70_000 + b'"', 400),
        ("text/plain", b'{"name": "x"}', 400),
    ],
)
async def test_an_action_takes_a_json_object_and_nothing_else(
    content_type: str, body: bytes, status: int
) -> None:
    async def greet(wish: dict[str, Any]) -> object:
        if not isinstance(wish.get("name"), str):
            raise BadQuery("name is a text")
        return {"hello": wish["name"]}

    runtime = Runtime("gateway", Settings.read())
    app = json_app(runtime, health=lambda: {"lines": {}}, actions={"/greet": greet})
    port = await serve_http(runtime, app, 0)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        answer = await client.post("/greet", content=body, headers={"content-type": content_type})
        assert answer.status_code == status
        health = (await client.get("/health")).json()
        assert (health["status"], health["program"], health["lines"]) == ("ok", "gateway", {})
    assert runtime.listeners == {"http": ("127.0.0.1", port)}
    await runtime.closing.aclose()
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", port)
