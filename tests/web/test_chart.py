"""The sequence chart: which messages are a session's, how two ends become one arrow, what the page shows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.web.charts import CYCLE, RRN, Wires, host_rows, told
from tests.web.scenes import CURVE, NOON_MS, Scene

from tapwatt.web.chart.arrows import COLUMNS, LOST_AFTER_MS, arrows, payments
from tapwatt.web.chart.drawing import ARROWS_MAX, chart_page
from tapwatt.web.chart.own import Facts, of_session

Json = dict[str, Any]
LATER_MS = NOON_MS + LOST_AFTER_MS + 1_000
FOUND: Json = {"events": [], "opened_ms": NOON_MS}
KNOWN = Facts(
    session_id="S1",
    evse_id=2,
    transaction_id="7",
    tokens=frozenset({"TW1"}),
    cards=frozenset({"tok"}),
    texts=frozenset({("Approved",)}),
    in_doubt=False,
)


def row(number: int, wire: str, name: str, **more: Any) -> Json:
    """One of the platform's traces."""
    plain = {
        "id": number, "at_ms": NOON_MS + number, "direction": "received", "wire": wire, "peer": "CS1",
        "name": name, "amount_minor": None, "currency": "", "mark": "", "reference": "", "life_cycle": "",
        "key": "", "link": f"m{number}", "fields": {},
    }  # fmt: skip
    return {**plain, **more}


@pytest.mark.parametrize(
    ("wire", "name", "more", "kept"),
    [
        ("ocpp", "StatusNotification", {"fields": {"connectorId": 2}}, True),
        ("ocpp", "StatusNotification", {"fields": {"connectorId": 1}}, False),
        ("ocpp", "MeterValues", {"fields": {"connectorId": 2, "transactionId": 7}}, True),
        ("ocpp", "MeterValues", {"fields": {"connectorId": 2, "transactionId": 6}}, False),
        ("ocpp", "StopTransaction", {"fields": {"transactionId": 7}}, True),
        ("ocpp", "StopTransaction", {"fields": {"transactionId": -1, "idTag": "TW1"}}, True),
        ("ocpp", "RemoteStartTransaction", {"fields": {"idTag": "TW1", "connectorId": 2}}, True),
        ("ocpp", "BootNotification", {"fields": {"chargePointModel": "X"}}, False),
        ("ocpp", "DataTransfer", {"fields": {"data": '{"transactionId": 7, "cost": 1}'}}, True),
        ("ocpp", "DataTransfer", {"fields": {"data": "{}"}}, False),
        ("uplink", "Operate capture", {"key": "S1.p2"}, True),
        ("uplink", "Operate capture", {"key": "S12.p2"}, False),
        ("uplink", "CardPresented", {"fields": {"token": "tok"}}, True),
        ("uplink", "CardPresented", {"fields": {"token": "other"}}, False),
        ("uplink", "Show", {"fields": {"lines": ["Approved", ""]}}, True),
        ("uplink", "Show", {"fields": {"lines": ["Approved", "http://x/d/receipts/A"]}}, True),
        ("uplink", "Show", {"fields": {"lines": ["Declined"]}}, False),
        ("uplink", "TerminalReported", {"fields": {}}, False),
        ("zvt", "06 22 preauthorisation", {"key": "S1.p1"}, True),
        ("zvt", "06 22 preauthorisation", {"key": "S2.p1"}, False),
        ("zvt", "06 E0 display text", {"fields": {"line_1": "Approved"}}, True),
        ("zvt", "06 23 open holds?", {}, False),
    ],
)
def test_a_message_belongs_to_the_session_it_names(wire: str, name: str, more: Json, kept: bool) -> None:
    assert bool(of_session([row(1, wire, name, **more)], KNOWN)) is kept


def test_an_answer_goes_with_its_question() -> None:
    asked = row(1, "ocpp", "StatusNotification", fields={"connectorId": 2})
    answered = row(2, "ocpp", "StatusNotification.conf", direction="sent", link="m1")
    other = row(3, "ocpp", "StatusNotification.conf", direction="sent", link="m9")
    assert [each["id"] for each in of_session([asked, answered, other], KNOWN)] == [1, 2]


def test_the_reading_of_a_card_is_the_one_before_it_was_told() -> None:
    rows = [
        row(1, "zvt", "06 C0 read card", direction="sent"),
        row(2, "zvt", "80 00 understood"),
        row(3, "zvt", "04 0F status information"),
        row(4, "uplink", "CardPresented", fields={"token": "tok"}),
        row(5, "zvt", "06 C0 read card", direction="sent"),
    ]
    assert [each["id"] for each in of_session(rows, KNOWN)] == [1, 2, 3, 4]


def test_open_holds_are_asked_for_only_where_there_was_doubt() -> None:
    asked = [row(1, "zvt", "06 23 open holds?")]
    assert of_session(asked, replace(KNOWN, in_doubt=True)) == asked


def test_both_ends_of_a_wire_are_one_arrow() -> None:
    drawn = arrows(FOUND, [], told(), now_ms=LATER_MS)
    assert [(arrow["from"], arrow["to"]) for arrow in drawn[:4]] == [
        ("terminal", "gateway"), ("gateway", "acquirer"), ("acquirer", "scheme"), ("scheme", "issuer"),
    ]  # fmt: skip
    hop = drawn[1]
    assert (hop["seen_by"], hop["arrived_ms"] - hop["at_ms"], hop["lost"]) == (
        ["gateway", "acquirer"],
        2,
        False,
    )
    assert [arrow["number"] for arrow in drawn] == list(range(1, len(drawn) + 1))
    assert payments(drawn) == [{"life_cycle": CYCLE, "rrn": RRN, "messages": 8}]
    assert {arrow["currency"] for arrow in drawn} == {"EUR"}


def test_what_the_receiver_never_saw_was_lost_but_not_before_it_can_be_known() -> None:
    rows = told()
    rows["acquirer"] = [each for each in rows["acquirer"] or [] if each["peer"] != "gateway"]
    late = arrows(FOUND, [], rows, now_ms=LATER_MS)
    assert [arrow["lost"] for arrow in late if arrow["to"] == "acquirer" and arrow["from"] == "gateway"] == [
        True
    ]
    soon = arrows(FOUND, [], rows, now_ms=NOON_MS + 10)
    assert not any(arrow["lost"] for arrow in soon)


def test_a_host_that_does_not_answer_has_lost_nothing() -> None:
    rows = {**told(), "acquirer": None}
    drawn = arrows(FOUND, [], rows, now_ms=LATER_MS)
    assert not any(arrow["lost"] for arrow in drawn)
    assert ("gateway", "acquirer") in {(arrow["from"], arrow["to"]) for arrow in drawn}
    assert ("acquirer", "scheme") in {(arrow["from"], arrow["to"]) for arrow in drawn}, (
        "the scheme saw it come"
    )


def test_repeats_are_arrows_of_their_own() -> None:
    first = host_rows("gateway", "0220", peer="acquirer", direction="sent")
    rows: dict[str, list[Json] | None] = {host: [] for host in ("gateway", "acquirer", "scheme", "issuer")}
    again = {
        **first,
        "id": 99,
        "at_ms": NOON_MS + 500,
        "name": "0221 completion advice repeat",
        "mark": "repeat",
    }
    drawn = arrows(FOUND, [], {**rows, "gateway": [first, again]}, now_ms=LATER_MS)
    assert [(arrow["name"][:4], arrow["mark"], arrow["lost"]) for arrow in drawn] == [
        ("0220", "", True), ("0221", "repeat", True),
    ]  # fmt: skip


def test_silence_is_drawn_from_the_one_who_kept_it() -> None:
    silence = host_rows("scheme", "0100", peer="issuer", direction="awaited", mark="unanswered")
    drawn = arrows(FOUND, [], {"scheme": [silence]}, now_ms=LATER_MS)
    assert (drawn[0]["from"], drawn[0]["to"], drawn[0]["name"]) == ("issuer", "scheme", "no answer to 0100")
    assert drawn[0]["lost"]


def test_a_page_is_bounded_and_says_what_it_leaves_out() -> None:
    readings = [row(n, "ocpp", "MeterValues", fields={"connectorId": 2}) for n in range(1, 400)]
    drawn = arrows(FOUND, readings, {}, now_ms=LATER_MS)
    page = chart_page({}, {"arrows": drawn, "payments": [], "parties": {}})
    assert (len(page["rows"]), page["left_out"]) == (2, 397)
    many = [row(n, "ocpp", "StatusNotification", fields={"connectorId": 2}) for n in range(1, 400)]
    page = chart_page({}, {"arrows": arrows(FOUND, many, {}, now_ms=LATER_MS), "payments": [], "parties": {}})
    assert (len(page["rows"]), page["left_out"]) == (ARROWS_MAX, 399 - ARROWS_MAX)


async def test_the_page_shows_every_party_and_stays_small(scene: Scene, tmp_path: Path) -> None:
    await scene.opens()
    session_id = await scene.visit(1, *CURVE)
    async with Wires(scene) as wires:
        await wires.tell(session_id)
        answer = await wires.web.get(f"/sessions/{session_id}/chart")
        assert answer.status_code == 200
        assert len(answer.content) < 100_000
        for column in COLUMNS:
            assert f">{column}</text>" in answer.text
        assert "<script" in answer.text
        assert "style=" not in answer.text
        for fact in ("0100 authorisation request", "411111******1111", "retrieval reference number", CYCLE):
            assert fact in answer.text, fact
        chart = (await wires.web.get(f"/api/v1/sessions/{session_id}/chart")).json()
        assert chart["parties"] == dict.fromkeys(("gateway", "acquirer", "scheme", "issuer"), True)
        assert {"ocpp", "zvt", "uplink", "iso8583", ""} == {arrow["wire"] for arrow in chart["arrows"]}
        times = [arrow["at_ms"] for arrow in chart["arrows"]]
        assert times == sorted(times)


async def test_a_page_comes_even_when_no_host_answers(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.opens()
    session_id = await scene.visit(1, 44)
    page = await web.get(f"/sessions/{session_id}/chart")
    assert page.status_code == 200
    assert "These do not answer: gateway, acquirer, scheme, issuer." in page.text
    chart = (await web.get(f"/api/v1/sessions/{session_id}/chart")).json()
    assert set(chart["parties"].values()) == {False}


async def test_what_answers_at_a_hosts_port_may_be_anybody(scene: Scene) -> None:
    await scene.opens()
    session_id = await scene.visit(1, 44)
    for body in (b"[1, 2]", b"{}", b"<html>", b'[{"id": 1}]', json.dumps([{"id": "x"}]).encode()):
        async with Wires(scene, answer=body) as wires:
            chart = (await wires.web.get(f"/api/v1/sessions/{session_id}/chart")).json()
            assert set(chart["parties"].values()) == {False}, body


async def test_an_unknown_session_has_no_chart(web: httpx.AsyncClient) -> None:
    for path in ("/sessions/S0/chart", "/api/v1/sessions/S0/chart", "/live/sessions/S0/chart"):
        assert (await web.get(path)).status_code == 404, path


async def test_the_followed_payment_can_be_chosen(scene: Scene) -> None:
    await scene.opens()
    session_id = await scene.visit(1, 44)
    async with Wires(scene) as wires:
        await wires.tell(session_id)
        page = (await wires.web.get(f"/sessions/{session_id}/chart?payment=nonsense")).text
        assert 'class="iso8583 paid"' in page
        assert "Followed payment" in page
