"""Cars, plans, bells and receipts by themselves."""

from __future__ import annotations

import asyncio

from tapwatt.rails.sandbox import cards
from tapwatt.sim import card as hand
from tapwatt.sim.bell import Bell
from tapwatt.sim.car import Car, Flow
from tapwatt.sim.plans import KNOWN_TAG, VisitKind, plan
from tapwatt.sim.tables import METADATA, count
from tapwatt.sim.terminal_money import result_of
from tapwatt.store import Database


def test_a_car_takes_what_it_came_for_and_no_more() -> None:
    flow = Flow(car=Car(target_wh=600), began_ms=0, last_ms=0)
    gained = [flow.advance(now_ms) for now_ms in range(0, 20_000, 250)]
    assert sum(gained) == flow.delivered_wh == 600
    assert flow.full
    assert flow.advance(30_000) == 0
    assert flow.power_w == 0
    assert 5_000 < next(at for at, _ in enumerate(gained) if sum(gained[: at + 1]) == 600) * 250 < 12_000


def test_energy_does_not_depend_on_how_often_it_is_looked_at() -> None:
    often = Flow(car=Car(target_wh=9_000), began_ms=-10_000, last_ms=0)
    once = Flow(car=Car(target_wh=9_000), began_ms=-10_000, last_ms=0)
    for now_ms in range(1, 3_601):
        often.advance(now_ms)
    once.advance(3_600)
    assert often.delivered_wh == once.delivered_wh == 350


def test_time_running_backwards_gives_nothing() -> None:
    flow = Flow(car=Car(), began_ms=1_000, last_ms=5_000)
    assert flow.advance(4_000) == 0


def test_the_same_seed_brings_the_same_drivers() -> None:
    ours = [plan(seed=7, number=number, evses=(1, 2)) for number in range(1, 60)]
    assert ours == [plan(seed=7, number=number, evses=(1, 2)) for number in range(1, 60)]
    assert ours != [plan(seed=8, number=number, evses=(1, 2)) for number in range(1, 60)]
    paid = {VisitKind.CAR_FULL, VisitKind.STOP_BUTTON, VisitKind.TAP_TO_STOP}
    assert {each.kind for each in ours[:3]} == paid
    assert {each.kind for each in ours} == set(VisitKind)
    known = {each.name for each in cards()}
    assert all(each.card in known or each.id_token == KNOWN_TAG for each in ours)


def test_results_are_the_banks_codes() -> None:
    assert [result_of(code) for code in ("51", "05", "00", "1A", "", "63")] == [51, 5, 5, 5, 5, 63]


def test_names_of_cards_are_unlike_their_numbers() -> None:
    shown = {hand.masked(each) for each in cards()}
    assert all("*" in each for each in shown)
    assert {hand.brand(each) for each in cards()} == {"VISA", "MASTERCARD"}


async def test_counters_go_round_and_never_twice(database_url: str) -> None:
    database = await Database.open(database_url, metadata=METADATA)
    counted = [await database.write(lambda tx: count(tx, "x", most=3)) for _ in range(5)]
    await database.close()
    assert counted == [1, 2, 3, 1, 2]


async def test_a_bell_wakes_who_waits_and_lets_go_in_time() -> None:
    bell, facts = Bell(), list[int]()
    waiting = asyncio.create_task(bell.until(lambda: len(facts) > 0, 5))
    await asyncio.sleep(0)
    facts.append(1)
    bell.ring()
    assert await asyncio.wait_for(waiting, 1)
    assert not await bell.until(lambda: False, 0.02)
