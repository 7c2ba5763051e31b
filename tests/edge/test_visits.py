"""Money through the edge on real sockets: holds, captures, releases, and every way a terminal says no."""

import asyncio
import sqlite3
from dataclasses import replace

import pytest
from tests.edge.device import CARD, Device, abort, refuse
from tests.edge.site import Site, capture, preauthorise, release, until

from tapwatt.terminals.zvt.link import Dialogue
from tapwatt.terminals.zvt.messages import Command
from tapwatt.uplink.messages import Abort, OperationKind, Result


async def test_a_hold_is_approved_and_captured(site: Site) -> None:
    hold = await site.approved(amount_minor=5000)
    assert (hold.amount_minor, hold.receipt, hold.trace, hold.tid) == (5000, "0231", "000231", "52523535")
    assert (hold.token, hold.brand, hold.bin, hold.last_four) == ("A1B2C3D4", "Mastercard", "541333", "9604")
    assert hold.merchant_id == "000000000012345"
    assert (await site.platform.call(capture(hold, 1234))).accepted
    done = await site.platform.outcome("S1.p2")
    assert (done.result, done.amount_minor) == (Result.DONE, 1234)
    assert site.device.captured == {"0231": 1234}
    assert site.device.open == {}


async def test_0623_carries_the_part_to_release(site: Site) -> None:
    hold = await site.approved(amount_minor=5000)
    await site.platform.call(capture(hold, 5000))
    done = await site.platform.outcome("S1.p2")
    sent = next(each for each in site.device.seen if each.text("receipt") == hold.receipt)
    assert (sent.control, sent.number("amount_minor")) == (Command.PARTIAL_REVERSAL, 0)
    assert (done.result, done.amount_minor) == (Result.DONE, 5000)


async def test_a_capture_of_nothing_is_a_release(site: Site) -> None:
    hold = await site.approved()
    await site.platform.call(capture(hold, 0))
    done = await site.platform.outcome("S1.p2")
    assert (done.result, done.amount_minor) == (Result.DONE, 0)
    assert site.device.times(Command.PREAUTHORISATION_REVERSAL) == 1


async def test_a_hold_is_released(site: Site) -> None:
    hold = await site.approved()
    await site.platform.call(release(hold.receipt))
    assert (await site.platform.outcome("S1.p2")).result is Result.DONE
    assert site.device.open == {}


async def test_approved_for_less(site: Site) -> None:
    device = site.device
    device.next_time(Command.PREAUTHORISATION, lambda dialogue: device.preauthorise(dialogue, 2000))
    hold = await site.approved(amount_minor=5000)
    assert hold.amount_minor == 2000
    await site.platform.call(capture(hold, 1500))
    await site.platform.outcome("S1.p2", Result.DONE)
    assert device.captured == {"0231": 1500}


async def test_declined(site: Site) -> None:
    site.device.next_time(Command.PREAUTHORISATION, site.device.decline)
    await site.platform.call(preauthorise())
    outcome = await site.platform.outcome("S1.p1")
    assert (outcome.result, outcome.code) == (Result.DECLINED, "05")


async def test_aborted_by_the_driver(site: Site) -> None:
    site.device.next_time(Command.PREAUTHORISATION, site.device.walk_away)
    await site.platform.call(preauthorise())
    outcome = await site.platform.outcome("S1.p1")
    assert (outcome.result, outcome.code) == (Result.ABORTED, "6C")
    assert "cardholder" in outcome.reason


async def test_aborted_by_the_platform_while_the_card_is_awaited(site: Site) -> None:
    async def wait(dialogue: Dialogue) -> None:
        await dialogue.accept()
        await dialogue.abort_requested.wait()
        await dialogue.abort(by_ecr=True)

    site.device.next_time(Command.PREAUTHORISATION, wait)
    await site.platform.call(preauthorise())
    await until(lambda: site.device.times(Command.PREAUTHORISATION) == 1)
    await asyncio.sleep(0.05)
    assert (await site.platform.call(Abort(key="S1.p1", terminal_id="T1"))).accepted
    assert (await site.platform.outcome("S1.p1")).result is Result.ABORTED
    assert not (await site.platform.call(Abort(key="S1.p1", terminal_id="T1"))).accepted
    assert not (await site.platform.call(Abort(key="nobody", terminal_id="T1"))).accepted


@pytest.mark.parametrize("act", [refuse(0x6B), abort(0x6B)])
async def test_a_terminal_that_forgot_us_is_registered_with_and_asked_once_more(
    site: Site, act: object
) -> None:
    await until(lambda: site.device.times(Command.REGISTRATION) == 1)
    site.device.next_time(Command.PREAUTHORISATION, act)  # type: ignore[arg-type]
    await site.approved()
    assert site.device.times(Command.REGISTRATION) == 2
    assert site.platform.results("S1.p1") == [Result.APPROVED]


async def test_a_terminal_that_forgets_us_again_is_not_asked_a_third_time(site: Site) -> None:
    site.device.acts[Command.PREAUTHORISATION] = [refuse(0x6B), refuse(0x6B)]
    await site.platform.call(preauthorise())
    assert (await site.platform.outcome("S1.p1")).result is Result.NOT_SENT
    assert site.device.times(Command.PREAUTHORISATION) == 2


async def test_a_busy_terminal_means_not_sent(site: Site) -> None:
    site.device.next_time(Command.PREAUTHORISATION, refuse(0x9C))
    await site.platform.call(preauthorise())
    outcome = await site.platform.outcome("S1.p1")
    assert (outcome.result, outcome.code) == (Result.NOT_SENT, "9C")


async def test_a_terminal_that_is_away_means_not_sent(site: Site) -> None:
    await site.device.stop()
    await site.platform.call(preauthorise())
    outcome = await site.platform.outcome("S1.p1")
    assert outcome.result is Result.NOT_SENT
    await site.device.start()
    await site.approved("S2.p1")


async def test_a_terminal_that_is_not_ready_means_not_sent(site: Site) -> None:
    site.device.state = 0xF0
    await site.device.cut()
    await until(lambda: any("day" in text or "reconcil" in text for text in site.platform.texts()))
    await site.platform.call(preauthorise())
    assert (await site.platform.outcome("S1.p1")).result is Result.NOT_SENT
    site.device.state = 0
    await until(lambda: site.device.times(Command.READ_CARD) > 1)
    await site.approved("S2.p1")


async def test_captures_that_do_not_get_through_are_tried_until_they_do(site: Site) -> None:
    hold = await site.approved()
    site.device.acts[Command.PARTIAL_REVERSAL] = [refuse(0x9C), abort(0xA3), refuse(0x9C)]
    await site.platform.call(capture(hold, 1000))
    await site.platform.outcome("S1.p2")
    assert site.platform.results("S1.p2") == [Result.DONE]
    assert site.device.captured == {hold.receipt: 1000}


async def test_a_capture_waits_for_a_terminal_that_is_away(site: Site) -> None:
    hold = await site.approved()
    await site.device.stop()
    await site.platform.call(capture(hold, 1000))
    await asyncio.sleep(0.5)
    assert site.platform.results("S1.p2") == []
    await site.device.start()
    assert (await site.platform.outcome("S1.p2")).result is Result.DONE


async def test_a_refused_capture_says_so(site: Site) -> None:
    hold = await site.approved()
    site.device.next_time(Command.PARTIAL_REVERSAL, abort(0x05))
    await site.platform.call(capture(hold, 1000))
    outcome = await site.platform.outcome("S1.p2")
    assert (outcome.result, outcome.code) == (Result.REFUSED, "05")


async def test_a_terminal_that_keeps_failing_at_a_capture_is_given_up(site: Site) -> None:
    hold = await site.approved()
    site.device.acts[Command.PARTIAL_REVERSAL] = [abort(0xFF)] * 9
    await site.platform.call(capture(hold, 1000))
    assert (await site.platform.outcome("S1.p2")).result is Result.REFUSED
    assert site.device.times(Command.PARTIAL_REVERSAL) == 5


async def test_a_second_capture_with_another_key_tells_the_first_amount(site: Site) -> None:
    hold = await site.approved()
    await site.platform.call(capture(hold, 1000))
    await site.platform.outcome("S1.p2", Result.DONE)
    await site.platform.call(capture(hold, 2000, key="S1.p3"))
    again = await site.platform.outcome("S1.p3")
    assert (again.result, again.amount_minor) == (Result.ALREADY_DONE, 1000)
    assert site.device.times(Command.PARTIAL_REVERSAL) == 1


async def test_a_hold_that_is_gone_without_us_is_looked_up_and_not_found(site: Site) -> None:
    hold = await site.approved()
    site.device.open.clear()
    await site.platform.call(capture(hold, 1000))
    outcome = await site.platform.outcome("S1.p2")
    assert (outcome.result, outcome.code) == (Result.NOT_FOUND, "B8")
    site.device.open.clear()
    await site.platform.call(release("0999", key="S9.p2"))
    assert (await site.platform.outcome("S9.p2")).result is Result.ALREADY_DONE


async def test_a_receipt_number_that_names_a_newer_hold_is_left_alone(site: Site) -> None:
    hold = await site.approved()
    stale = capture(hold, 1000)
    site.device._next_receipt = 231
    site.device.open.clear()
    newer = site.device.approval(7000)
    site.device.next_time(
        Command.PREAUTHORISATION, lambda dialogue: _approve(site.device, dialogue, newer.receipt)
    )
    second = await site.approved("S2.p1", 7000)
    assert second.receipt == hold.receipt
    await site.platform.call(stale)
    assert (await site.platform.outcome("S1.p2")).result is Result.NOT_FOUND
    assert site.device.times(Command.PARTIAL_REVERSAL) == 0
    await site.platform.call(capture(second, 6000, key="S2.p2"))
    await site.platform.outcome("S2.p2", Result.DONE)
    assert site.device.captured == {second.receipt: 6000}


async def _approve(device: Device, dialogue: Dialogue, receipt: str) -> None:
    amount = dialogue.message.number("amount_minor") or 0
    device._next_receipt = int(receipt)
    hold = device.approval(amount)
    device.open[receipt] = amount
    await dialogue.accept()
    await dialogue.status(replace(hold, trace="000999"))
    await dialogue.complete()


async def test_a_wrong_hold_is_refused_before_it_is_sent(site: Site) -> None:
    hold = await site.approved(amount_minor=5000)
    await site.platform.call(replace(capture(hold, 1000), hold_minor=6000))
    outcome = await site.platform.outcome("S1.p2")
    assert outcome.result is Result.REFUSED
    assert site.device.times(Command.PARTIAL_REVERSAL) == 0


@pytest.mark.parametrize(
    ("kind", "amount_minor", "result"),
    [
        (OperationKind.INCREASE, 1000, Result.DECLINED),
        (OperationKind.REFUND, 1000, Result.REFUSED),
        (OperationKind.PREAUTHORISE, 0, Result.DECLINED),
        (OperationKind.CAPTURE, 9999, Result.REFUSED),
    ],
)
async def test_what_no_terminal_can_do_is_told_at_once(
    site: Site, kind: OperationKind, amount_minor: int, result: Result
) -> None:
    asked = replace(preauthorise(), kind=kind, amount_minor=amount_minor, receipt="0231", hold_minor=5000)
    assert (await site.platform.call(asked)).accepted
    outcome = await site.platform.outcome("S1.p1")
    assert (outcome.result, outcome.code) == (result, "impossible")


async def test_everything_is_committed_before_it_is_acted_on(site: Site) -> None:
    """The terminal looks into the edge's database at each of its own turns."""
    seen: list[tuple[str, bool]] = []

    def look() -> None:
        with sqlite3.connect(f"file:{site.path}?mode=ro", uri=True) as database:
            row = database.execute("select status, state from operation where id = 'S1.p1'").fetchone()
        database.close()
        seen.append((row[0], '"receipt":"0231"' in row[1] and '"trace":"000231"' in row[1]))

    async def act(dialogue: Dialogue) -> None:
        look()
        await dialogue.accept()
        hold = site.device.approval(5000)
        site.device.open[hold.receipt] = 5000
        await dialogue.status(hold)
        look()
        await dialogue.complete()
        look()

    site.device.next_time(Command.PREAUTHORISATION, act)
    await site.approved()
    await until(lambda: len(seen) == 3)
    assert seen == [("sent", False), ("sent", True), ("approved", True)]


async def test_dialogues_never_overlap(site: Site) -> None:
    await until(lambda: site.device.times(Command.READ_CARD) > 0)
    keys = [f"S{number}.p1" for number in range(6)]
    await asyncio.gather(*(site.platform.call(preauthorise(key)) for key in keys))
    holds = [await site.platform.outcome(key) for key in keys]
    assert {hold.result for hold in holds} == {Result.APPROVED}
    await asyncio.gather(*(site.platform.call(capture(hold, 100, key=f"{hold.key}.c")) for hold in holds))
    for hold in holds:
        await site.platform.outcome(f"{hold.key}.c", Result.DONE)
    assert site.device.refused == []
    assert len(site.device.captured) == 6


async def test_a_capture_outranks_reading_and_authorising(site: Site) -> None:
    hold = await site.approved()
    release_it = asyncio.Event()

    async def slowly(dialogue: Dialogue) -> None:
        await release_it.wait()
        await site.device.preauthorise(dialogue)

    site.device.next_time(Command.PREAUTHORISATION, slowly)
    await site.platform.call(preauthorise("S2.p1"))
    await until(lambda: site.device.times(Command.PREAUTHORISATION) == 2)
    await site.platform.call(preauthorise("S3.p1"))
    await site.platform.call(capture(hold, 1000))
    release_it.set()
    await site.platform.outcome("S3.p1", Result.APPROVED)
    order = [each.control for each in site.device.seen if each.control in (0x0622, 0x0623)]
    assert order[-2:] == [Command.PARTIAL_REVERSAL, Command.PREAUTHORISATION]


async def test_a_capture_does_not_wait_for_a_card_read(site: Site) -> None:
    hold = await site.approved()
    await until(lambda: site.device.seen[-1].control == Command.READ_CARD)
    began = asyncio.get_running_loop().time()
    await site.platform.call(capture(hold, 1000))
    await site.platform.outcome("S1.p2", Result.DONE)
    assert asyncio.get_running_loop().time() - began < 0.8
    assert CARD.token not in [card.token for card in site.platform.cards()]
