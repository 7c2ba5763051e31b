"""One station by the API: what is kept of it, commands that fail in every way, and whose station it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from tests.platform.conftest import OTHER_OPERATOR
from tests.web.scenes import Scene

from tapwatt.ocpp.commands import Command, CommandAnswer, CommandAnswered, CommandStatus
from tapwatt.platform import seed
from tapwatt.platform.station_commands import NotThere, Refused, SenselessCommand, Silent
from tapwatt.web.app import build_app

RESET = {"action": "Reset", "payload": {"type": "Soft"}}


class Line:
    """The stations' sockets, as told."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Command]] = []
        self.answer: Callable[[], CommandAnswer] = lambda: CommandAnswered(status=CommandStatus.ACCEPTED)

    async def send(self, station_id: str, command: Command) -> CommandAnswer:
        self.asked.append((station_id, command))
        return self.answer()


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
async def api(scene: Scene, line: Line) -> AsyncIterator[httpx.AsyncClient]:
    await scene.database.write(lambda tx: seed._operator(tx, OTHER_OPERATOR, 0))
    application = build_app(
        database=scene.database,
        engine=scene.engine,
        operator_id="demo",
        now_ms=scene.now_ms,
        chance=scene.random,
        public_url=lambda: "http://127.0.0.1:8080",
        health=dict,
        send=line.send,
    )
    transport = httpx.ASGITransport(application, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080/api/v1") as client:
        yield client


async def test_another_operators_station_is_neither_shown_nor_commanded(
    api: httpx.AsyncClient, line: Line
) -> None:
    assert (await api.get("/stations/CS9")).status_code == 404
    assert (await api.post("/stations/CS9/commands", json=RESET)).status_code == 404
    assert line.asked == []
    shown = (await api.get("/stations/CS1")).json()
    assert (shown["station_id"], shown["configuration"], shown["transfers"]) == ("CS1", [], [])
    assert "operator_id" not in shown


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (NotThere("CS1 is not connected"), 409),
        (Refused("CS1 answers with an error"), 502),
        (Silent("CS1 said nothing"), 504),
        (SenselessCommand("1.6 cannot say it"), 422),
    ],
)
async def test_each_failure_has_its_code(
    api: httpx.AsyncClient, line: Line, problem: Exception, code: int
) -> None:
    def fail() -> CommandAnswer:
        raise problem

    line.answer = fail
    answer = await api.post("/stations/CS1/commands", json=RESET)
    assert (answer.status_code, answer.json()["error"]) == (code, str(problem))


async def test_a_word_nobody_knows_is_passed_on(api: httpx.AsyncClient, line: Line) -> None:
    line.answer = lambda: CommandAnswered(status=CommandStatus.UNKNOWN, raw="Perhaps")
    assert (await api.post("/stations/CS1/commands", json=RESET)).json() == {"status": "Perhaps"}


@pytest.mark.parametrize(
    "body", [{}, {"action": 1}, {"action": "Reset", "payload": []}, {"action": "x" * 51}]
)
async def test_a_senseless_body_is_refused(api: httpx.AsyncClient, line: Line, body: object) -> None:
    assert (await api.post("/stations/CS1/commands", json=body)).status_code == 422
    assert line.asked == []


async def test_without_a_line_to_the_stations(web: httpx.AsyncClient) -> None:
    assert (await web.post("/api/v1/stations/CS1/commands", json=RESET)).status_code == 503
