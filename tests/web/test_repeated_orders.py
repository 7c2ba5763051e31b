"""Orders sent again under their key: done once, answered the same, whichever order it is."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.web.scenes import CURVE, Scene
from tests.web.serving import site_at, web_side
from tests.web.test_meter_keys import GIVEN

from tapwatt.ocpp.commands import Command, CommandAnswer, CommandAnswered, CommandStatus
from tapwatt.platform import idempotency
from tapwatt.platform.station_commands import NotThere, Silent
from tapwatt.store import Transaction, UnableToStore

KEY = {"Idempotency-Key": "order-1"}
RESET = {"action": "Reset", "payload": {"type": "Soft"}}
COMMANDS = "/api/v1/stations/CS1/commands"


@pytest.fixture
async def scene(tmp_path: Path, database_url: str) -> AsyncIterator[Scene]:
    """A site on each engine."""
    async with site_at(tmp_path, database_url=database_url) as scene:
        yield scene


async def orders(scene: Scene, web: httpx.AsyncClient) -> list[tuple[str, str, Any, int]]:
    """One order of each kind that a session, receipt, alarm, key, tariff, token or webhook takes."""
    await scene.opens()
    closed = await scene.visit(1, *CURVE)
    doubtful = await scene.review(1)
    running, _, _ = await scene.charging(2, 100)
    receipt = (await web.get("/api/v1/receipts")).json()["receipts"][-1]["number"]
    alarm = (await web.get("/api/v1/alarms")).json()["alarms"][0]["key"]
    hook = {"url": "http://127.0.0.1:1/", "events": ["session.closed"]}
    kept = (await web.post("/api/v1/webhooks", json=hook)).json()["webhook_id"]
    simple = {"tariff_id": "NEW", "kwh": "0.49"}
    return [
        ("POST", f"sessions/{running}/stop", None, 202),
        ("POST", f"sessions/{closed}/notes", {"text": "seen"}, 201),
        ("POST", f"sessions/{doubtful}/decide", {"amount_minor": 0, "why": "no proof"}, 202),
        ("POST", f"receipts/{receipt}/credit", {"amount_minor": 100, "why": "cable broken"}, 201),
        ("POST", f"alarms/{alarm}/acknowledge", {}, 200),
        ("POST", "meter-keys", GIVEN, 201),
        ("POST", "simple-tariffs", simple, 201),
        ("POST", "tariffs/NEW/versions/1/publish", {"accept": "tried and wanted"}, 200),
        ("PUT", "stations/CS1/tariff", {"tariff_id": "NEW"}, 200),
        ("POST", "tokens", {"name": "one", "scopes": ["read"]}, 201),
        ("POST", "webhooks", hook, 201),
        ("PUT", f"webhooks/{kept}", {**hook, "state": "off"}, 200),
        ("POST", f"webhooks/{kept}/secret", None, 200),
        ("POST", f"webhooks/{kept}/test", None, 202),
    ]


async def test_every_order_is_carried_out_once(scene: Scene, web: httpx.AsyncClient) -> None:
    for method, path, body, status in await orders(scene, web):
        address = f"/api/v1/{path}"
        first = await web.request(method, address, json=body, headers=KEY)
        assert first.status_code == status, (path, first.text)
        assert "idempotency-replayed" not in first.headers
        before = await counted(scene)
        again = await web.request(method, address, json=body, headers=KEY)
        assert (again.status_code, again.headers.get("idempotency-replayed")) == (status, "true"), path
        hidden = {"tokens": "token", "webhooks": "secret", "secret": "secret"}.get(path.rpartition("/")[2])
        assert again.json() == ({**first.json(), hidden: None} if hidden else first.json())
        assert await counted(scene) == before, path
        other = await web.request(method, f"{address}?x=1", json=body, headers=KEY)
        assert (other.status_code, "stands for another order" in other.json()["detail"]) == (422, True)


async def counted(scene: Scene) -> dict[str, int]:
    """How many rows every table has."""
    from sqlalchemy import func, select

    from tapwatt.platform.tables import METADATA

    def count(tx: Transaction) -> dict[str, int]:
        found = {}
        for table in METADATA.sorted_tables:
            row = tx.one(select(func.count().label("n")).select_from(table))
            found[table.name] = row.n if row else 0
        return found

    await scene.settle()
    return await scene.database.read(count)


async def test_a_refusal_is_not_kept(scene: Scene, web: httpx.AsyncClient) -> None:
    missing = await web.post("/api/v1/sessions/nobody/notes", json={"text": "x"}, headers=KEY)
    assert missing.status_code == 404
    await scene.opens()
    session_id = await scene.visit(1, 100)
    answer = await web.post(f"/api/v1/sessions/{session_id}/notes", json={"text": "x"}, headers=KEY)
    assert answer.status_code == 201


async def test_two_at_once_are_one(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.opens()
    session_id = await scene.visit(1, 100)
    asked = [
        web.post(f"/api/v1/sessions/{session_id}/notes", json={"text": "x"}, headers=KEY) for _ in range(5)
    ]
    answers = await asyncio.gather(*asked)
    assert {answer.status_code for answer in answers} == {201}
    assert len((await web.get(f"/api/v1/sessions/{session_id}/notes")).json()["notes"]) == 1


async def test_an_answer_is_forgotten_after_a_week(scene: Scene, web: httpx.AsyncClient) -> None:
    body = {"name": "one", "scopes": ["read"]}
    await web.post("/api/v1/tokens", json=body, headers=KEY)
    scene.at_ms += idempotency.KEPT_MS
    other = await web.post("/api/v1/tokens", json={**body, "name": "two"}, headers=KEY)
    assert (other.status_code, other.json()["name"]) == (201, "two")
    assert (await counted(scene))["idempotency"] == 1


async def test_an_effect_without_its_answer_is_no_effect(
    scene: Scene, web: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"name": "one", "scopes": ["read"]}

    def dies(*_: Any) -> Any:
        raise UnableToStore("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(idempotency, "keep", dies)
        assert (await web.post("/api/v1/tokens", json=body, headers=KEY)).status_code == 503
    assert (await web.get("/api/v1/tokens")).json()["tokens"] == []
    assert (await web.post("/api/v1/tokens", json=body, headers=KEY)).status_code == 201


class Line:
    """A station that answers as it is told."""

    def __init__(self) -> None:
        self.asked: list[Command] = []
        self.fails: Exception | None = None

    async def send(self, station_id: str, command: Command) -> CommandAnswer:
        self.asked.append(command)
        if self.fails is not None:
            raise self.fails
        return CommandAnswered(status=CommandStatus.ACCEPTED)


@pytest.mark.parametrize(
    ("fails", "statuses", "sent"),
    [
        (None, [200, 200], 1),
        (NotThere("CS1 is not connected"), [409, 409], 2),
        (Silent("CS1 did not answer"), [504, 409], 1),
        (RuntimeError("the program breaks"), [500, 409], 1),
    ],
)
async def test_a_command_whose_outcome_is_not_known_is_never_sent_again(
    scene: Scene, fails: Exception | None, statuses: list[int], sent: int
) -> None:
    line = Line()
    line.fails = fails
    transport = httpx.ASGITransport(web_side(scene, send=line.send), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as web:
        answers = [await web.post(COMMANDS, json=RESET, headers=KEY) for _ in range(2)]
    assert [answer.status_code for answer in answers] == statuses
    assert len(line.asked) == sent
    if sent == 1 and fails is not None:
        assert "its outcome is not known" in answers[1].json()["detail"]
