"""Frames of stations and edges as traces: named, marked, scrubbed, owned; what an edge tells is kept once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tapwatt.platform import seed
from tapwatt.platform.tables import METADATA, TRACES
from tapwatt.platform.wire_traces import EdgeTraces, FrameTraces, owner, session_traces
from tapwatt.rails.keys import forms
from tapwatt.store import Database
from tapwatt.traces import Direction, Mark, Trace, Wire
from tapwatt.uplink.messages import Traced, TracedMessage

SENT, RECEIVED, AWAITED = Direction.SENT, Direction.RECEIVED, Direction.AWAITED
PAN = "4111111111111111"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(f"sqlite:///{tmp_path}/p.sqlite", metadata=METADATA)
    await opened.write(lambda tx: seed.sow(tx, seed.sandbox(), now_ms=1))
    yield opened
    await opened.close()


def frame(*parts: Any) -> bytes:
    return json.dumps(parts).encode()


def drawn(frames: FrameTraces, direction: Direction, *parts: Any, peer: str = "CS1") -> Trace | None:
    return frames.draw(direction, peer, frame(*parts), 5)


def test_an_answer_is_named_after_its_question() -> None:
    frames = FrameTraces(Wire.OCPP)
    asked = drawn(frames, RECEIVED, 2, "m1", "StartTransaction", {"connectorId": 1, "idTag": "T"})
    answered = drawn(frames, SENT, 3, "m1", {"transactionId": 1, "idTagInfo": {"status": "Accepted"}})
    assert asked is not None
    assert answered is not None
    assert (asked.name, asked.direction, asked.link) == ("StartTransaction", RECEIVED, "m1")
    assert (answered.name, answered.mark, answered.link) == ("StartTransaction.conf", Mark.NONE, "m1")


@pytest.mark.parametrize(
    ("answer", "name", "mark"),
    [
        ((3, "m1", {"status": "Rejected"}), "RemoteStartTransaction.conf", Mark.REFUSED),
        ((3, "m1", {"idTagInfo": {"status": "Invalid"}}), "RemoteStartTransaction.conf", Mark.REFUSED),
        ((4, "m1", "NotSupported", "no", {}), "RemoteStartTransaction NotSupported", Mark.REFUSED),
        ((3, "m9", {}), "answer.conf", Mark.LATE),
    ],
)
def test_answers_are_marked(answer: tuple[Any, ...], name: str, mark: Mark) -> None:
    frames = FrameTraces(Wire.OCPP)
    drawn(frames, SENT, 2, "m1", "RemoteStartTransaction", {"idTag": "T"})
    told = drawn(frames, RECEIVED, *answer)
    assert told is not None
    assert (told.name, told.mark) == (name, mark)


def test_repeats_silence_and_garbage_are_marked() -> None:
    frames = FrameTraces(Wire.OCPP)
    call = (2, "m1", "StopTransaction", {"transactionId": 1})
    marks = [each.mark for _ in range(2) if (each := drawn(frames, RECEIVED, *call)) is not None]
    assert marks == [Mark.NONE, Mark.REPEAT]
    drawn(frames, SENT, 2, "m2", "TriggerMessage", {"connectorId": 1})
    silent = frames.draw(AWAITED, "CS1", b"m2", 6)
    assert silent is not None
    assert (silent.name, silent.mark, silent.fields) == ("TriggerMessage", Mark.UNANSWERED, {})
    garbage = frames.draw(RECEIVED, "CS1", b"\xff[", 6)
    assert garbage is not None
    assert garbage.mark is Mark.UNREADABLE


@pytest.mark.parametrize("action", ["Heartbeat", "Traced"])
def test_signs_of_life_are_not_traced(action: str) -> None:
    frames = FrameTraces(Wire.UPLINK)
    assert drawn(frames, RECEIVED, 2, "m1", action, {}) is None
    assert drawn(frames, SENT, 3, "m1", {"accepted": True}) is None


def test_an_operation_is_traced_with_its_key_amount_and_result() -> None:
    frames = FrameTraces(Wire.UPLINK)
    body = {"key": "S1.p1", "kind": "preauthorise", "amount_minor": 2500, "currency": "EUR", "reference": "R"}
    told = drawn(frames, SENT, 2, "m1", "Operate", body, peer="EDGE1")
    assert told is not None
    assert (told.name, told.key, told.amount_minor, told.reference) == (
        "Operate preauthorise",
        "S1.p1",
        2500,
        "R",
    )
    for result, mark in (("approved", Mark.NONE), ("declined", Mark.REFUSED), ("unknown", Mark.UNANSWERED)):
        outcome = drawn(frames, RECEIVED, 2, result, "Outcome", {**body, "result": result}, peer="EDGE1")
        assert outcome is not None
        assert outcome.mark is mark


def test_a_card_number_where_none_belongs_is_masked_and_a_time_is_not() -> None:
    """Masked as text, a time that passes the check of card numbers would make the JSON unreadable."""
    frames = FrameTraces(Wire.OCPP)
    body = {"data": f"card {PAN}", "n": int(PAN), PAN: "x", "list": [PAN], "deadline_ms": 4111111111116}
    told = drawn(frames, RECEIVED, 2, PAN, "DataTransfer", body)
    assert told is not None
    text = json.dumps(dict(told.fields)) + repr(told)
    assert [name for name, form in forms(PAN).items() if form.decode("latin-1") in text] == []
    assert told.fields["deadline_ms"] == 4111111111116


async def test_a_frame_is_its_stations_or_edges_operators(database: Database) -> None:
    for wire, peer, expected in (
        (Wire.OCPP, "CS1", "demo"),
        (Wire.UPLINK, "EDGE1", "demo"),
        (Wire.OCPP, "X", ""),
    ):
        each = Trace(at_ms=1, direction=SENT, wire=wire, peer=peer, name="x")
        assert await database.read(lambda tx, each=each: owner(tx, each)) == expected  # type: ignore[misc]


def message(number: int, **more: Any) -> TracedMessage:
    plain = TracedMessage(
        at_ms=10 + number, direction="sent", terminal_id="T1", wire="zvt", name=f"06 22 {number}", key="S1.p1"
    )
    return replace(plain, **more)


async def kept(database: Database, operator_id: str = "demo") -> list[dict[str, Any]]:
    return await database.read(
        lambda tx: session_traces(
            tx, operator_id=operator_id, station_id="CS1", terminal_id="T1", from_ms=0, until_ms=99
        )
    )


async def test_what_an_edge_tells_twice_is_kept_once(database: Database) -> None:
    traces = EdgeTraces(database, rows=100)
    first = Traced(run="1", number=0, messages=(message(0), message(1)))
    overlapping = Traced(run="1", number=1, messages=(message(1), message(2)))
    for told in (first, first, overlapping):
        assert (await traces.told("EDGE1", told)).accepted
    assert [row["name"] for row in await kept(database)] == ["06 22 0", "06 22 1", "06 22 2"]
    assert (await traces.told("EDGE1", replace(first, run="2"))).accepted
    assert len(await kept(database)) == 5


async def test_a_terminal_of_another_edge_belongs_to_nobody_and_is_seen_by_nobody(database: Database) -> None:
    traces = EdgeTraces(database, rows=100)
    await traces.told("EDGE9", Traced(run="1", number=0, messages=(message(0),)))
    assert await kept(database) == []
    await traces.told("EDGE1", Traced(run="1", number=0, messages=(message(0),)))
    assert await kept(database, "another operator") == []
    assert len(await kept(database)) == 1


async def test_nonsense_of_an_edge_is_kept_as_what_it_is(database: Database) -> None:
    traces = EdgeTraces(database, rows=100)
    odd = message(0, direction="up", mark="?", fields=f'{{"text": "{PAN}"')
    assert (await traces.told("EDGE1", Traced(run="1", number=0, messages=(odd,)))).accepted
    (row,) = await kept(database)
    assert (row["direction"], row["mark"]) == ("received", "")
    assert row["fields"] == {"unreadable": f"{len(odd.fields)} bytes"}
    many = Traced(run="1", number=1, messages=(message(1),) * 201)
    assert not (await traces.told("EDGE1", many)).accepted


async def test_keeping_nothing_takes_and_keeps_nothing(database: Database) -> None:
    told = Traced(run="1", number=0, messages=(message(0),))
    assert (await EdgeTraces(database, rows=0).told("EDGE1", told)).accepted
    assert await database.read(lambda tx: TRACES.of_reference(tx, reference="", most=9)) == []
