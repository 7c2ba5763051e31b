"""Cards held to the idle terminal, texts on its screen, and what the platform hears of the terminal."""

import asyncio

from tests.edge.device import CARD, TAG
from tests.edge.site import Site, capture, preauthorise, until

from tapwatt.terminals.zvt.link import Dialogue
from tapwatt.terminals.zvt.messages import Command
from tapwatt.uplink.messages import Accepted, CardKind, CardPresented, ReadCards, Result, Show, TerminalState


async def test_a_bank_card_is_presented_by_its_token(site: Site) -> None:
    site.device.cards.put_nowait(CARD)
    await until(lambda: bool(site.platform.cards()))
    card = site.platform.cards()[0]
    assert (card.kind, card.token, card.brand, card.terminal_id) == (
        CardKind.BANK,
        "A1B2C3D4",
        "Mastercard",
        "T1",
    )
    assert card.uid == "", "the UID of a bank card is no identity"


async def test_a_tag_is_presented_by_its_uid(site: Site) -> None:
    site.device.cards.put_nowait(TAG)
    await until(lambda: bool(site.platform.cards()))
    card = site.platform.cards()[0]
    assert (card.kind, card.uid, card.token) == (CardKind.RFID, "04A1B2C3D4E5F6", "")


async def test_each_presentation_has_a_key_of_its_own(site: Site) -> None:
    site.device.cards.put_nowait(CARD)
    site.device.cards.put_nowait(TAG)
    await until(lambda: len(site.platform.cards()) == 2)
    first, second = site.platform.cards()
    assert first.key != second.key


async def test_a_card_that_still_lies_there_is_presented_once(site: Site) -> None:
    for _ in range(3):
        site.device.cards.put_nowait(CARD)
    await until(lambda: site.device.cards.empty())
    await asyncio.sleep(0.5)
    assert len(site.platform.cards()) == 1


async def test_no_card_is_read_until_the_operation_of_the_last_one_had_its_time(site: Site) -> None:
    site.device.cards.put_nowait(CARD)
    await until(lambda: bool(site.platform.cards()))
    await asyncio.sleep(0.1)
    reads = site.device.times(Command.READ_CARD)
    await asyncio.sleep(0.2)
    assert site.device.times(Command.READ_CARD) == reads
    await site.platform.call(preauthorise())
    await site.platform.outcome("S1.p1", Result.APPROVED)
    await until(lambda: site.device.times(Command.READ_CARD) > reads, timeout_s=0.4)


async def test_a_card_nobody_is_there_to_take_is_dropped_with_a_text(site: Site) -> None:
    await until(lambda: bool(site.platform.hellos()))
    await site.platform.stop()
    site.device.cards.put_nowait(CARD)
    await until(lambda: ("Not available now", "Please try again later") in site.device.texts)
    await site.platform.start()
    await until(lambda: len(site.platform.hellos()) == 2)
    await asyncio.sleep(0.2)
    assert site.platform.cards() == []


async def test_a_card_the_platform_does_not_want_gets_the_reason_as_a_text(site: Site) -> None:
    site.platform.says = lambda message: Accepted(
        accepted=not isinstance(message, CardPresented), reason="Please plug in first"
    )
    site.device.cards.put_nowait(CARD)
    await until(lambda: ("Card not accepted", "Please plug in first") in site.device.texts)


async def test_an_abort_that_crosses_a_card_loses_neither_card_nor_operation(site: Site) -> None:
    hold = await site.approved()

    async def crossing(dialogue: Dialogue) -> None:
        await dialogue.accept()
        await dialogue.abort_requested.wait()
        await dialogue.status(TAG)

    await until(lambda: site.device.times(Command.READ_CARD) > 0)
    site.device.next_time(Command.READ_CARD, crossing)
    reads = site.device.times(Command.READ_CARD)
    await until(lambda: site.device.times(Command.READ_CARD) > reads)
    await asyncio.sleep(0.05)
    await site.platform.call(capture(hold, 1000))
    await site.platform.outcome("S1.p2", Result.DONE)
    await until(lambda: bool(site.platform.cards()))
    assert [card.uid for card in site.platform.cards()] == [TAG.uid]


async def test_texts_are_shown_and_only_the_newest_counts(site: Site) -> None:
    hold = await site.approved()
    gate = asyncio.Event()

    async def slowly(dialogue: Dialogue) -> None:
        await gate.wait()
        await site.device.finish(dialogue)

    site.device.next_time(Command.PARTIAL_REVERSAL, slowly)
    await site.platform.call(capture(hold, 1000))
    await until(lambda: site.device.times(Command.PARTIAL_REVERSAL) == 1)
    for text in ("one", "two", "three"):
        await site.platform.call(Show(terminal_id="T1", lines=(text, "more"), seconds=5))
    gate.set()
    await until(lambda: ("three", "more") in site.device.texts)
    assert site.device.texts == [("three", "more")]


async def test_a_text_nobody_can_show_is_refused_or_does_no_harm(site: Site) -> None:
    assert not (await site.platform.call(Show(terminal_id="T1", lines=(), seconds=5))).accepted
    assert not (await site.platform.call(Show(terminal_id="T9", lines=("x",), seconds=5))).accepted
    assert (await site.platform.call(Show(terminal_id="T1", lines=("\u6f22",), seconds=5))).accepted
    await site.approved()


async def test_reading_rests_when_it_is_not_wanted(site: Site) -> None:
    await until(lambda: site.device.times(Command.READ_CARD) > 0)
    await site.platform.call(ReadCards(terminal_id="T1", enabled=False))
    await asyncio.sleep(0.2)
    reads = site.device.times(Command.READ_CARD)
    await asyncio.sleep(0.3)
    assert site.device.times(Command.READ_CARD) == reads
    await site.platform.call(ReadCards(terminal_id="T1", enabled=True))
    await until(lambda: site.device.times(Command.READ_CARD) > reads)


async def test_the_platform_knows_who_we_are_and_how_the_terminal_is(site: Site) -> None:
    await until(lambda: bool(site.platform.hellos()))
    report = site.platform.hellos()[0].terminals[0]
    assert (report.terminal_id, report.serial) == ("T1", "TW4000-000001")
    await site.device.stop()
    await until(lambda: any("reached" in text or "closed" in text for text in site.platform.texts()))
    await site.platform.stop()
    await site.platform.start()
    await until(lambda: len(site.platform.hellos()) == 2)
    assert site.platform.hellos()[-1].terminals[0].state is TerminalState.OFFLINE
    await site.device.start()
    await until(lambda: site.platform.texts()[-1] == "ready")
