"""What a day's work asks of the platform: sessions found, holds, stations and terminals, figures, notes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from tapwatt.core.ids import receipt_token
from tapwatt.core.tariff.clock import zone_of
from tapwatt.platform import (
    accounts,
    alarms,
    audit,
    day_figures,
    facts,
    finding,
    fleet,
    holds,
    notes,
    receipts,
    review,
    views,
)
from tapwatt.platform.finding import Wanted
from tapwatt.platform.paging import read_cursor, write_cursor
from tapwatt.store import Database, Transaction, UnableToQueue, UnableToStore
from tapwatt.web.gate import acting

Json = dict[str, Any]
USUAL_CURRENCY, USUAL_ZONE = "EUR", "UTC"
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(8999, 12, 31)
"""The days that figures are asked of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """An operator's day; every question has the operator's name in it."""

    database: Database
    operator_id: str
    now_ms: Callable[[], int]
    chance: Callable[[int], bytes]

    def new_key(self) -> str:
        """A key for an order that came without one."""
        return receipt_token(self.chance(receipts.TOKEN_BYTES))

    async def operator(self) -> Json:
        """The operator's name and time zone; while the store gives nothing, those of nobody."""
        try:
            row = await self.database.read(
                lambda tx: tx.one(receipts.FIND_OPERATOR, operator_id=self.operator_id)
            )
        except (UnableToStore, UnableToQueue):
            row = None
        if row is None:
            return {"name": self.operator_id, "time_zone": USUAL_ZONE}
        return {"name": row.name, "time_zone": row.time_zone}

    async def zone(self) -> ZoneInfo:
        """The operator's clock."""
        return zone_of((await self.operator())["time_zone"])

    async def currency(self) -> str:
        """The currency of the newest session: what an amount is typed in."""
        row = await self.database.read(lambda tx: tx.one(facts.NEWEST, operator_id=self.operator_id))
        return row.currency if row else USUAL_CURRENCY

    async def sessions(self, wanted: Wanted, *, cursor: str | None, most: int) -> Json:
        """A page of sessions, newest first, and the cursor of the next. Raises UnableToRead for a cursor that
        is none of this list's."""

        def read(tx: Transaction) -> Json:
            rows, after = finding.find(
                tx, operator_id=self.operator_id, wanted=wanted, cursor=cursor, most=most
            )
            return {"sessions": [views.session(row) for row in rows], "cursor": after}

        return await self.database.read(read)

    async def holds(self, *, cursor: str | None = None, most: int = holds.HOLDS_MAX) -> Json:
        """A page of open holds, what ends first first. Raises UnableToRead."""
        now_ms, owner = self.now_ms(), self.operator_id
        return await self.database.read(
            lambda tx: holds.open_holds(tx, operator_id=owner, now_ms=now_ms, cursor=cursor, most=most)
        )

    async def stations(self, after: str) -> Json:
        """A page of stations with their health."""
        return await self.database.read(
            lambda tx: fleet.stations(tx, operator_id=self.operator_id, after=after)
        )

    async def terminals(self, after: str) -> Json:
        """A page of terminals with their health."""
        return await self.database.read(
            lambda tx: fleet.terminals(tx, operator_id=self.operator_id, after=after)
        )

    async def stations_page(self, *, cursor: str | None, most: int) -> Json:
        """The same for programs, with a cursor. Raises UnableToRead."""
        return await self._paged("stations", fleet.stations, cursor, most)

    async def terminals_page(self, *, cursor: str | None, most: int) -> Json:
        """The same for programs, with a cursor. Raises UnableToRead."""
        return await self._paged("terminals", fleet.terminals, cursor, most)

    async def _paged(self, listed: str, view: Callable[..., Json], cursor: str | None, most: int) -> Json:
        (after,) = read_cursor(listed, cursor, str) if cursor else ("",)
        page = await self.database.read(
            lambda tx: view(tx, operator_id=self.operator_id, after=after, most=most)
        )
        following = page["after"]
        return {
            listed: page[listed],
            "cursor": None if following is None else write_cursor(listed, following),
        }

    async def terminal(self, terminal_id: str) -> Json | None:
        """One terminal; None when there is none."""
        return await self.database.read(
            lambda tx: fleet.one_terminal(tx, operator_id=self.operator_id, terminal_id=terminal_id)
        )

    async def accounts(self, *, cursor: str | None, most: int) -> Json:
        """A page of accounts. Raises UnableToRead."""
        return await self._listed(accounts.listing, cursor, most)

    async def receipts(self, *, cursor: str | None, most: int) -> Json:
        """A page of receipts, newest first. Raises UnableToRead."""
        return await self._listed(receipts.listing, cursor, most)

    async def alarms_waiting(self, *, cursor: str | None, most: int) -> Json:
        """A page of what waits for a person. Raises UnableToRead."""
        return await self._listed(alarms.waiting, cursor, most)

    async def alarms_noted(self, *, cursor: str | None, most: int) -> Json:
        """A page of what somebody took note of. Raises UnableToRead."""
        return await self._listed(alarms.noted, cursor, most)

    async def _listed(self, view: Callable[..., Json], cursor: str | None, most: int) -> Json:
        return await self.database.read(
            lambda tx: view(tx, operator_id=self.operator_id, cursor=cursor, most=most)
        )

    async def station(self, station_id: str) -> Json | None:
        """One station with all that is known of it, and its last doubtful messages; None when there is
        none."""
        return await self.database.read(
            lambda tx: fleet.one_station(tx, operator_id=self.operator_id, station_id=station_id)
        )

    async def alarms(self) -> Json:
        """What waits for a person, and the last that somebody took note of."""
        owner = self.operator_id
        return await self.database.read(
            lambda tx: {
                "alarms": views.alarms(tx, operator_id=owner),
                "noted": review.noted(tx, operator_id=owner),
            }
        )

    async def figures(self, day: date | None) -> Json:
        """The key figures of a day, today's if none is named, by the operator's clock."""
        zone = await self.zone()
        of = day or day_figures.day_of(self.now_ms(), zone)
        counted, left_out = await self.database.read(
            lambda tx: day_figures.of_day(tx, operator_id=self.operator_id, day=of, zone=zone)
        )
        return {
            "day": of,
            "today": day_figures.day_of(self.now_ms(), zone),
            "figures": counted,
            "left_out": left_out,
        }

    async def notes(self, session_id: str) -> list[Json]:
        """What people wrote about a session."""
        return await self.database.read(
            lambda tx: notes.of_session(tx, operator_id=self.operator_id, session_id=session_id)
        )

    async def note(self, session_id: str, *, text: str, by: str, key: str | None) -> bool:
        """Write a note; False when the operator has no such session. Raises UnableToNote."""
        who, now_ms, note_key = acting(self.operator_id, by), self.now_ms(), key or self.new_key()

        def work(tx: Transaction) -> bool:
            known = notes.add(
                tx,
                operator_id=self.operator_id,
                session_id=session_id,
                text=text,
                by=who.name,
                key=note_key,
                at_ms=now_ms,
            )
            if known:
                audit.append(tx, who, "note", session_id, at_ms=now_ms)
            return known

        return await self.database.write(work)
