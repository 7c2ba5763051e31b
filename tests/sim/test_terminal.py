"""The terminal between an ECR and a gateway on loopback: every way a hold can begin and end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.sim.world import (
    Gateway,
    bench,
    everything,
    mute,
    power_on,
    reading_late,
    says,
    until,
    until_summary,
)

from tapwatt.rails.emv.cryptogram import CryptogramCheck, verify_arqc
from tapwatt.rails.keys import leaks
from tapwatt.rails.messages import life_cycle, payment_reference, terminal_serial
from tapwatt.rails.sandbox import card, cards, issuer_master_key, network
from tapwatt.sim.card import Medium
from tapwatt.terminals.messages import (
    Approved,
    BookTotal,
    Capture,
    CardKind,
    CardRead,
    CloseDay,
    DayClosed,
    Declined,
    Diagnose,
    DiagnosisKind,
    Display,
    Done,
    NotSent,
    OpenAuthorisations,
    OpenList,
    Preauthorise,
    ReadCard,
    Release,
    ResultKind,
    Unknown,
)
from tapwatt.terminals.zvt.link import EcrLink


async def test_hold_and_capture(gateway: Gateway, tmp_path: Path) -> None:
    async with bench(tmp_path, gateway) as standing:
        approval = await standing.tap_and_hold("visa-good", reference="REF000000001")
        assert isinstance(approval, Approved)
        assert (approval.amount_minor, approval.receipt, approval.tid) == (2500, "0001", "52523535")
        asked = gateway.of("0100")[0]
        assert terminal_serial(asked) == network().terminal("52523535").serial
        assert payment_reference(asked) == "REF000000001"
        assert life_cycle(asked) == f"52523535-{asked.text(37)}"
        reading = verify_arqc(
            asked.data(55), issuer_master_key=issuer_master_key("visa"), pan=asked.text(2), sequence="01"
        )
        assert (reading.check, reading.amount_minor, reading.counter) == (CryptogramCheck.RIGHT, 2500, 1)

        taken = await standing.ecr.run(
            Capture(receipt=approval.receipt, hold_minor=2500, amount_minor=46, currency="EUR")
        )
        assert isinstance(taken, Approved)
        assert taken.amount_minor == 46
        await until_summary(standing, open_holds=0, waiting=0)
        advice = gateway.of("0220")[0]
        assert (advice.text(4), advice.text(37), advice.text(38)) == (
            "000000000046",
            asked.text(37),
            "A1B2C3",
        )
        assert 55 not in advice
        (row,) = await standing.rows()
        amounts = (row["authorised_minor"], row["captured_minor"], row["released_minor"])
        assert (row["state"], *amounts) == ("CAPTURED", 2500, 46, 2454)
        assert row["card"] == "411111******1111"


async def test_a_second_end_of_the_same_hold_is_refused(gateway: Gateway, tmp_path: Path) -> None:
    async with bench(tmp_path, gateway) as standing:
        receipt = (await standing.tap_and_hold("visa-good")).receipt
        capture = Capture(receipt=receipt, hold_minor=2500, amount_minor=100, currency="EUR")
        assert isinstance(await standing.ecr.run(capture), Approved)
        again = await standing.ecr.run(capture)
        released = await standing.ecr.run(Release(receipt=receipt, currency="EUR"))
        unknown = await standing.ecr.run(Release(receipt="4711", currency="EUR"))
        assert [each.code for each in (again, released, unknown) if isinstance(each, Declined)] == [
            "B4",
            "B4",
            "B8",
        ]
        await until_summary(standing, waiting=0)
        assert [message.mti for message in gateway.heard] == ["0100", "0220"]


async def test_book_total_takes_what_it_states_and_the_day_ends_after_it(
    gateway: Gateway, tmp_path: Path
) -> None:
    async with bench(tmp_path, gateway) as standing:
        receipt = (await standing.tap_and_hold("visa-good")).receipt
        refused = await standing.ecr.run(CloseDay())
        assert isinstance(refused, Declined)
        assert refused.kind is ResultKind.NOT_POSSIBLE
        much = await standing.ecr.run(BookTotal(receipt=receipt, amount_minor=2501, currency="EUR"))
        assert isinstance(much, Declined)
        whole = await standing.ecr.run(BookTotal(receipt=receipt, amount_minor=2500, currency="EUR"))
        assert isinstance(whole, Approved)
        assert whole.amount_minor == 2500
        again = await standing.ecr.run(BookTotal(receipt=receipt, amount_minor=2500, currency="EUR"))
        assert isinstance(again, Declined)
        assert again.kind is ResultKind.ALREADY_DONE
        assert isinstance(await standing.ecr.run(CloseDay()), DayClosed)
        assert await standing.ecr.run(Diagnose(kind=DiagnosisKind.EMV_CONFIGURATION)) == Done()
        (row,) = await standing.rows()
        assert (row["captured_minor"], row["released_minor"]) == (2500, 0)


async def test_release_gives_everything_back(gateway: Gateway, tmp_path: Path) -> None:
    async with bench(tmp_path, gateway) as standing:
        approval = await standing.tap_and_hold("mastercard-good")
        assert await standing.ecr.run(OpenAuthorisations()) == OpenList(receipts=(approval.receipt,))
        assert isinstance(await standing.ecr.run(Release(receipt=approval.receipt, currency="EUR")), Approved)
        assert await standing.ecr.run(OpenAuthorisations()) == OpenList(receipts=())
        await until_summary(standing, waiting=0)
        assert gateway.of("0420")[0].text(39) == "17"
        assert (await standing.rows())[0]["released_minor"] == 2500


@pytest.mark.parametrize(
    ("code", "result", "kind"),
    [
        ("51", "33", ResultKind.PIN_REQUIRED),
        ("05", "05", ResultKind.DECLINED),
        ("14", "0E", ResultKind.CARD_FAULT),
        ("62", "3E", ResultKind.DECLINED),
        ("82", "52", ResultKind.DECLINED),
    ],
)
async def test_declined_with_the_banks_reason(
    gateway: Gateway, tmp_path: Path, code: str, result: str, kind: ResultKind
) -> None:
    gateway.answers["0100"] = says(code)
    async with bench(tmp_path, gateway) as standing:
        outcome = await standing.tap_and_hold("visa-low")
        assert isinstance(outcome, Declined)
        assert (outcome.code, outcome.kind) == (result, kind)
        (row,) = await standing.rows()
        assert (row["state"], row["response_code"], row["authorised_minor"]) == ("DECLINED", code, 0)
        assert await standing.summary() == {"open_holds": 0, "waiting": 0, "parked": 0}


async def test_approved_for_less(gateway: Gateway, tmp_path: Path) -> None:
    gateway.answers["0100"] = says("10", amount_minor=2000)
    async with bench(tmp_path, gateway) as standing:
        approval = await standing.tap_and_hold("mastercard-partial")
        assert isinstance(approval, Approved)
        assert approval.amount_minor == 2000
        await standing.ecr.run(
            Capture(receipt=approval.receipt, hold_minor=2000, amount_minor=300, currency="EUR")
        )
        assert (await standing.rows())[0]["released_minor"] == 1700


async def test_a_silent_gateway_is_reversed_until_it_answers(gateway: Gateway, tmp_path: Path) -> None:
    gateway.answers |= {"0100": mute, "0420": mute}
    async with bench(tmp_path, gateway) as standing:
        outcome = await standing.tap_and_hold("visa-good")
        assert isinstance(outcome, Declined)
        assert outcome.code == "A1"
        assert (await standing.rows())[0]["state"] == "REVERSING"  # committed before the ECR was told
        await until_summary(standing, open_holds=0, waiting=0)
        first, repeated = gateway.of("0420")[0], gateway.of("0421")[0]
        assert first.text(39) == "68"
        assert first.text(11) == repeated.text(11) != gateway.of("0100")[0].text(11)
        assert first.text(90)[:10] == "0100" + gateway.of("0100")[0].text(11)
        (row,) = await standing.rows()
        assert (row["state"], row["authorised_minor"], row["released_minor"]) == ("REVERSED", 0, 0)


async def test_without_a_line_nothing_is_sent_and_nothing_reversed(gateway: Gateway, tmp_path: Path) -> None:
    async with bench(tmp_path, gateway) as standing:
        await standing.device.gateway.stop()
        outcome = await standing.tap_and_hold("visa-good")
        assert isinstance(outcome, Declined)
        assert outcome.code == "A3"
        assert (await standing.rows())[0]["state"] == "NOT_SENT"
        assert (await standing.summary())["waiting"] == 0


async def test_a_capture_waits_for_the_line(gateway: Gateway, tmp_path: Path) -> None:
    async with bench(tmp_path, gateway) as standing:
        receipt = (await standing.tap_and_hold("visa-good")).receipt
        await standing.device.gateway.stop()
        capture = Capture(receipt=receipt, hold_minor=2500, amount_minor=100, currency="EUR")
        assert isinstance(await standing.ecr.run(capture), Approved)
        await until_summary(standing, open_holds=0, waiting=1)
        await standing.device.gateway.start()
        await until_summary(standing, waiting=0)
        assert [message.mti for message in gateway.heard] == ["0100", "0220"]


async def test_power_cut_in_mid_authorisation_is_reversed_at_the_next_start(
    gateway: Gateway, tmp_path: Path
) -> None:
    gateway.answers["0100"] = mute
    standing = await power_on(tmp_path, gateway.server.port, terminal_timeout_s=30.0)
    asking = asyncio.create_task(standing.tap_and_hold("visa-good"))
    await until(lambda: gateway.of("0100"))
    await standing.close()
    assert isinstance(await asking, Unknown)
    async with bench(tmp_path, gateway) as again:
        await until_summary(again, open_holds=0, waiting=0)
        assert (await again.rows())[0]["state"] == "REVERSED"
        gateway.answers["0100"] = says("00")
        approval = await again.tap_and_hold("visa-good")
        assert approval.receipt == "0002"
        # A repeat (0421) keeps its number.
        traces = [message.text(11) for message in gateway.heard if not message.mti.endswith("1")]
        assert len(set(traces)) == len(traces), "a trace number came twice"


async def test_what_is_answered_while_the_advices_are_read_is_not_sent_again(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bench(tmp_path, gateway) as standing:
        approval = await standing.tap_and_hold("visa-good")
        async with reading_late(monkeypatch, standing.site.database, standing.site.bell.ring):
            await standing.ecr.run(
                Capture(receipt=approval.receipt, hold_minor=2500, amount_minor=46, currency="EUR")
            )
            await until(lambda: gateway.of("0220"))
        assert [message.mti for message in gateway.heard] == ["0100", "0220"]


async def test_a_reservation_and_an_unsent_capture_survive_a_power_cut(
    gateway: Gateway, tmp_path: Path
) -> None:
    standing = await power_on(tmp_path, gateway.server.port)
    first = await standing.tap_and_hold("visa-good")
    second = await standing.tap_and_hold("mastercard-good")
    await standing.device.gateway.stop()
    await standing.ecr.run(Capture(receipt=first.receipt, hold_minor=2500, amount_minor=100, currency="EUR"))
    await standing.close()
    async with bench(tmp_path, gateway) as again:
        assert await again.ecr.run(OpenAuthorisations()) == OpenList(receipts=(second.receipt,))
        await until_summary(again, waiting=0)
        assert gateway.of("0220")[0].text(4) == "000000000100"


async def test_a_line_cut_before_the_completion_leaves_the_reservation_open(
    gateway: Gateway, tmp_path: Path
) -> None:
    async with bench(tmp_path, gateway) as standing:
        standing.site.faults.cut_before_completion = True
        outcome = await standing.tap_and_hold("visa-good")
        assert isinstance(outcome, Unknown)
        assert outcome.seen is not None
        again = EcrLink(address=standing.ecr._address)
        assert await again.run(OpenAuthorisations()) == OpenList(receipts=(outcome.seen.receipt,))
        await again.close()


async def test_cards_and_tags_are_read_and_the_card_read_pays(gateway: Gateway, tmp_path: Path) -> None:
    async with bench(tmp_path, gateway) as standing:
        reader = standing.device.reader
        reading = asyncio.create_task(standing.ecr.run(ReadCard(timeout_s=5)))
        assert await reader.present(Medium(uid="04A1B2C3D4E5F6"), 5)
        tag = await reading
        reading = asyncio.create_task(standing.ecr.run(ReadCard(timeout_s=5)))
        assert await reader.present(Medium(card="visa-good"), 5)
        bank = await reading
        assert isinstance(tag, CardRead)
        assert isinstance(bank, CardRead)
        assert (tag.kind, tag.uid) == (CardKind.RFID, "04A1B2C3D4E5F6")
        assert (bank.kind, bank.brand, bank.last_four) == (CardKind.BANK, "VISA", "1111")
        asked = Preauthorise(amount_minor=2500, currency="EUR", reference="R")
        approval = await standing.ecr.run(asked)
        assert isinstance(approval, Approved)
        assert approval.token == bank.token != ""
        assert not await reader.present(Medium(card="visa-good"), 0.05), "nobody looks for a card now"


async def test_nobody_comes_and_the_ecr_gives_up(gateway: Gateway, tmp_path: Path) -> None:
    async with bench(tmp_path, gateway) as standing:
        assert await standing.ecr.run(ReadCard(timeout_s=1)) == CardRead(kind=CardKind.NONE)
        reading = asyncio.create_task(standing.ecr.run(ReadCard(timeout_s=60)))
        await until(lambda: standing.device.reader.reading)
        await standing.ecr.abort()
        await reading
        assert not standing.device.reader.reading


async def test_a_stuck_counter_repeats_itself_and_a_good_one_counts_on(
    gateway: Gateway, tmp_path: Path
) -> None:
    counters = []
    for _ in range(2):
        async with bench(tmp_path, gateway) as standing:
            for name in ("mastercard-replayed", "mastercard-good"):
                await standing.tap_and_hold(name)
                asked = gateway.of("0100")[-1]
                reading = verify_arqc(
                    asked.data(55),
                    issuer_master_key=issuer_master_key("mastercard"),
                    pan=card(name).pan,
                    sequence="01",
                )
                counters.append((name, reading.counter))
    assert [count for name, count in counters if name == "mastercard-replayed"] == [1, 1]
    assert [count for name, count in counters if name == "mastercard-good"] == [1, 2]


async def test_screen_and_registration(gateway: Gateway, tmp_path: Path) -> None:
    async with bench(tmp_path, gateway) as standing:
        await standing.ecr.run(Display(lines=("0.58 EUR/kWh", "Tap card")))
        assert standing.device.terminal.screen == ("0.58 EUR/kWh", "Tap card")
        standing.device.terminal.registered = False
        refused = await standing.ecr.run(ReadCard(timeout_s=1))
        assert isinstance(refused, NotSent)
        assert refused.code == "6B"


async def test_no_card_number_rests_anywhere(gateway: Gateway, tmp_path: Path) -> None:
    gateway.answers["0420"] = mute
    async with bench(tmp_path, gateway) as standing:
        for test_card in cards():
            approval = await standing.tap_and_hold(test_card.name)
            if test_card.name != "visa-good":
                await standing.ecr.run(Release(receipt=approval.receipt, currency="EUR"))
        at_rest = everything(tmp_path)
    at_rest += everything(tmp_path)
    # Ten zeros in a row are found in any database: such a number betrays nothing by its packed forms.
    telling = [test_card for test_card in cards() if "0" * 10 not in test_card.pan]
    assert len(telling) > 5
    assert [test_card.name for test_card in telling if leaks(test_card.pan, at_rest)] == []
    assert not any(test_card.pan.encode() in at_rest for test_card in cards())
    assert b"visa-good" in at_rest
