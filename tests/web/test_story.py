"""The session's history in words: every event and effect has some, and parties can disagree."""

import dataclasses
from typing import Any

from tapwatt.core.effects import EFFECTS
from tapwatt.core.events import EVENTS
from tapwatt.web.console import MESSAGE_CHARACTERS_MAX, STEPS_MAX, board_page, session_page
from tapwatt.web.story import ASKED, HAPPENED, LABELLED, money_at_parties, timeline


def event(kind: str, version: int | None = 1, **more: Any) -> dict[str, Any]:
    told = {"kind": kind, "version": version, "body": more.pop("body", {}), "before": "charging"}
    return {"after": "charging", "refused": None, "at_ms": 1000 * (version or 0), **told, **more}


def effect(kind: str, version: int, body: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "kind": kind, "lane": "money", "version": version, "body": {"key": "k", **body}, "attempts": 1,
        "done_ms": 1, "last_error": None, **more,
    }  # fmt: skip


def found(*events: dict[str, Any], effects: tuple[dict[str, Any], ...] = (), **more: Any) -> dict[str, Any]:
    zero = {"authorised_minor": 0, "captured_minor": 0, "released_minor": 0}
    base = {"currency": "EUR", "leader": "terminal", "events": list(events), "effects": list(effects)}
    return {**zero, **base, "ledger": {**zero, "postings": []}, "messages": [], **more}


def test_every_event_and_effect_has_words() -> None:
    assert set(HAPPENED) == {kind.__name__ for kind in EVENTS}
    assert set(ASKED) == {kind.__name__ for kind in EFFECTS}


def test_every_labelled_fact_is_a_field_of_some_event() -> None:
    fields = {field.name for kind in EVENTS for field in dataclasses.fields(kind)}
    assert set(LABELLED) <= fields


def test_meter_readings_that_follow_each_other_are_one_line() -> None:
    shown = effect("ShowOnTerminal", 3, {"lines": ["1.00 EUR", ""]})
    late = effect("ShowOnTerminal", 2, {"lines": ["0.50 EUR"]}, done_ms=None)
    lines = timeline(
        found(
            event("Started", 1),
            event("Metered", 2, body={"register_wh": 1000}),
            event("Metered", 3, body={"register_wh": 2500}),
            event("StopAsked", 4, body={"by": "operator"}),
            event("Metered", 5, body={"register_wh": 2600}),
            effects=(late, shown),
        )
    )
    assert [line["title"] for line in lines] == [
        "Charging started", "Meter reading", "Stop asked for", "Meter reading",
    ]  # fmt: skip
    assert lines[1]["facts"] == ["register 2.500 kWh"]
    assert [each["facts"] for each in lines[1]["effects"]] == [["0.50 EUR"], ["1.00 EUR"]]
    assert lines[2]["facts"] == ["by the operator"]


def test_a_reading_that_ends_the_session_is_a_line_of_its_own() -> None:
    lines = timeline(found(event("Metered", 1), event("Metered", 2, after="stopping")))
    assert [line["state"] for line in lines] == [None, "stopping"]


def test_a_refused_event_stands_there_with_its_reason() -> None:
    (line,) = timeline(found(event("Approved", None, refused="no row for it", body={"amount_minor": 5})))
    assert (line["refused"], line["state"], line["effects"]) == ("no row for it", None, [])


def test_a_posting_is_told_by_its_amount_not_by_both_its_sides() -> None:
    entries = [{"account": "hold", "amount_minor": -117}, {"account": "hold_contra", "amount_minor": 117}]
    posting = {"kind": "captured", "currency": "EUR", "entries": entries}
    (line,) = timeline(found(event("Captured"), effects=(effect("Post", 1, {"posting": posting}),)))
    assert line["effects"][0]["facts"] == ["captured", "1.17 EUR"]


def test_what_the_terminal_said_can_differ_from_our_row() -> None:
    approved = event("Approved", body={"key": "k", "amount_minor": 2500})
    captured = event("Captured", body={"key": "k", "amount_minor": 118})
    ours: dict[str, Any] = {"authorised_minor": 2500, "captured_minor": 117, "released_minor": 2383}
    rows = money_at_parties(found(approved, captured, **ours))
    assert rows[-1] == {
        "party": "Terminal said", "authorised_minor": 2500, "captured_minor": 118, "released_minor": 2382,
    }  # fmt: skip


def test_an_increase_adds_to_the_hold_and_a_release_gives_all_of_it_back() -> None:
    first = event("Approved", body={"key": "p1", "amount_minor": 2500})
    more = event("Approved", body={"key": "p2", "amount_minor": 1000})
    raised = effect("Increase", 1, {"key": "p2"})
    given_back = event("Released", body={"key": "p3"})
    raised_only = found(first, more, effects=(raised,))
    assert money_at_parties(raised_only)[-1]["authorised_minor"] == 3500
    assert money_at_parties(found(first, more, given_back, effects=(raised,)))[-1]["released_minor"] == 3500


def test_nothing_was_said_yet() -> None:
    assert [row["party"] for row in money_at_parties(found(event("Offered")))] == ["Session", "Ledger"]


def test_a_long_story_keeps_its_beginning_and_its_end() -> None:
    steps = [event("StopAsked", number) for number in range(500)]
    page = session_page(found(*steps), now_ms=0)
    assert (len(page["steps"]), page["steps_left_out"]) == (STEPS_MAX, 500 - STEPS_MAX)
    assert (page["steps"][0]["version"], page["steps"][-1]["version"]) == (0, 499)


def test_a_long_message_is_cut() -> None:
    said = {"action": "MeterValues", "verdict": "", "at_ms": 0, "body": {"x": "y" * 5000}}
    page = session_page(found(messages=[said] * 100), now_ms=0)
    assert len(page["messages"][0]["text"]) == MESSAGE_CHARACTERS_MAX + 1
    assert len(page["messages"]) < 100


def test_a_big_site_is_bounded_and_what_is_left_out_is_counted() -> None:
    connectors = [{"evse_id": number, "session": None} for number in range(3)]
    stations = [{"station_id": f"CS{n}", "connectors": connectors} for n in range(100)]
    page = board_page({"stations": stations, "terminals": [{}] * 30, "alarms": [{}] * 9})
    assert (len(page["stations"]), page["stations_left_out"]) == (30, 70)
    assert (page["terminals_left_out"], page["alarms_left_out"]) == (10, 1)
    assert all(connector["evse_id"] for each in page["stations"] for connector in each["connectors"])
