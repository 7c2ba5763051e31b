"""The API does what its OpenAPI document says: schemathesis asks a seeded platform over a socket.

Every operation is asked with values that the document allows and with values that it does not; each answer is
held against the document, in which here no field may be left unsaid. Ids that exist are put in for half of
the made-up ones, so that more than "there is none" is seen.
"""

import asyncio
import copy
import itertools
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance
from tests.web.scenes import CURVE, Scene
from tests.web.serving import serving, site_at
from tests.web.test_meter_keys import GIVEN

from tapwatt.ocpp.commands import Command, CommandAnswer, CommandAnswered, CommandStatus
from tapwatt.web.app import build_app

Json = dict[str, Any]
EXAMPLES = 20
JUDGED_BY_MEANING = {
    "PUT /api/v1/tariffs/{tariff_id}": "a tariff is judged by OCPI's rules, which name the place",
    "POST /api/v1/tariffs/lint": "the same",
    "POST /api/v1/simple-tariffs": "a currency must be one, a day must be in the calendar",
    "POST /api/v1/meter-keys": "a key must be a point of a known curve, and end after it begins",
    "POST /api/v1/meter-keys/{meter}/end": "the end must be after the beginning",
    "POST /api/v1/ocmf/verify": "a document must be OCMF",
    "POST /api/v1/stations/{station_id}/commands": "a payload is judged by OCPP's own schemas",
    "POST /api/v1/sessions/{session_id}/notes": "a card number is refused",
    "POST /api/v1/tokens": "a token's end must be later than now",
    "POST /api/v1/webhooks": "an address must be one, and plain http is for this machine alone",
    "PUT /api/v1/webhooks/{webhook_id}": "the same",
}
"""Where a value can be well-formed and yet senseless, and why: 422 is the true answer there."""
KNOWN: dict[str, list[str]] = {}
"""Ids that the seeded platform has, by parameter."""


async def seed_a_day(scene: Scene) -> None:
    """Sessions in several states, a receipt, an alarm, a note and a meter key."""
    await scene.opens()
    await scene.visit(1, *CURVE)
    await scene.declined(1)
    await scene.review(1)
    await scene.charging(2, 100, 150)
    await scene.status("preparing", 1)
    await scene.settle()


async def _accepts(station_id: str, command: Command) -> CommandAnswer:
    return CommandAnswered(status=CommandStatus.ACCEPTED)


async def note_ids(url: str) -> None:
    """Fill in the ids."""
    async with httpx.AsyncClient(base_url=f"{url}/api/v1") as api:
        await api.post("/meter-keys", json=GIVEN)
        sessions = (await api.get("/sessions")).json()["sessions"]
        KNOWN["session_id"] = [each["session_id"] for each in sessions]
        for session_id in KNOWN["session_id"]:
            await api.post(f"/sessions/{session_id}/notes", json={"text": "seen"})
        KNOWN["number"] = [each["number"] for each in (await api.get("/receipts")).json()["receipts"]]
        KNOWN["key"] = [each["key"] for each in (await api.get("/alarms")).json()["alarms"]]
        KNOWN["tariff_id"] = [each["tariff_id"] for each in (await api.get("/tariffs")).json()["tariffs"]]
        hook = {"url": "http://127.0.0.1:1/in", "events": ["session.closed", "alarm.raised"]}
        KNOWN["webhook_id"] = [(await api.post("/webhooks", json=hook)).json()["webhook_id"]]
        tested = await api.post(f"/webhooks/{KNOWN['webhook_id'][0]}/test")
        KNOWN["event_id"] = [tested.json()["event_id"]]
        KNOWN.update(station_id=["CS1"], terminal_id=["T1"], meter=[GIVEN["meter"]], version=["1"])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The application on a socket, in a thread of its own; its address."""
    ready, address, stop = threading.Event(), [""], asyncio.Event()
    loop = asyncio.new_event_loop()

    async def run(folder: Path) -> None:
        async with site_at(folder) as scene:
            await seed_a_day(scene)
            async with serving(scene, send=_accepts) as url:
                await note_ids(url)
                address[0] = url
                ready.set()
                await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(tmp_path_factory.mktemp("site")),))
    thread.start()
    assert ready.wait(30)
    yield address[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(30)
    loop.close()


def _closed(document: Json) -> Json:
    """No answer has a field that the document does not name."""
    closed = copy.deepcopy(document)
    for name, shape in closed["components"]["schemas"].items():
        if "properties" in shape and name not in ("Problem",):
            shape.setdefault("additionalProperties", False)
    return closed


def _document() -> Json:
    """The document, which needs no platform behind the routes."""
    nothing: Any = SimpleNamespace(subscribe=lambda listener: None)
    web = build_app(
        database=nothing,
        engine=nothing,
        operator_id="demo",
        now_ms=lambda: 0,
        chance=bytes,
        public_url=str,
        health=dict,
    )
    document: Json = json.loads(json.dumps(web.app.openapi()))
    return document


schema = schemathesis.openapi.from_dict(_closed(_document()))


def _with_known(case: Case[Any], place: int) -> None:
    """Put an id that exists in the place of a made-up one."""
    for name in case.path_parameters or {}:
        if name in KNOWN:
            known = KNOWN[name]
            case.path_parameters[name] = known[place % len(known)]


def _with_own(case: Case[Any], place: int) -> None:
    """A cursor is what a list gave and a key stands for one order: no schema can say that."""
    (case.query or {}).pop("cursor", None)
    if case.headers and case.headers.get("Idempotency-Key"):
        case.headers["Idempotency-Key"] = f"order-{place}"


def _allowed(case: Case[Any]) -> bool:
    return case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE


COUNT = itertools.count()


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_described(served: str, case: Case[Any]) -> None:
    place = next(COUNT)
    if _allowed(case):
        _with_own(case, place)
        if place % 2:
            _with_known(case, place)
    excluded: list[Any] = [positive_data_acceptance] if case.operation.label in JUDGED_BY_MEANING else []
    answer = case.call_and_validate(base_url=served, excluded_checks=excluded)
    assert answer.status_code < 500
