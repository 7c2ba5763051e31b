"""An operator's tariffs at the desk: every question and order about them, with the operator's name in it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

from tapwatt.core.bill import Bill
from tapwatt.core.hold import hold_for, hold_sentence
from tapwatt.core.site import Site
from tapwatt.core.tariff.clock import epoch_ms, local, zone_of
from tapwatt.core.tariff.model import Tariff
from tapwatt.core.tariff.quotes import quote, quote_sentence
from tapwatt.core.tariff.shown import price_sentence
from tapwatt.platform import audit, places, repricing, tariff_views, tariffs
from tapwatt.platform.approvals import Kind, Order
from tapwatt.platform.paging import cut, read_cursor, write_cursor
from tapwatt.platform.places import Terms
from tapwatt.store import Database, Row, Transaction
from tapwatt.web.gate import acting
from tapwatt.web.orders import Orders

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A charge that is only thought of. `at` is a time of day at the station, `18:00`; empty: now."""

    energy_wh: int = 20_000
    charging_ms: int = 25 * 60_000
    idle_ms: int = 0
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffDesk:
    """The tariffs of one operator. `terms` are those that sessions are offered with, for holds."""

    database: Database
    operator_id: str
    now_ms: Callable[[], int]
    orders: Orders
    terms: Terms | None = None

    async def listing(self) -> list[Json]:
        """Every tariff with what is in force of it."""
        now_ms, owner = self.now_ms(), self.operator_id
        return await self.database.read(lambda tx: tariff_views.listing(tx, operator_id=owner, now_ms=now_ms))

    async def listing_page(self, *, cursor: str | None, most: int) -> Json:
        """A page of tariffs by id. Raises UnableToRead."""
        (after,) = read_cursor("tariffs", cursor, str) if cursor else ("",)
        later = [each for each in await self.listing() if each["tariff_id"] > str(after)]
        page, following = cut(later, most, lambda each: write_cursor("tariffs", each["tariff_id"]))
        return {"tariffs": page, "cursor": following}

    def shown(self, tx: Transaction, tariff_id: str, version: int) -> Json:
        """A version, whole, as a transaction sees it. Raises NoSuchTariff."""
        return tariff_views.page(
            tx, operator_id=self.operator_id, tariff_id=tariff_id, version=version, now_ms=self.now_ms()
        )

    async def page(self, tariff_id: str, version: int | None = None) -> Json:
        """One version of a tariff, whole. Raises NoSuchTariff."""
        now_ms, owner = self.now_ms(), self.operator_id
        return await self.database.read(
            lambda tx: tariff_views.page(
                tx, operator_id=owner, tariff_id=tariff_id, version=version, now_ms=now_ms
            )
        )

    async def tariff(self, tariff_id: str, version: int | None) -> Tariff:
        """What a version says. Raises NoSuchTariff."""
        owner = self.operator_id
        row: Row = await self.database.read(
            lambda tx: tariffs.version_of(tx, operator_id=owner, tariff_id=tariff_id, version=version)
        )
        return tariffs.tariff_of(row)

    async def put(self, tariff: Tariff, *, by: str, note: str = "", document: str | None = None) -> int:
        """Keep a draft; returns the number of its version. Raises UnableToChangeTariff."""
        now_ms, owner, who = self.now_ms(), self.operator_id, acting(self.operator_id, by)

        def work(tx: Transaction) -> int:
            version = tariffs.put(
                tx, tariff, operator_id=owner, by=who.name, at_ms=now_ms, note=note, document=document
            )
            audit.append(tx, who, "tariff drafted", f"{tariff.tariff_id}/{version}", at_ms=now_ms)
            return version

        return await self.database.write(work)

    async def publish(self, tariff_id: str, version: int, *, by: str, accept: str) -> None:
        """Publish a draft. Raises UnableToChangeTariff and its kinds; Waits when a second person is
        needed."""
        await self._give(Kind.PUBLISH, f"{tariff_id}/{version}", by, accept=accept)

    async def retire(self, tariff_id: str, version: int, *, by: str, why: str) -> None:
        """End a version. Raises as `publish`."""
        await self._give(Kind.RETIRE, f"{tariff_id}/{version}", by, why=why)

    async def assign(self, station_id: str, tariff_id: str) -> None:
        """Give a station a tariff. Raises as `publish`."""
        await self._give(Kind.ASSIGN, station_id, "operator", tariff_id=tariff_id)

    async def _give(self, kind: Kind, subject: str, by: str, **body: str) -> None:
        await self.orders.give(Order(kind=kind, subject=subject, body=dict(body)), by=by)

    async def simulate(self, tariff_id: str, version: int) -> Json:
        """What a version would have changed last month: closed sessions priced again, slice by slice."""
        draft, now_ms, owner = await self.tariff(tariff_id, version), self.now_ms(), self.operator_id
        ids = await self.database.read(lambda tx: repricing.newest(tx, operator_id=owner, now_ms=now_ms))
        found: list[repricing.Repriced] = []
        for start in range(0, len(ids), repricing.SLICE):
            part = ids[start : start + repricing.SLICE]

            def read(tx: Transaction, part: list[str] = part) -> list[repricing.Repriced]:
                return repricing.repriced(tx, part, operator_id=owner, draft=draft)

            found += await self.database.read(read)
        return repricing.compared(found, looked_at=len(ids), currency=draft.currency)

    async def site(self, station_id: str | None) -> tuple[Site, int]:
        """Where a station stands, and its power; nowhere without one. Raises NoSuchTariff for a
        stranger's."""
        if not station_id:
            return Site(), 0
        at_ms, owner = self.now_ms(), self.operator_id
        station = await self.database.read(
            lambda tx: tx.one(tariffs.FIND_OWN_STATION, operator_id=owner, station_id=station_id)
        )
        if station is None:
            raise tariffs.NoSuchTariff(f"there is no station {station_id}")
        return places.site_of(station, at_ms=at_ms), int(station.max_power_w)

    async def quote(self, tariff: Tariff, charge: Charge, station_id: str | None = None) -> Json:
        """What a charge would cost there, in a sentence and as a bill, and the hold that would be asked."""
        site, power_w = await self.site(station_id)
        at_ms = next_at(charge.at, now_ms=self.now_ms(), time_zone=site.time_zone)
        asked = {
            "at_ms": at_ms,
            "energy_wh": charge.energy_wh,
            "charging_ms": charge.charging_ms,
            "idle_ms": charge.idle_ms,
        }
        bill: Bill = quote(tariff, site=site, **asked)
        return {
            "at_ms": at_ms,
            "sentence": quote_sentence(tariff, site=site, **asked),
            "price": price_sentence(tariff, at_ms=at_ms, time_zone=site.time_zone, evse_kind=site.evse_kind),
            "hold": self._hold(tariff, at_ms, site, power_w),
            "currency": bill.currency,
            "gross_minor": bill.gross_minor,
            "bill": msgspec.to_builtins(bill, builtin_types=()),
        }

    def _hold(self, tariff: Tariff, at_ms: int, site: Site, power_w: int) -> str:
        if self.terms is None:
            return ""
        policy = hold_for(self.terms.hold, tariff, at_ms=at_ms, max_power_w=power_w, site=site)
        return hold_sentence(policy, currency=tariff.currency)


def next_at(clock: str, *, now_ms: int, time_zone: str) -> int:
    """The next moment at which a station's clock shows this time of day; now where none is given. Raises
    ValueError."""
    if not clock:
        return now_ms
    hours, _, minutes = clock.partition(":")
    if not (hours.isdecimal() and minutes.isdecimal() and int(hours) < 24 and int(minutes) < 60):
        raise ValueError(f"a time of day is written like 18:00, not {clock[:20]}")
    now = local(now_ms, zone_of(time_zone))
    wanted = now.replace(hour=int(hours), minute=int(minutes), second=0, microsecond=0)
    return epoch_ms(wanted if wanted >= now else wanted + timedelta(days=1))
