"""A session's history in plain words: what happened, what was asked of whom, and what each party says of the
money.

Built from the platform's own rows only. Gateway, acquirer and issuer keep books of their own, at their own
ports.
"""

from collections.abc import Iterable
from typing import Any

from tapwatt.pages.catalogue import translator
from tapwatt.pages.written import kwh, money
from tapwatt.web.sentences import in_words

Json = dict[str, Any]
READING = "Metered"
FACT_CHARACTERS_MAX = 120

HAPPENED = {
    "Offered": "Session offered",
    "CardPresented": "Card held to the terminal",
    "AccountPresented": "Tag presented",
    "PluggedIn": "Car plugged in",
    "HoldChosen": "Driver chose the hold",
    "Suspended": "Car asks for no power",
    "Resumed": "Car takes power again",
    "Unplugged": "Car unplugged",
    "Approved": "Hold approved",
    "Declined": "Payment declined",
    "Aborted": "Payment broken off",
    "NotSent": "Payment message not sent",
    "Silent": "No answer about the payment",
    "FoundOpen": "Hold found open",
    "FoundNone": "No hold found",
    "CannotAsk": "Nobody can be asked",
    "StartAccepted": "Station will start",
    "StartRefused": "Station refused to start",
    "StartUncertain": "Station did not say whether it starts",
    "Started": "Charging started",
    "Metered": "Meter reading",
    "StopAsked": "Stop asked for",
    "StopAccepted": "Station will stop",
    "StopRefused": "Station refused to stop",
    "Stopped": "Charging stopped",
    "Captured": "Amount captured",
    "AlreadyCaptured": "Amount had been captured before",
    "CaptureRefused": "Capture refused",
    "Released": "Hold released",
    "ReleaseRefused": "Release refused",
    "VoidWanted": "Void wanted",
    "Voided": "Capture undone",
    "VoidRefused": "Void refused",
    "RefundWanted": "Refund wanted",
    "Refunded": "Refunded",
    "RefundRefused": "Refund refused",
    "HoldExpiring": "Hold about to expire",
    "Decided": "A person decided",
    "Ticked": "Time limit reached",
}
ASKED = {
    "Authorise": "Ask for a hold",
    "Increase": "Ask for a higher hold",
    "Capture": "Capture",
    "Release": "Give the hold back",
    "Refund": "Refund",
    "Void": "Undo the capture",
    "Ask": "Ask what became of it",
    "StartCharging": "Ask the station to start",
    "AskReading": "Ask the station for a reading",
    "StopCharging": "Ask the station to stop",
    "SendCost": "Show the cost on the station",
    "ShowOnTerminal": "Show to the driver",
    "Post": "Book",
    "IssueReceipt": "Issue the receipt",
    "Notify": "Raise an alarm",
}
MONEY = ("Authorise", "Increase", "Capture", "Refund", "Void")
LABELLED = {
    "transaction_id": "transaction {}",
    "account_id": "account {}",
    "code": "code {}",
    "text": "{}",
    "cause": "cause {}",
    "by": "by the {}",
    "why": "{}",
    "doubt": "in doubt: {}",
    "receipt": "receipt {}",
    "trace": "trace {}",
    "approval_code": "approval {}",
}
"""What an event's body says that a reader wants, and how it is said."""
PHRASES = (
    "register {} kWh", "through the {}", "{}, connector {}", "{} in the end", "{}, transaction {}", "card",
)  # fmt: skip
"""Other pieces of a line; those with a gap are filled in the reader's language."""
say, _ = translator("tapwatt.web")


def timeline(found: Json) -> list[Json]:
    """Events in order, each with what it asked for; meter readings that follow each other are one line."""
    asked: dict[int, list[Json]] = {}
    for effect in found["effects"]:
        asked.setdefault(effect["version"], []).append(effect_line(effect, found["currency"]))
    lines: list[Json] = []
    for event in found["events"]:
        line = event_line(event, found["currency"])
        line["effects"] = asked.get(event["version"], []) if event["version"] is not None else []
        if lines and line["reading"] and lines[-1]["reading"]:
            _add_reading(lines[-1], line)
        else:
            lines.append(line)
    return lines


def event_line(event: Json, currency: str) -> Json:
    """One event as a line of the timeline."""
    changed = event["after"] if event["before"] != event["after"] and not event["refused"] else None
    return {
        "at_ms": event["at_ms"],
        "title": HAPPENED.get(event["kind"], event["kind"]),
        "facts": _facts(event["body"], currency),
        "state": changed,
        "refused": event["refused"],
        "reading": event["kind"] == READING and not event["refused"] and changed is None,
        "readings": 1,
        "version": event["version"],
    }


def effect_line(effect: Json, currency: str) -> Json:
    """One effect: what was asked of whom, and whether it is done."""
    return {
        "title": ASKED.get(effect["kind"], effect["kind"]),
        "facts": _asked_facts(effect["kind"], effect["body"], currency),
        "done_ms": effect["done_ms"],
        "attempts": effect["attempts"],
        "last_error": effect["last_error"],
    }


def money_at_parties(found: Json) -> list[Json]:
    """What each party that the platform hears of says was authorised, captured and released.

    The terminal's (or account's) row comes from its own outcomes alone, so that it can disagree with ours.
    """
    rows = [_amounts("Session", found), _amounts("Ledger", found["ledger"])]
    raises = {effect["body"]["key"] for effect in found["effects"] if effect["kind"] == "Increase"}
    told = _told(found["events"], raises)
    if told is not None:
        rows.append({"party": f"{found['leader'] or 'payment'} said".capitalize(), **told})
    return rows


def _told(events: Iterable[Json], raises: set[str]) -> Json | None:
    """The sums of what the payment's leader answered; `raises` are the keys whose approval adds to a hold."""
    told: Json | None = None
    for event in events:
        body, kind = event["body"], event["kind"]
        if event["refused"]:
            continue
        if kind in ("Approved", "FoundOpen") and body.get("amount_minor") is not None:
            held = told["authorised_minor"] if told and body["key"] in raises else 0
            held += body["amount_minor"]
            told = {"authorised_minor": held, "captured_minor": 0, "released_minor": 0}
        elif told and kind in ("Captured", "AlreadyCaptured"):
            rest = told["authorised_minor"] - body["amount_minor"]
            told = {**told, "captured_minor": body["amount_minor"], "released_minor": max(0, rest)}
        elif told and kind == "Released":
            told = {**told, "released_minor": told["authorised_minor"]}
    return told


def _amounts(party: str, of: Json) -> Json:
    return {"party": party, **{n: of[n] for n in ("authorised_minor", "captured_minor", "released_minor")}}


def _add_reading(line: Json, more: Json) -> None:
    line["readings"] += 1
    line["at_ms"] = more["at_ms"]
    line["facts"] = more["facts"]
    # Of what was shown to the driver meanwhile, only the newest counts; what is not done yet always does.
    waiting = [effect for effect in line["effects"] if effect["done_ms"] is None]
    line["effects"] = [*waiting, *more["effects"]]


def _facts(body: Json, currency: str) -> list[str]:
    facts = []
    if body.get("amount_minor") is not None:
        facts.append(money(body["amount_minor"], currency))
    if body.get("brand") or body.get("last_four"):
        brand = (body.get("brand") or say("card")).capitalize()
        facts.append(f"{brand} …{body.get('last_four') or '????'}")
    if body.get("register_wh") is not None:
        facts.append(say("register {} kWh").format(kwh(body["register_wh"])))
    facts += [
        say(said).format(_cut(in_words(str(body[name])))) for name, said in LABELLED.items() if body.get(name)
    ]
    return facts


def _asked_facts(kind: str, body: Json, currency: str) -> list[str]:
    if kind in MONEY:
        return [money(body["amount_minor"], currency), say("through the {}").format(say(body["leader"]))]
    match kind:
        case "ShowOnTerminal":
            return [_cut(" / ".join(line for line in body["lines"] if line))]
        case "Post":
            posting = body["posting"]
            amount_minor = abs(posting["entries"][0]["amount_minor"])
            return [say(posting["kind"]), money(amount_minor, posting["currency"])]
        case "StartCharging":
            return [say("{}, connector {}").format(body["station_id"], body["evse_id"])]
        case "AskReading":
            return [say("{}, connector {}").format(body["station_id"], body["evse_id"])]
        case "SendCost":
            cost = money(body["amount_minor"], body["currency"])
            return [body["station_id"], say("{} in the end").format(cost) if body["final"] else cost]
        case "StopCharging":
            return [say("{}, transaction {}").format(body["station_id"], body["transaction_id"])]
        case "Notify":
            return [_cut(in_words(body["text"]))]
        case _:
            return []


def _cut(text: object) -> str:
    whole = str(text)
    return whole if len(whole) <= FACT_CHARACTERS_MAX else whole[:FACT_CHARACTERS_MAX] + "…"
