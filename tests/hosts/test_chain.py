"""Journeys of a payment through gateway, acquirer, scheme and issuer, on loopback, in plain words."""

from __future__ import annotations

import asyncio

import pytest
from tests.hosts.chain import Chain, SimTerminal, eventually

from tapwatt.rails.messages import amount_minor
from tapwatt.rails.mti import COMPLETION_REPEAT


async def test_a_payment_is_held_and_completed_and_every_party_says_the_same(
    chain: Chain, terminal: SimTerminal
) -> None:
    request = terminal.request(amount_minor=5000, reference="HAPPY")
    approved = await terminal.send(request)
    assert (approved.mti, approved.text(39), amount_minor(approved)) == ("0110", "00", 5000)
    assert approved.text(2) == request.text(2)
    assert approved.data(55)[:1] == b"\x91"
    assert len(approved.text(38)) == 6
    assert approved.text(63).startswith("N")

    completed = await terminal.send(terminal.completion(request, 1234))
    assert (completed.mti, completed.text(39)) == ("0230", "00")
    await chain.settled()
    assert set((await chain.money("HAPPY")).values()) == {("COMPLETED", 5000, 1234, 3766)}
    rows = [await chain.transaction(name, "HAPPY") for name in chain.running]
    assert {row["scheme_transaction"] for row in rows} == {approved.text(63)}
    assert {row["approval_code"] for row in rows} == {approved.text(38)}
    assert {row["currency"] for row in rows} == {"EUR"}
    assert {row["card"] for row in rows} == {"411111******1111"}


async def test_nothing_delivered_is_reversed_in_full(chain: Chain, terminal: SimTerminal) -> None:
    request = terminal.request(reference="BACK")
    assert await terminal.code(request) == "00"
    answer = await terminal.send(terminal.reversal(request))
    assert (answer.mti, answer.text(39)) == ("0430", "00")
    await chain.settled()
    assert set((await chain.money("BACK")).values()) == {("REVERSED", 5000, 0, 5000)}


@pytest.mark.parametrize(
    ("name", "amount", "code", "reason"),
    [
        ("visa-do-not-honour", 5000, "05", "the card is not to be honoured"),
        ("visa-unknown", 5000, "14", "no such card"),
        ("visa-low", 5000, "51", "less is available than was asked for"),
        ("visa-expired", 5000, "54", "the card has expired"),
        ("mastercard-blocked", 5000, "62", "the card is blocked"),
        ("visa-forged", 5000, "82", "the cryptogram is wrong"),
        ("visa-good", 5005, "05", "the sandbox answers this amount so"),
        ("visa-good", 5051, "51", "the sandbox answers this amount so"),
    ],
)
async def test_the_issuer_declines_each_for_its_own_reason(
    chain: Chain, terminal: SimTerminal, name: str, amount: int, code: str, reason: str
) -> None:
    answer = await terminal.send(terminal.request(name, amount_minor=amount, reference="NO"))
    assert (answer.text(39), answer.get(38), answer.get(55)) == (code, None, None)
    at_issuer = await chain.transaction("issuer", "NO")
    assert (at_issuer["state"], at_issuer["response_code"], at_issuer["reason"]) == ("DECLINED", code, reason)
    await chain.settled()
    for host, money in (await chain.money("NO")).items():
        assert money == ("DECLINED", 0, 0, 0), host


async def test_hosts_before_the_issuer_decline_for_their_own_reasons(
    chain: Chain, terminal: SimTerminal
) -> None:
    good = terminal.request()
    fresh = {37: "632699999999", 62: "52523535-632699999999"}
    cases = {
        "58": {60: "TW4000-000009"},
        "03": {42: "NOBODY".ljust(15)},
        "12": {49: "840"},
        "13": {4: "0" * 12},
        "61": {4: "000000099999"},
        "30": {62: "52523536-632699999999"},
        "15": {2: "6011000990139424"},
    }
    for number, (code, changes) in enumerate(cases.items()):
        rrn = f"63269999{number:04d}"
        own = {**fresh, 37: rrn, 62: f"52523535-{rrn}", **changes}
        assert await terminal.code(good.replace(own)) == code, code
    idle = SimTerminal(chain.settings, tid="52523537")
    await idle.start()
    assert await idle.code(idle.request(reference="IDLE")) == "58"
    assert (await chain.transaction("gateway", "IDLE"))["reason"] == "the terminal is not active"
    await idle.stop()


async def test_a_replayed_counter_is_declined(chain: Chain, terminal: SimTerminal) -> None:
    assert await terminal.code(terminal.request("mastercard-replayed")) == "00"
    again = terminal.request("mastercard-replayed", reference="REPLAY")
    assert await terminal.code(again) == "63"
    assert (await chain.transaction("issuer", "REPLAY"))[
        "reason"
    ] == "the transaction counter was used before"


async def test_a_card_that_signed_another_amount_is_declined(chain: Chain, terminal: SimTerminal) -> None:
    request = terminal.request(amount_minor=5000, signed_minor=500, reference="SIGNED")
    assert await terminal.code(request) == "63"
    assert (await chain.transaction("issuer", "SIGNED"))["reason"] == "the card signed another amount"


async def test_an_account_with_less_is_approved_for_less(chain: Chain, terminal: SimTerminal) -> None:
    request = terminal.request("mastercard-partial", amount_minor=5000, reference="LESS")
    answer = await terminal.send(request)
    assert (answer.text(39), amount_minor(answer)) == ("10", 2000)
    assert await terminal.code(terminal.completion(request, 2001)) == "61"
    assert await terminal.code(terminal.completion(request, 2000)) == "00"
    await chain.settled()
    assert set((await chain.money("LESS")).values()) == {("COMPLETED", 2000, 2000, 0)}


async def test_a_repeated_request_gets_the_stored_answer(chain: Chain, terminal: SimTerminal) -> None:
    request = terminal.request(reference="TWICE")
    first = await terminal.send(request)
    second = await terminal.send(request.replace({}, mti="0101"))
    assert second == first.without(55)
    assert await terminal.code(request.replace({4: "000000004999"})) == "94"
    assert await terminal.code(request.replace({2: "5413330089604111"})) == "94"
    at_issuer = await chain.transaction("issuer", "TWICE")
    assert [event["event"] for event in at_issuer["events"]] == ["Asked"]


async def test_a_repeat_in_flight_waits_for_the_same_answer(chain: Chain, terminal: SimTerminal) -> None:
    other = SimTerminal(chain.settings)
    await other.start()
    await chain.post("issuer", "/sandbox/silence", {"seconds": 0.2, "late": True})
    request = terminal.request(reference="WAIT")
    answers = await asyncio.gather(terminal.send(request), other.send(request))
    assert [answer.text(39) for answer in answers] == ["00", "00"]
    assert len((await chain.transaction("issuer", "WAIT"))["events"]) == 1
    await other.stop()


async def test_a_silent_issuer_is_reversed_and_its_late_approval_is_not_used(
    chain: Chain, terminal: SimTerminal
) -> None:
    await chain.post("issuer", "/sandbox/silence", {"seconds": 1, "late": True})
    request = terminal.request(reference="SILENT")
    assert await terminal.code(request) == "91"
    await chain.settled()

    async def late_answer_came() -> bool:
        return bool((await chain.get("scheme", "/api/v1/summary"))["unmatched"] == 1)

    await eventually(late_answer_came)
    assert await chain.money("SILENT") == {
        "issuer": ("REVERSED", 5000, 0, 5000),
        "scheme": ("REVERSED", 0, 0, 0),
        "acquirer": ("DECLINED", 0, 0, 0),
        "gateway": ("DECLINED", 0, 0, 0),
    }
    assert await terminal.code(terminal.completion(request, 100)) == "25"
    cards = await chain.get("issuer", "/api/v1/cards")
    assert next(row for row in cards if row["card"] == "411111******1111")["held_minor"] == 0


async def test_an_amount_the_sandbox_never_answers_is_reversed(chain: Chain, terminal: SimTerminal) -> None:
    assert await terminal.code(terminal.request(amount_minor=5013, reference="NEVER")) == "91"
    await chain.settled()
    assert (await chain.transaction("issuer", "NEVER"))["state"] == "REVERSED"


async def test_there_is_one_completion(chain: Chain, terminal: SimTerminal) -> None:
    request = terminal.request(reference="ONCE")
    await terminal.send(request)
    assert await terminal.code(terminal.completion(request, 5001)) == "61"
    assert await terminal.code(terminal.completion(request, 0)) == "13"
    completion = terminal.completion(request, 1000)
    assert await terminal.code(completion) == "00"
    assert await terminal.code(completion.replace({}, mti=COMPLETION_REPEAT)) == "00"
    assert await terminal.code(terminal.completion(request, 1000)) == "00"
    assert await terminal.code(terminal.completion(request, 1001)) == "94"
    assert await terminal.code(terminal.reversal(request)) == "21"
    await chain.settled()
    assert set((await chain.money("ONCE")).values()) == {("COMPLETED", 5000, 1000, 4000)}


async def test_a_completion_after_the_reversal_is_refused(chain: Chain, terminal: SimTerminal) -> None:
    request = terminal.request(reference="AFTER")
    await terminal.send(request)
    assert await terminal.code(terminal.reversal(request)) == "00"
    assert await terminal.code(terminal.reversal(request, advice=False)) == "00"
    assert await terminal.code(terminal.completion(request, 1000)) == "21"
    assert await terminal.code(request) == "79"
    await chain.settled()
    assert set((await chain.money("AFTER")).values()) == {("REVERSED", 5000, 0, 5000)}


async def test_another_terminal_cannot_complete_or_reverse(chain: Chain, terminal: SimTerminal) -> None:
    request = terminal.request(reference="MINE")
    await terminal.send(request)
    other = request.replace({41: "52523536"})
    assert await terminal.code(terminal.completion(other, 1000)) == "25"
    assert await terminal.code(terminal.reversal(other)) == "25"
    assert (await chain.transaction("gateway", "MINE"))["state"] == "APPROVED"


async def test_a_reversal_that_comes_first_blocks_its_original(chain: Chain, terminal: SimTerminal) -> None:
    request = terminal.request(reference="FIRST")
    assert await terminal.code(terminal.reversal(request)) == "00"
    assert await terminal.code(request) == "79"
    row = await chain.transaction("gateway", "FIRST")
    assert (row["state"], row["response_code"]) == ("BLOCKED", "79")
    assert await chain.get("acquirer", "/api/v1/transactions", reference="FIRST") == []


async def test_a_gateway_killed_before_the_outcome_reverses_when_it_comes_back(
    chain: Chain, terminal: SimTerminal
) -> None:
    await chain.post("issuer", "/sandbox/silence", {"seconds": 0.3, "late": True})
    asked = asyncio.create_task(terminal.send(terminal.request(reference="KILLED"), timeout_s=0.5))

    async def reached_the_issuer() -> bool:
        return bool(await chain.get("issuer", "/api/v1/transactions", reference="KILLED"))

    await eventually(reached_the_issuer)
    # What a power cut would leave on the disk: the intent is committed, the outcome is not.
    disk = {file: file.read_bytes() for file in chain.settings.data.glob("gateway.sqlite*")}
    await chain.stop("gateway")
    await asyncio.gather(asked, return_exceptions=True)
    for file, content in disk.items():
        if not file.name.endswith("-shm"):
            file.write_bytes(content)
    await chain.start("gateway")
    await chain.settled()
    told = await chain.money("KILLED")
    assert {money[0] for money in told.values()} == {"REVERSED"}
    assert told["issuer"] == ("REVERSED", 5000, 0, 5000)
    gateway = await chain.transaction("gateway", "KILLED")
    assert gateway["reason"] == "this host stopped between asking and the answer"


async def test_completions_wait_while_the_acquirer_is_down_and_arrive_in_order(
    chain: Chain, terminal: SimTerminal
) -> None:
    requests = [terminal.request(amount_minor=2000, reference=f"DOWN{number}") for number in range(4)]
    for request in requests:
        assert await terminal.code(request) == "00"
    await chain.stop("acquirer")
    for request in requests[:3]:
        assert await terminal.code(terminal.completion(request, 700)) == "00"
    assert await terminal.code(terminal.reversal(requests[3])) == "00"
    assert await terminal.code(terminal.request(reference="NOLINE")) == "91"
    assert (await chain.get("gateway", "/api/v1/summary"))["waiting"] == 4
    await chain.start("acquirer")
    await chain.settled()
    for number in range(3):
        assert set((await chain.money(f"DOWN{number}")).values()) == {("COMPLETED", 2000, 700, 1300)}
    assert set((await chain.money("DOWN3")).values()) == {("REVERSED", 2000, 0, 2000)}
    assert (await chain.transaction("gateway", "NOLINE"))["state"] == "DECLINED"


async def test_what_makes_no_sense_is_told_so(chain: Chain, terminal: SimTerminal) -> None:
    request = terminal.request()
    assert await terminal.code(request.without(37)) == "30"
    assert await terminal.code(request.without(2)) == "30"
    assert await terminal.code(request.replace({}, mti="0200")) == "12"
    assert (
        await terminal.code(terminal.completion(request.replace({37: "000000000000", 62: None}), 5)) == "25"
    )
