"""Who stands where: stations, connectors, terminals and which of them belong together; and the offer of a
session there."""

from dataclasses import dataclass, replace
from functools import cache

import structlog
from sqlalchemy import bindparam, insert, select, update

from tapwatt.core import ids
from tapwatt.core.events import Limits, Offered, Resumed, Suspended
from tapwatt.core.hold import DerivedHold, HoldPolicy, hold_for
from tapwatt.core.site import Site
from tapwatt.core.tariff.clock import local, zone_of
from tapwatt.markets.jurisdictions import rounding_for
from tapwatt.platform import tariffs
from tapwatt.platform.tables import (
    CONNECTOR,
    STATION,
    STATION_CONFIGURATION,
    TARIFF_VERSION,
    TERMINAL,
    TERMINAL_EVSE,
)
from tapwatt.store import Row, Transaction
from tapwatt.terminals.profiles import Profile, UnableToLoadProfile, load_profile

FREE, PLUGGED, IDLE = "available", "preparing", "suspended_ev"
CONNECTED = ("preparing", "charging", "suspended_ev", "suspended_evse", "finishing", "occupied")
"""Statuses in which a car is at the connector; only a `preparing` one waits to be paid for."""

FIND_STATION = select(STATION).where(STATION.c.station_id == bindparam("station_id"))
FIND_TERMINAL = select(TERMINAL).where(TERMINAL.c.terminal_id == bindparam("terminal_id"))
FIRST_TARIFF = (
    select(TARIFF_VERSION.c.operator_id, TARIFF_VERSION.c.tariff_id)
    .where(TARIFF_VERSION.c.state == tariffs.PUBLISHED)
    .order_by(TARIFF_VERSION.c.operator_id, TARIFF_VERSION.c.tariff_id)
    .limit(1)
)
FIND_CONNECTOR = select(CONNECTOR).where(
    CONNECTOR.c.operator_id == bindparam("operator_id"),
    CONNECTOR.c.station_id == bindparam("station_id"),
    CONNECTOR.c.evse_id == bindparam("evse_id"),
)
FIND_KEY = select(STATION_CONFIGURATION.c.value).where(
    STATION_CONFIGURATION.c.operator_id == bindparam("operator_id"),
    STATION_CONFIGURATION.c.station_id == bindparam("station_id"),
    STATION_CONFIGURATION.c.key == bindparam("key"),
)
SHOWS_COSTS = "CustomDisplayCostAndPrice"
"""The configuration key of a station with a display for costs (OCPP 1.6 cost messages)."""
TERMINALS_AT = select(TERMINAL_EVSE.c.terminal_id).where(
    TERMINAL_EVSE.c.operator_id == bindparam("operator_id"),
    TERMINAL_EVSE.c.station_id == bindparam("station_id"),
    TERMINAL_EVSE.c.evse_id == bindparam("evse_id"),
)
SERVED_BY = (
    select(CONNECTOR)
    .join(
        TERMINAL_EVSE,
        (TERMINAL_EVSE.c.operator_id == CONNECTOR.c.operator_id)
        & (TERMINAL_EVSE.c.station_id == CONNECTOR.c.station_id)
        & (TERMINAL_EVSE.c.evse_id == CONNECTOR.c.evse_id),
    )
    .where(
        TERMINAL_EVSE.c.operator_id == bindparam("operator_id"),
        TERMINAL_EVSE.c.terminal_id == bindparam("terminal_id"),
    )
    .order_by(CONNECTOR.c.since_ms.desc())
)
ADD_CONNECTOR = insert(CONNECTOR)
SET_CONNECTOR = (
    update(CONNECTOR)
    .where(
        CONNECTOR.c.operator_id == bindparam("owner"),
        CONNECTOR.c.station_id == bindparam("station"),
        CONNECTOR.c.evse_id == bindparam("evse"),
    )
    .values(status=bindparam("status"), error=bindparam("error"), since_ms=bindparam("since_ms"))
)
ADD_STATION = insert(STATION)
SET_STATION_IDENTITY = (
    update(STATION)
    .where(STATION.c.station_id == bindparam("station"))
    .values({name: bindparam(name) for name in ("vendor", "model", "serial", "firmware", "meter_serial")})
)
SET_STATION_SEEN = (
    update(STATION)
    .where(STATION.c.station_id == bindparam("station"))
    .values(connected=bindparam("connected"), seen_ms=bindparam("seen_ms"))
)
SET_TERMINAL = (
    update(TERMINAL)
    .where(TERMINAL.c.terminal_id == bindparam("terminal"))
    .values({name: bindparam(name) for name in ("serial", "tid", "state", "text", "since_ms")})
)
ALL_GONE = update(STATION).values(connected=0)
"""At a start nobody is connected yet, whatever the rows of the last run say."""
EDGE_GONE = (
    update(TERMINAL)
    .where(TERMINAL.c.edge_id == bindparam("edge"))
    .values(state="offline", text="its edge is not connected", since_ms=bindparam("since_ms"))
)
SET_SCREEN = (
    update(TERMINAL).where(TERMINAL.c.terminal_id == bindparam("terminal")).values(screen=bindparam("screen"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What every session is offered with, where no operator has said otherwise."""

    hold: HoldPolicy | DerivedHold
    limits: Limits
    choices_minor: tuple[int, ...] = ()
    """Other holds that a driver may choose."""
    step_minor: int = 0
    """By how much a hold is raised while the charge runs, where the terminal can raise one; 0 for never."""
    most_minor: int = 0
    """What a hold is raised to at most."""


log = structlog.get_logger("tapwatt.places")

DAY_MS = 86_400_000
UNKNOWN_POWER_W = 400_000
"""The most that a station of today delivers at one EVSE; what it really can is for its operator to say."""


@cache
def _profile(name: str) -> Profile | None:
    """What is known of a terminal; None for one without a profile: then the settings alone count."""
    try:
        return load_profile(name)
    except UnableToLoadProfile:
        return None


def terms_at(terms: Terms, profile: Profile | None) -> Terms:
    """The terms at one terminal: its acquirer's holds may end sooner, and a PIN pad takes plastic at any
    amount."""
    hold, hold_ms = terms.hold, terms.limits.hold_ms
    raises = profile is not None and profile.capabilities.get("increase", False)
    if profile is not None:
        hold_ms = min(hold_ms, profile.limits.get("hold_days", 0) * DAY_MS or hold_ms)
        if isinstance(hold, DerivedHold) and profile.hardware.get("pin"):
            hold = replace(hold, plastic_minor=hold.cap_minor)
    expiry_ms = min(terms.limits.expiry_ms, hold_ms // 2)
    return replace(
        terms,
        hold=hold,
        limits=replace(terms.limits, hold_ms=hold_ms, expiry_ms=expiry_ms),
        step_minor=terms.step_minor if raises else 0,
    )


def offer(
    tx: Transaction,
    *,
    station: Row,
    evse_id: int,
    terminal_id: str | None,
    plugged: bool,
    terms: Terms,
    chance: bytes,
    at_ms: int,
) -> Offered | None:
    """The event that opens a session at a connector, priced with the version of the station's tariff that
    is in force now; None when none is. `chance` is at least 32 random bytes."""
    tariff = tariffs.in_force(tx, operator_id=station.operator_id, tariff_id=station.tariff_id, at_ms=at_ms)
    if tariff is None:
        log.error("nothing can be offered", station=station.station_id, no_price_of=station.tariff_id)
        return None
    terminal = tx.one(FIND_TERMINAL, terminal_id=terminal_id) if terminal_id else None
    here = terms_at(terms, _profile(terminal.profile) if terminal else None)
    site = replace(site_of(station, at_ms=at_ms), shows_costs=_shows_costs(tx, station))
    hold = hold_for(here.hold, tariff, at_ms=at_ms, max_power_w=station.max_power_w, site=site)
    return Offered(
        at_ms=at_ms,
        session_id=ids.session_id(chance[:10]),
        operator_id=station.operator_id,
        station_id=station.station_id,
        evse_id=evse_id,
        terminal_id=terminal_id,
        id_token=ids.one_use_token(chance[10:20]),
        reference=ids.payment_reference(chance[20:32]),
        tariff=tariff,
        hold=replace(
            hold,
            choices_minor=tuple(amount for amount in here.choices_minor if amount != hold.amount_minor),
            step_minor=here.step_minor,
            most_minor=here.most_minor,
        ),
        limits=here.limits,
        max_power_w=station.max_power_w,
        plugged=plugged,
        site=site,
    )


def _shows_costs(tx: Transaction, station: Row) -> bool:
    """Whether the station has said that it shows costs."""
    told = tx.one(FIND_KEY, operator_id=station.operator_id, station_id=station.station_id, key=SHOWS_COSTS)
    return told is not None and told.value == "true"


def site_of(station: Row, *, at_ms: int) -> Site:
    """Where a station stands, as far as its prices depend on it; its country rounds as on that day there."""
    day = local(at_ms, zone_of(station.time_zone)).date()
    return Site(
        time_zone=station.time_zone,
        country=station.country,
        evse_kind=station.evse_kind,
        rounding=rounding_for(station.country, day),
    )


def add_unknown(tx: Transaction, station_id: str, *, like: Row) -> None:
    """A row for a station that nobody registered: the operator and tariff of `like`, and no more than is
    known."""
    tx.run(
        ADD_STATION,
        operator_id=like.operator_id,
        station_id=station_id,
        name=station_id,
        tariff_id=like.tariff_id,
        max_power_w=UNKNOWN_POWER_W,
        time_zone="UTC",
        country="",
        evse_kind=None,
        vendor=None,
        model=None,
        serial=None,
        firmware=None,
        connected=0,
        seen_ms=None,
    )


def terminal_at(tx: Transaction, *, operator_id: str, station_id: str, evse_id: int) -> str | None:
    """The terminal that serves a connector, or None."""
    row = tx.one(TERMINALS_AT, operator_id=operator_id, station_id=station_id, evse_id=evse_id)
    return row.terminal_id if row else None


def set_connector(
    tx: Transaction,
    *,
    operator_id: str,
    station_id: str,
    evse_id: int,
    status: str,
    error: str | None,
    at_ms: int,
) -> Row | None:
    """Remember a connector's status; returns the row as it was before, or None when it is new."""
    before = tx.one(FIND_CONNECTOR, operator_id=operator_id, station_id=station_id, evse_id=evse_id)
    if before is None:
        tx.run(
            ADD_CONNECTOR,
            operator_id=operator_id,
            station_id=station_id,
            evse_id=evse_id,
            status=status,
            error=error,
            since_ms=at_ms,
        )
    else:
        tx.run(
            SET_CONNECTOR,
            owner=operator_id,
            station=station_id,
            evse=evse_id,
            status=status,
            error=error,
            since_ms=at_ms if before.status != status else before.since_ms,
        )
    return before


def arriving(status: str, before: Row | None) -> bool:
    """Whether a car has come that wants to charge. Finishing may be followed by Preparing with no Available
    between: the same car wants more (OCPP 1.6, 4.9), or the next one came while the station had no line. What
    is only said again brings nobody; a card that is shown then opens a session all the same."""
    return status == PLUGGED and (before is None or before.status != PLUGGED)


def idling(status: str, before: Row | None, *, at_ms: int) -> Suspended | Resumed | None:
    """Whether the car stopped asking for power, or asks again. A station that holds back power
    (SuspendedEVSE) makes nobody idle. `at_ms` is the station's own clock, as its readings have: the two are
    compared."""
    was = before.status if before is not None else ""
    if status == was:
        return None
    if status == IDLE:
        return Suspended(at_ms=at_ms)
    return Resumed(at_ms=at_ms) if was == IDLE else None
