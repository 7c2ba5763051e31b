"""A tariff's life, on both engines: drafts, publication, validity,
retirement; and what a session is offered."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal as D
from typing import Any, TypeVar

import msgspec
import pytest
from sqlalchemy import insert
from tests.markets.test_lint import ENERGY, FLAT, KWH, TIME, of, tariff
from tests.platform.conftest import Site
from tests.platform.test_sessions_at_work import charging, stop, until

from tapwatt.core.tariff.model import Limits, Tariff
from tapwatt.ocpp import messages as ocpp
from tapwatt.platform import places, repricing, tariffs
from tapwatt.platform.tables import SESSION
from tapwatt.platform.tariffs import Findings, NoSuchTariff, UnableToChangeTariff
from tapwatt.store import Transaction

NOW = 1_800_000_000_000
HOUR = 3_600_000
DEMO = "DC-0.58"
Result = TypeVar("Result")


def dearer(**more: Any) -> Tariff:
    return replace(tariff(of(KWH, "0.59"), **more), tariff_id=DEMO)


async def write(site: Site, work: Callable[[Transaction], Result]) -> Result:
    return await site.database.write(work)


async def put(site: Site, value: Tariff, *, operator_id: str = "demo", at_ms: int = NOW) -> int:
    return await write(
        site, lambda tx: tariffs.put(tx, value, operator_id=operator_id, by="Ada", at_ms=at_ms)
    )


async def publish(site: Site, version: int, *, at_ms: int = NOW, **more: Any) -> Any:
    which = {
        "operator_id": "demo",
        "tariff_id": DEMO,
        "version": version,
        "by": "Ada",
        "at_ms": at_ms,
        **more,
    }
    check = {
        name: value
        for name, value in which.items()
        if name in ("operator_id", "tariff_id", "version", "at_ms")
    }
    found = await site.database.read(lambda tx: tariffs.checked(tx, **check))
    await write(site, lambda tx: tariffs.publish(tx, **which, found=found))
    return found


async def retire(site: Site, version: int, *, at_ms: int = NOW, why: str = "a mistake") -> None:
    which = {"operator_id": "demo", "tariff_id": DEMO, "version": version, "by": "Ada", "at_ms": at_ms}
    await write(site, lambda tx: tariffs.retire(tx, **which, why=why))  # type: ignore[arg-type]


async def in_force(site: Site, at_ms: int, operator_id: str = "demo") -> Tariff | None:
    return await site.database.read(
        lambda tx: tariffs.in_force(tx, operator_id=operator_id, tariff_id=DEMO, at_ms=at_ms)
    )


async def price_at(site: Site, at_ms: int) -> D | None:
    found = await in_force(site, at_ms)
    return None if found is None else found.elements[0].components[0].price


async def versions(site: Site) -> dict[int, str]:
    rows = await site.database.read(lambda tx: tx.run(tariffs.VERSIONS, operator_id="demo", tariff_id=DEMO))
    return {row.version: row.state for row in rows}


async def test_a_draft_is_not_in_force_and_a_newer_one_replaces_it(site: Site) -> None:
    assert await put(site, dearer()) == 2
    assert await put(site, dearer(limits=Limits(max_net=D(80)))) == 3
    assert await versions(site) == {3: "draft", 2: "retired", 1: "published"}
    assert await price_at(site, NOW) == D("0.4900")
    assert await in_force(site, NOW, "other") is None


async def test_a_published_version_follows_the_one_before_without_a_gap(site: Site) -> None:
    await put(site, dearer(valid_from_ms=NOW + HOUR))
    assert await publish(site, 2) == ()
    assert [await price_at(site, NOW + ms) for ms in (0, HOUR - 1, HOUR)] == [D("0.49"), D("0.49"), D("0.59")]
    assert await versions(site) == {2: "published", 1: "published"}


async def test_a_version_without_a_beginning_begins_now_and_never_before(site: Site) -> None:
    await put(site, dearer(valid_from_ms=NOW - HOUR))
    with pytest.raises(Findings, match="the tariff begins in the past"):
        await publish(site, 2)
    await publish(site, 2, accept="late, but so be it")
    assert [await price_at(site, NOW + ms) for ms in (-1, 0)] == [D("0.49"), D("0.59")]


async def test_an_end_is_an_end(site: Site) -> None:
    await put(site, dearer(valid_to_ms=NOW + HOUR))
    await publish(site, 2)
    assert [await price_at(site, NOW + ms) for ms in (0, HOUR - 1, HOUR)] == [D("0.59"), D("0.59"), None]


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ({"valid_from_ms": NOW + HOUR}, {}, "version 2 is published from 2027-01-15 09:00 UTC on"),
        ({"valid_from_ms": NOW + HOUR}, {"valid_to_ms": NOW + HOUR + 1}, "version 2 is published from"),
        ({"valid_to_ms": NOW + HOUR}, {"valid_from_ms": NOW + HOUR - 1}, "version 2 is published until"),
        ({"valid_to_ms": NOW + HOUR}, {}, "version 2 is published until 2027-01-15 09:00 UTC"),
    ],
)
async def test_two_versions_are_not_valid_at_once(
    site: Site, first: dict[str, int], second: dict[str, int], reason: str
) -> None:
    await put(site, dearer(**first))
    await publish(site, 2)
    await put(site, dearer(**second))
    with pytest.raises(UnableToChangeTariff, match=reason):
        await publish(site, 3)
    assert (await versions(site))[3] == "draft"


async def test_versions_that_touch_are_not_at_once(site: Site) -> None:
    await put(site, dearer(valid_from_ms=NOW + HOUR, valid_to_ms=NOW + 2 * HOUR))
    await publish(site, 2)
    await put(site, dearer(valid_to_ms=NOW + HOUR))
    await publish(site, 3)
    await put(site, dearer(valid_from_ms=NOW + 2 * HOUR))
    await publish(site, 4)
    found = [await price_at(site, NOW + ms) for ms in (0, HOUR, 2 * HOUR, 99 * HOUR)]
    assert found == [D("0.59")] * 4


async def test_errors_block_and_warnings_need_a_reason(site: Site) -> None:
    await put(site, replace(dearer(), elements=(of(KWH, "0.59"), of(FLAT, "1"))))
    with pytest.raises(Findings, match=r"1 error.*only an occupancy fee") as refused:
        await publish(site, 2, accept="I want it all the same")
    assert {one.rule for one in refused.value.found} == {"eu-only-kwh-and-occupancy"}
    await put(site, replace(dearer(), elements=(of(KWH, "2.59"),)))
    for accept in ("", "  x ", "y" * 501):
        with pytest.raises(Findings, match=r"1 warning.*is unusual; is the point in its place"):
            await publish(site, 3, accept=accept)
    await publish(site, 3, accept="really so dear")
    assert await price_at(site, NOW) == D("2.59")


async def test_what_is_published_is_not_published_again_and_history_stays(site: Site) -> None:
    await put(site, dearer())
    await publish(site, 2, at_ms=NOW + 1)
    for version, state in ((1, "published"), (2, "published")):
        with pytest.raises(UnableToChangeTariff, match=f"is {state}: it cannot be published"):
            await publish(site, version)
    with pytest.raises(NoSuchTariff, match="there is no version 9 of tariff"):
        await publish(site, 9)
    with pytest.raises(NoSuchTariff):
        await publish(site, 1, operator_id="other")
    row = await site.database.read(
        lambda tx: tariffs.version_of(tx, operator_id="demo", tariff_id=DEMO, version=1)
    )
    assert tariffs.tariff_of(row).elements[0].components[0].price == D("0.4900")
    assert (row.created_by, row.published_by, row.valid_from_ms, row.valid_to_ms) == (
        "sandbox",
        "sandbox",
        0,
        None,
    )


async def test_a_scheduled_version_is_taken_back_and_the_one_before_goes_on(site: Site) -> None:
    await put(site, dearer(valid_from_ms=NOW + HOUR))
    await publish(site, 2)
    await retire(site, 2)
    assert await price_at(site, NOW + 2 * HOUR) == D("0.49")
    with pytest.raises(UnableToChangeTariff, match="is retired: it cannot be retired"):
        await retire(site, 2)


async def test_stations_are_not_left_without_a_price(site: Site) -> None:
    with pytest.raises(UnableToChangeTariff, match=r"1 of the stations would have no price \(CS1\)"):
        await retire(site, 1)
    with pytest.raises(UnableToChangeTariff, match="a reason of 3 to 500"):
        await retire(site, 1, why=" ")
    other = replace(tariff(ENERGY), tariff_id="NEW")
    await put(site, other)
    assign = {"operator_id": "demo", "station_id": "CS1", "tariff_id": "NEW", "at_ms": NOW}
    with pytest.raises(UnableToChangeTariff, match="no version of tariff NEW is in force"):
        await write(site, lambda tx: tariffs.assign(tx, **assign))  # type: ignore[arg-type]
    await publish(site, 1, tariff_id="NEW")
    await write(site, lambda tx: tariffs.assign(tx, **assign))  # type: ignore[arg-type]
    await retire(site, 1)
    assert await price_at(site, NOW) is None
    for wrong in ({"station_id": "CS9"}, {"tariff_id": "X"}, {"operator_id": "other"}):
        with pytest.raises(NoSuchTariff):
            await write(site, lambda tx, wrong=wrong: tariffs.assign(tx, **assign | wrong))  # type: ignore[misc]


async def test_a_station_does_not_get_what_the_law_forbids_there(site: Site) -> None:
    by_time = replace(tariff(of(TIME, "12")), tariff_id="TIME")
    await put(site, by_time)
    await publish(site, 1, tariff_id="TIME")
    with pytest.raises(Findings, match="no price per kWh"):
        await write(
            site,
            lambda tx: tariffs.assign(tx, operator_id="demo", station_id="CS1", tariff_id="TIME", at_ms=NOW),
        )


async def test_a_session_keeps_the_version_it_began_with(site: Site) -> None:
    session, transaction_id = await charging(site)
    await put(site, dearer())
    await publish(site, 2, at_ms=site.now_ms())
    await site.says(stop(transaction_id, 120_000, after_s=600))
    closing = await until(site, "closing")
    assert (closing["session_id"], closing["cost_minor"]) == (session["session_id"], 1166)
    await site.status("preparing", evse_id=2)
    assert (
        "0.7021 EUR/kWh" in (await site.sessions())[0]["price"]
        or "0.70 EUR/kWh" in (await site.sessions())[0]["price"]
    )


async def test_where_no_price_is_in_force_nothing_is_offered_and_nothing_breaks(site: Site) -> None:
    await put(site, dearer(valid_to_ms=NOW + 1))
    await publish(site, 2)
    await site.status("preparing")
    assert await site.sessions() == []
    answer = await site.tap()
    assert (answer.accepted, answer.reason) == (False, "No price is in force here now")
    started = await site.says(
        ocpp.TransactionStarted(evse_id=1, id_token="04A1B2C3D4E5F6", register_wh=0, at_ms=NOW)
    )
    assert started.token.status is ocpp.TokenStatus.INVALID


async def test_a_site_rounds_as_its_country(site: Site) -> None:
    station = await site.database.read(lambda tx: tx.one(places.FIND_STATION, station_id="CS1"))
    assert station is not None
    assert places.site_of(station, at_ms=NOW).rounding.name == "total, half up"


async def test_there_is_a_bound_on_versions(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tariffs, "VERSIONS_MAX", 2)
    monkeypatch.setattr(tariffs, "TARIFFS_MAX", 1)
    await put(site, dearer())
    with pytest.raises(UnableToChangeTariff, match="2 versions, the most allowed"):
        await put(site, dearer())
    with pytest.raises(UnableToChangeTariff, match="1 tariffs, the most allowed"):
        await put(site, tariff(ENERGY))
    monkeypatch.setattr(tariffs, "BODY_MAX", 10)
    with pytest.raises(UnableToChangeTariff, match="characters; at most 10"):
        await put(site, dearer())


async def closed_sessions(site: Site, count: int) -> None:
    """Copies of one closed session of 20 kWh, each opened a minute later."""
    _, transaction_id = await charging(site)
    await site.says(stop(transaction_id, 120_000, after_s=600))
    await until(site, "closing")
    async with asyncio.timeout(5):
        while type(site.wires.operated[-1]).__name__ != "Capture":  # noqa: ASYNC110 - looked at from outside
            await asyncio.sleep(0.01)
    capture = site.wires.operated[-1]
    await site.outcome(capture.key, "capture", "done", amount_minor=capture.amount_minor)
    await until(site, "closed")

    def copies(tx: Transaction) -> None:
        from tapwatt.platform.views import LAST_SESSIONS

        row = tx.run(LAST_SESSIONS, operator_id="demo", most=1)[0]
        for number in range(count):
            values = {**row._asdict(), "id": f"COPY{number}", "created_ms": row.created_ms + number * 60_000}
            tx.run(insert(SESSION.machine), **values)

    await site.database.write(copies)


async def test_a_draft_is_tried_on_the_last_month(site: Site) -> None:
    await closed_sessions(site, 3)
    now_ms = site.now_ms()

    def simulate(
        tx: Transaction, draft: Tariff, operator_id: str = "demo", at_ms: int = now_ms
    ) -> dict[str, Any]:
        ids = repricing.newest(tx, operator_id=operator_id, now_ms=at_ms)
        found = repricing.repriced(tx, ids, operator_id=operator_id, draft=draft)
        return repricing.compared(found, looked_at=len(ids), currency=draft.currency)

    told = await site.database.read(lambda tx: simulate(tx, dearer()))
    # 20 kWh: 11.66 EUR at 0.49 + 19 %, 14.04 EUR at 0.59 + 19 %
    assert (told["looked_at"], told["sessions"], told["dearer"], told["cheaper"]) == (4, 4, 4, 0)
    assert (told["before_minor"], told["after_minor"], told["change_minor"]) == (4664, 5616, 952)
    assert told["distribution"] == [{"change": "20 to 50 %", "sessions": 4}]
    assert len(told["most_added"]) == 4
    assert told["most_saved"] == []
    cheaper = replace(tariff(of(KWH, "0.20")), tariff_id=DEMO)
    assert (await site.database.read(lambda tx: simulate(tx, cheaper)))["distribution"] == [
        {"change": "-50 % or less", "sessions": 4}
    ]
    other_currency = replace(dearer(), currency="CHF")
    for none in (replace(dearer(), tariff_id="NEW"), other_currency):
        assert (await site.database.read(lambda tx, none=none: simulate(tx, none)))["sessions"] == 0  # type: ignore[misc]
    assert (await site.database.read(lambda tx: simulate(tx, dearer(), "other")))["looked_at"] == 0
    late = now_ms + 32 * 86_400_000
    assert (await site.database.read(lambda tx: simulate(tx, dearer(), at_ms=late)))["looked_at"] == 0


def test_the_distribution_has_a_place_for_everything() -> None:
    def one(before: int, after: int) -> repricing.Repriced:
        return repricing.Repriced(
            session_id="S", opened_ms=0, energy_wh=1, before_minor=before, after_minor=after
        )

    cases = [(100, 100), (0, 5), (100, 50), (100, 51), (100, 99), (100, 101), (100, 150), (100, 151)]
    told = repricing.compared([one(*case) for case in cases], looked_at=9, currency="EUR")
    assert {each["change"]: each["sessions"] for each in told["distribution"]} == {
        "unchanged": 1, "was free": 1, "-50 % or less": 1, "-50 to -20 %": 1, "-5 to 0 %": 1, "0 to 5 %": 1,
        "20 to 50 %": 1, "more than 50 %": 1,
    }  # fmt: skip
    assert repricing.compared([], looked_at=0, currency="EUR")["distribution"] == []
    assert msgspec.json.encode(told)
