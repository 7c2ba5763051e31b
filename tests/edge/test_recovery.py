"""Silence, cut cables and crashes: the terminal's list of open holds settles what is unknown."""

import asyncio

import pytest
from tests.edge.site import Site, capture, now_ms, preauthorise, release, until

from tapwatt.terminals.zvt.link import Dialogue
from tapwatt.terminals.zvt.messages import Command
from tapwatt.uplink.messages import Accepted, Ask, Operate, OperationKind, Outcome, Result


async def test_silence_is_unknown_at_once_and_the_hold_is_found(site: Site) -> None:
    site.device.next_time(Command.PREAUTHORISATION, site.device.approve_and_fall_silent)
    await site.platform.call(preauthorise())
    found = await site.platform.outcome("S1.p1", Result.FOUND_OPEN)
    assert site.platform.results("S1.p1") == [Result.UNKNOWN, Result.FOUND_OPEN]
    assert (found.receipt, found.amount_minor) == ("0231", None)
    assert site.device.times(Command.PREAUTHORISATION) == 1
    assert site.device.open == {"0231": 5000}, "the platform decides what becomes of it"
    await site.platform.call(release(found.receipt))
    assert (await site.platform.outcome("S1.p2")).result is Result.DONE
    assert site.device.open == {}


async def test_silence_without_a_hold_is_found_none(site: Site) -> None:
    site.device.next_time(Command.PREAUTHORISATION, site.device.fall_silent)
    await site.platform.call(preauthorise())
    await site.platform.outcome("S1.p1", Result.FOUND_NONE)
    assert site.platform.results("S1.p1") == [Result.UNKNOWN, Result.FOUND_NONE]
    assert site.device.times(Command.PREAUTHORISATION) == 1


async def test_cut_before_040f_and_the_hold_is_there(site: Site) -> None:
    site.device.next_time(Command.PREAUTHORISATION, site.device.approve_and_break_before_status)
    await site.platform.call(preauthorise())
    assert (await site.platform.outcome("S1.p1", Result.FOUND_OPEN)).receipt == "0231"


async def test_cut_after_040f_is_an_approval_with_all_its_keys(site: Site) -> None:
    site.device.next_time(Command.PREAUTHORISATION, site.device.approve_and_break_after_status)
    await site.platform.call(preauthorise())
    approved = await site.platform.outcome("S1.p1", Result.APPROVED)
    assert (approved.amount_minor, approved.receipt, approved.trace) == (5000, "0231", "000231")
    assert (approved.token, approved.approval_code) == ("A1B2C3D4", "A1B2C3")
    await site.platform.call(capture(approved, 1000))
    await site.platform.outcome("S1.p2", Result.DONE)
    assert site.device.captured == {"0231": 1000}


async def test_an_approval_the_terminal_took_back_is_found_none(site: Site) -> None:
    async def act(dialogue: Dialogue) -> None:
        await site.device.approve_and_break_after_status(dialogue)
        site.device.open.clear()

    site.device.next_time(Command.PREAUTHORISATION, act)
    await site.platform.call(preauthorise())
    assert (await site.platform.outcome("S1.p1", Result.FOUND_NONE)).amount_minor is None


async def test_a_capture_that_was_done_is_not_sent_again(site: Site) -> None:
    hold = await site.approved()
    site.device.next_time(Command.PARTIAL_REVERSAL, site.device.finish_and_break)
    await site.platform.call(capture(hold, 1000))
    done = await site.platform.outcome("S1.p2", Result.ALREADY_DONE)
    assert done.amount_minor == 1000
    assert site.platform.results("S1.p2") == [Result.UNKNOWN, Result.ALREADY_DONE]
    assert site.device.times(Command.PARTIAL_REVERSAL) == 1
    assert site.device.captured == {hold.receipt: 1000}


async def test_a_capture_that_was_not_done_is_sent_again(site: Site) -> None:
    hold = await site.approved()
    site.device.next_time(Command.PARTIAL_REVERSAL, site.device.break_before_finish)
    await site.platform.call(capture(hold, 1000))
    await site.platform.outcome("S1.p2", Result.DONE)
    assert site.device.times(Command.PARTIAL_REVERSAL) == 2
    assert site.device.captured == {hold.receipt: 1000}


async def test_a_release_that_was_done_and_one_that_was_not(site: Site) -> None:
    first, second = await site.approved(), await site.approved("S2.p1")
    site.device.next_time(Command.PREAUTHORISATION_REVERSAL, site.device.finish_and_break)
    await site.platform.call(release(first.receipt))
    assert (await site.platform.outcome("S1.p2", Result.ALREADY_DONE)).kind is OperationKind.RELEASE
    site.device.next_time(Command.PREAUTHORISATION_REVERSAL, site.device.break_before_finish)
    await site.platform.call(release(second.receipt, key="S2.p2"))
    await site.platform.outcome("S2.p2", Result.DONE)
    assert site.device.times(Command.PREAUTHORISATION_REVERSAL) == 3
    assert site.device.open == {}


async def test_a_crash_in_the_middle_of_an_authorisation(site: Site) -> None:
    site.device.next_time(Command.PREAUTHORISATION, site.device.approve_and_fall_silent)
    await site.platform.call(preauthorise())
    await until(lambda: "0231" in site.device.open)
    await site.edge.crash()
    await site.edge.start()
    found = await site.platform.outcome("S1.p1", Result.FOUND_OPEN)
    assert found.receipt == "0231"
    assert site.device.times(Command.PREAUTHORISATION) == 1


async def test_known_holds_survive_every_restart_and_strangers_are_released(site: Site) -> None:
    hold = await site.approved()
    await site.edge.stop()
    site.device.open["0777"] = 9900
    await site.edge.start()
    await until(lambda: "0777" not in site.device.open)
    assert site.device.open == {hold.receipt: 5000}
    assert [each.text("receipt") for each in site.device.seen if each.control == 0x0625] == ["0777"]
    await until(lambda: site.device.seen[-1].control == Command.READ_CARD)
    assert site.platform.of(Outcome) == [hold], "nobody asked for it, so nobody is told its outcome"
    await site.edge.crash()
    await site.edge.start()
    await until(lambda: site.device.times(Command.REGISTRATION) == 3)
    await site.platform.call(capture(hold, 2000))
    await site.platform.outcome("S1.p2", Result.DONE)
    assert site.device.captured[hold.receipt] == 2000


async def test_the_operator_hears_of_strangers_and_of_holds_that_are_gone(site: Site) -> None:
    hold = await site.approved()
    del site.device.open[hold.receipt]
    site.device.open["0777"] = 9900
    await site.device.cut()
    await until(lambda: any("0777" in text for text in site.platform.texts()))
    await until(lambda: any(hold.receipt in text for text in site.platform.texts()))


async def test_a_hold_that_was_captured_is_never_released_as_a_stranger(site: Site) -> None:
    hold = await site.approved()
    await site.platform.call(capture(hold, 2000))
    await site.platform.outcome("S1.p2", Result.DONE)
    site.device.open[hold.receipt] = 5000
    await site.device.cut()
    await until(lambda: any("captured" in text for text in site.platform.texts()))
    await until(lambda: site.device.seen[-1].control == Command.READ_CARD)
    assert site.device.times(Command.PREAUTHORISATION_REVERSAL) == 0


async def test_a_receipt_a_waiting_capture_names_is_no_stranger(site: Site) -> None:
    """The journal was lost, the platform was not."""
    site.device.open["0500"] = 5000
    await site.edge.stop()
    site.device.acts[Command.PARTIAL_REVERSAL] = []
    await site.device.stop()
    site.path.unlink()
    await site.edge.start()
    asked = capture(
        Outcome(
            key="",
            kind=OperationKind.PREAUTHORISE,
            terminal_id="T1",
            result=Result.APPROVED,
            at_ms=0,
            amount_minor=5000,
            receipt="0500",
        ),
        1500,
    )
    await site.platform.call(asked)
    await site.device.start()
    await site.platform.outcome("S1.p2", Result.DONE)
    assert site.device.captured == {"0500": 1500}


async def test_a_repeated_request_is_done_once_and_told_again(site: Site) -> None:
    asked = preauthorise()
    assert await site.platform.call(asked) == Accepted()
    await site.platform.outcome("S1.p1")
    assert await site.platform.call(asked) == Accepted()
    await until(lambda: len(site.platform.results("S1.p1")) == 2)
    first, second = [each for each in site.platform.of(Outcome) if each.key == "S1.p1"]
    assert first == second
    assert site.device.times(Command.PREAUTHORISATION) == 1


async def test_a_repeat_may_bring_another_deadline_but_nothing_else(site: Site) -> None:
    await site.approved()
    assert (await site.platform.call(preauthorise(in_s=900))).accepted
    answer = await site.platform.call(preauthorise(amount_minor=9900))
    assert not answer.accepted
    assert "another operation" in answer.reason


async def test_asking_for_an_unknown_key_fences_it(site: Site) -> None:
    await site.platform.call(Ask(key="S1.p1"))
    fenced = await site.platform.outcome("S1.p1")
    assert (fenced.result, fenced.terminal_id) == (Result.NOT_SENT, "T1")
    answer = await site.platform.call(preauthorise())
    assert not answer.accepted
    await asyncio.sleep(0.2)
    assert site.device.times(Command.PREAUTHORISATION) == 0


async def test_a_capture_comes_through_the_fence(site: Site) -> None:
    hold = await site.approved()
    await site.platform.call(Ask(key="S1.p2"))
    await site.platform.outcome("S1.p2", Result.NOT_SENT)
    assert (await site.platform.call(capture(hold, 1000))).accepted
    await site.platform.outcome("S1.p2", Result.DONE)


async def test_asking_for_a_known_key_tells_it_again(site: Site) -> None:
    await site.approved()
    await site.platform.call(Ask(key="S1.p1"))
    await until(lambda: site.platform.results("S1.p1") == [Result.APPROVED] * 2)


async def test_outcomes_wait_for_a_platform_that_is_away(site: Site) -> None:
    hold = await site.approved()
    gate = asyncio.Event()

    async def later(dialogue: Dialogue) -> None:
        await gate.wait()
        await site.device.finish(dialogue)

    site.device.next_time(Command.PARTIAL_REVERSAL, later)
    await site.platform.call(capture(hold, 1000))
    await until(lambda: site.device.times(Command.PARTIAL_REVERSAL) == 1)
    await site.platform.stop()
    gate.set()
    await until(lambda: hold.receipt in site.device.captured)
    await asyncio.sleep(0.2)
    await site.edge.crash()
    await site.edge.start()
    await asyncio.sleep(0.2)
    await site.platform.start()
    assert (await site.platform.outcome("S1.p2", timeout_s=15)).amount_minor == 1000
    assert site.device.times(Command.PARTIAL_REVERSAL) == 1


async def test_an_outcome_that_was_not_accepted_is_told_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tapwatt.edge.journal.REFUSED_AGAIN_S", 0.05)
    refusals = iter([Accepted(accepted=False, reason="not now")] * 2)
    site.platform.says = lambda message: (
        next(refusals, Accepted()) if isinstance(message, Outcome) else Accepted()
    )
    await site.platform.call(preauthorise())
    await until(lambda: len(site.platform.results("S1.p1")) == 3)
    await asyncio.sleep(0.3)
    assert site.platform.results("S1.p1") == [Result.APPROVED] * 3


async def test_an_unknown_that_was_not_accepted_does_not_hold_up_the_truth(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tapwatt.edge.journal.REFUSED_AGAIN_S", 0.3)
    site.platform.says = lambda message: Accepted(
        accepted=not (isinstance(message, Outcome) and message.result is Result.UNKNOWN)
    )
    site.device.next_time(Command.PREAUTHORISATION, site.device.fall_silent)
    await site.platform.call(preauthorise())
    await site.platform.outcome("S1.p1", Result.FOUND_NONE)
    await asyncio.sleep(0.5)
    assert site.platform.results("S1.p1") == [Result.UNKNOWN, Result.FOUND_NONE], "and is not told after it"


async def test_a_request_after_its_deadline_is_stored_and_not_sent(site: Site) -> None:
    assert (await site.platform.call(preauthorise(in_s=-1))).accepted
    outcome = await site.platform.outcome("S1.p1")
    assert (outcome.result, outcome.code) == (Result.NOT_SENT, "deadline")
    assert site.device.times(Command.PREAUTHORISATION) == 0


async def test_a_deadline_that_passes_in_the_queue(site: Site) -> None:
    gate = asyncio.Event()

    async def slowly(dialogue: Dialogue) -> None:
        await gate.wait()
        await site.device.preauthorise(dialogue)

    site.device.next_time(Command.PREAUTHORISATION, slowly)
    await site.platform.call(preauthorise())
    await site.platform.call(preauthorise("S2.p1", in_s=0.2))
    await asyncio.sleep(0.3)
    gate.set()
    assert (await site.platform.outcome("S2.p1")).result is Result.NOT_SENT
    assert site.device.times(Command.PREAUTHORISATION) == 1


async def test_the_queue_is_bounded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tapwatt.edge.journal.MOST_WAITING", 3)
    await site.device.stop()
    requests = [release(f"07{number:02d}", key=f"S{number}.p2") for number in range(4)]
    answers = [await site.platform.call(each) for each in requests]
    assert [answer.accepted for answer in answers] == [True, True, True, False]
    assert "wait" in answers[3].reason
    assert (await site.platform.call(requests[0])).accepted, "a repeat needs no room"


async def test_a_terminal_we_do_not_have(site: Site) -> None:
    request = Operate(
        key="S1.p1",
        kind=OperationKind.PREAUTHORISE,
        terminal_id="T9",
        amount_minor=100,
        currency="EUR",
        deadline_ms=now_ms() + 1000,
    )
    answer = await site.platform.call(request)
    assert not answer.accepted
    assert "T9" in answer.reason
