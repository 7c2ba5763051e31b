"""The life of a tariff: versions that are written as drafts, published, and retired.

What a version says never changes; a correction is a new version. A session is offered the version in force at
its station at that moment and keeps it. A version without an end is in force until the next one begins, so
that a price can be changed without a gap. Stored is our model, not the OCPI document it came in: the model
says more (minutes of standing, card brands), and no change of a codec can change a published price. The
document is kept beside it.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import bindparam, func, insert, select, update

from tapwatt.core.tariff.clock import local, zone_of
from tapwatt.core.tariff.model import Tariff
from tapwatt.markets.findings import Finding, Where
from tapwatt.markets.jurisdictions import Severity
from tapwatt.markets.lint import lint
from tapwatt.platform import webhook_events
from tapwatt.platform.tables import STATION, TARIFF_VERSION
from tapwatt.store import Row, Transaction

DRAFT, PUBLISHED, RETIRED = "draft", "published", "retired"
STEPS = {(DRAFT, "publish"): PUBLISHED, (DRAFT, "retire"): RETIRED, (PUBLISHED, "retire"): RETIRED}
"""What may be done with a version in a state, and the state after it."""
VERSIONS_MAX, TARIFFS_MAX = 1_000, 500
BODY_MAX = 1_000_000
PLACES_MAX = 20
"""A tariff is checked for so many unlike places; more are hardly in one operator's hands."""
WHY_LEAST, WHY_MOST = 3, 500

_V = TARIFF_VERSION.c
_ONE_TARIFF = (_V.operator_id == bindparam("operator_id"), _V.tariff_id == bindparam("tariff_id"))
_ONE_VERSION = (*_ONE_TARIFF, _V.version == bindparam("version"))
IN_FORCE = (
    select(_V.version, _V.body, _V.valid_to_ms)
    .where(
        *_ONE_TARIFF,
        _V.state.in_([PUBLISHED, RETIRED]),
        _V.valid_from_ms <= bindparam("at_ms"),
        # one that was retired before it began was never in force
        (_V.valid_to_ms.is_(None)) | (_V.valid_to_ms > _V.valid_from_ms),
    )
    .order_by(_V.valid_from_ms.desc(), _V.version.desc())
    .limit(1)
)
VERSIONS = select(TARIFF_VERSION).where(*_ONE_TARIFF).order_by(_V.version.desc())
CLAIM_VERSIONS = VERSIONS.with_for_update()
ONE = select(TARIFF_VERSION).where(*_ONE_VERSION)
COUNT_TARIFFS = select(func.count(_V.tariff_id.distinct()).label("n")).where(
    _V.operator_id == bindparam("operator_id")
)
ADD = insert(TARIFF_VERSION)
_OF_VERSION = (
    _V.operator_id == bindparam("owner"),
    _V.tariff_id == bindparam("tariff"),
    _V.version == bindparam("number"),
)
SET_PUBLISHED = (
    update(TARIFF_VERSION)
    .where(*_OF_VERSION)
    .values(
        {
            name: bindparam(name)
            for name in ("state", "valid_from_ms", "valid_to_ms", "published_by", "published_ms", "accepted")
        }
    )
)
SET_RETIRED = (
    update(TARIFF_VERSION)
    .where(*_OF_VERSION)
    .values(
        {
            name: bindparam(name)
            for name in ("state", "valid_to_ms", "retired_by", "retired_ms", "retired_why")
        }
    )
)
USERS = (
    select(STATION)
    .where(STATION.c.operator_id == bindparam("operator_id"), STATION.c.tariff_id == bindparam("tariff_id"))
    .order_by(STATION.c.station_id)
)
FIND_OWN_STATION = select(STATION).where(
    STATION.c.operator_id == bindparam("operator_id"), STATION.c.station_id == bindparam("station_id")
)
ASSIGN = (
    update(STATION)
    .where(STATION.c.operator_id == bindparam("owner"), STATION.c.station_id == bindparam("station"))
    .values(tariff_id=bindparam("tariff"))
)


class UnableToChangeTariff(Exception):
    """It cannot be done with a tariff as it is; the sentence says why."""


class NoSuchTariff(UnableToChangeTariff):
    """The operator has no such tariff, version or station."""


class Findings(UnableToChangeTariff):
    """The linter objects: errors, or warnings that nobody has accepted with a reason."""

    def __init__(self, reason: str, found: Iterable[Finding]) -> None:
        """The sentence, and all that the linter said."""
        super().__init__(reason)
        self.found = tuple(found)


def in_force(tx: Transaction, *, operator_id: str, tariff_id: str, at_ms: int) -> Tariff | None:
    """What a session that begins at this moment is priced with; None when nothing is in force."""
    row = tx.one(IN_FORCE, operator_id=operator_id, tariff_id=tariff_id, at_ms=at_ms)
    return None if row is None or _over(row, at_ms) else tariff_of(row)


def _over(row: Row, at_ms: int) -> bool:
    return row.valid_to_ms is not None and at_ms >= row.valid_to_ms


def tariff_of(row: Row) -> Tariff:
    """What a version says."""
    return msgspec.json.decode(row.body, type=Tariff)


def put(
    tx: Transaction,
    tariff: Tariff,
    *,
    operator_id: str,
    by: str,
    at_ms: int,
    note: str = "",
    document: str | None = None,
) -> int:
    """Keep a tariff as the next version, a draft; an older draft of it is retired. Returns its number.

    Raises UnableToChangeTariff when there are too many, or when it is too long.
    """
    body = msgspec.json.encode(tariff).decode()
    if len(body) > BODY_MAX:
        raise UnableToChangeTariff(f"the tariff has {len(body)} characters; at most {BODY_MAX} are kept")
    known = tx.run(CLAIM_VERSIONS, operator_id=operator_id, tariff_id=tariff.tariff_id)
    _not_too_many(tx, operator_id, known)
    version = known[0].version + 1 if known else 1
    for row in known:
        if row.state == DRAFT:
            why = f"replaced by version {version}"
            _retire(tx, row, valid_to_ms=row.valid_to_ms, by=by, why=why, at_ms=at_ms)
    tx.run(
        ADD,
        operator_id=operator_id,
        tariff_id=tariff.tariff_id,
        version=version,
        state=DRAFT,
        valid_from_ms=tariff.valid_from_ms,
        valid_to_ms=tariff.valid_to_ms,
        body=body,
        document=document,
        note=note,
        created_by=by,
        created_ms=at_ms,
        **dict.fromkeys(
            ("published_by", "published_ms", "accepted", "retired_by", "retired_ms", "retired_why")
        ),
    )
    return int(version)


def _not_too_many(tx: Transaction, operator_id: str, known: list[Row]) -> None:
    if len(known) >= VERSIONS_MAX:
        raise UnableToChangeTariff(f"the tariff has {VERSIONS_MAX} versions, the most allowed")
    count = tx.one(COUNT_TARIFFS, operator_id=operator_id)
    if not known and count is not None and count.n >= TARIFFS_MAX:
        raise UnableToChangeTariff(f"there are {TARIFFS_MAX} tariffs, the most allowed")


def version_of(tx: Transaction, *, operator_id: str, tariff_id: str, version: int | None = None) -> Row:
    """One version, the newest by default. Raises NoSuchTariff."""
    if version is None:
        rows = tx.run(VERSIONS, operator_id=operator_id, tariff_id=tariff_id)
        row = rows[0] if rows else None
    else:
        row = tx.one(ONE, operator_id=operator_id, tariff_id=tariff_id, version=version)
    if row is None:
        which = "tariff" if version is None else f"version {version} of tariff"
        raise NoSuchTariff(f"there is no {which} {tariff_id}")
    return row


def places_of(tx: Transaction, *, operator_id: str, tariff_id: str, at_ms: int) -> list[Where]:
    """Where a tariff is used, as far as the law cares; anywhere when no station has it."""
    stations = tx.run(USERS, operator_id=operator_id, tariff_id=tariff_id)
    found = list(dict.fromkeys(where_of(row, at_ms=at_ms) for row in stations))
    return found[:PLACES_MAX] or [anywhere(at_ms)]


def where_of(station: Row, *, at_ms: int) -> Where:
    """Where a station stands, as far as the law of tariffs cares."""
    return Where(
        day=local(at_ms, zone_of(station.time_zone)).date(),
        now_ms=at_ms,
        country=station.country,
        power_w=station.max_power_w,
        evse_kind=station.evse_kind,
        time_zone=station.time_zone,
    )


def anywhere(at_ms: int) -> Where:
    """No place in particular."""
    return Where(day=local(at_ms, zone_of("UTC")).date(), now_ms=at_ms)


def checked(
    tx: Transaction, *, operator_id: str, tariff_id: str, at_ms: int, version: int | None = None
) -> tuple[Finding, ...]:
    """What the linter says of a version at the stations that have the tariff. Raises NoSuchTariff."""
    row = version_of(tx, operator_id=operator_id, tariff_id=tariff_id, version=version)
    places = places_of(tx, operator_id=operator_id, tariff_id=tariff_id, at_ms=at_ms)
    return lint(tariff_of(row), places)


def publish(
    tx: Transaction,
    *,
    operator_id: str,
    tariff_id: str,
    version: int,
    found: tuple[Finding, ...],
    by: str,
    at_ms: int,
    accept: str = "",
) -> None:
    """Publish a draft of which the linter said `found`. It comes into force when it says, never before now.

    Raises NoSuchTariff; Findings for errors, and for warnings unless `accept` says why they are accepted;
    UnableToChangeTariff when it is no draft, or is valid at the same time as another version.
    """
    known = tx.run(CLAIM_VERSIONS, operator_id=operator_id, tariff_id=tariff_id)
    row = version_of(tx, operator_id=operator_id, tariff_id=tariff_id, version=version)
    state = _step(row, "publish")
    tariff = tariff_of(row)
    _accepted(found, accept)
    valid_from_ms = max(tariff.valid_from_ms or 0, at_ms)
    _no_overlap(known, row, valid_from_ms)
    tx.run(
        SET_PUBLISHED,
        owner=operator_id,
        tariff=tariff_id,
        number=version,
        state=state,
        valid_from_ms=valid_from_ms,
        valid_to_ms=tariff.valid_to_ms,
        published_by=by,
        published_ms=at_ms,
        accepted=accept or None,
    )
    webhook_events.happened(
        tx,
        "tariff.published",
        operator_id=operator_id,
        subject=f"{tariff_id}@{version}",
        data={"tariff_id": tariff_id, "version": version, "valid_from_ms": valid_from_ms, "by": by},
        at_ms=at_ms,
    )


def _step(row: Row, step: str) -> str:
    after = STEPS.get((row.state, step))
    if after is None:
        raise UnableToChangeTariff(
            f"version {row.version} of tariff {row.tariff_id} is {row.state}: "
            f"it cannot be {step.rstrip('e')}ed"
        )
    return after


def _accepted(found: tuple[Finding, ...], accept: str) -> None:
    errors = [one for one in found if one.severity is Severity.ERROR]
    if errors:
        raise Findings(f"the linter finds {_count(errors, 'error')}: {errors[0].text}", found)
    warnings = [one for one in found if one.severity is Severity.WARNING]
    if warnings and not WHY_LEAST <= len(accept.strip()) <= WHY_MOST:
        raise Findings(
            f"the linter finds {_count(warnings, 'warning')}: {warnings[0].text}; say why to accept, in "
            f"{WHY_LEAST} to {WHY_MOST} characters",
            found,
        )


def _count(found: list[Finding], what: str) -> str:
    return f"1 {what}" if len(found) == 1 else f"{len(found)} {what}s, first"


def _no_overlap(known: list[Row], row: Row, begins_ms: int) -> None:
    """Refuse a version that is valid at the same time as another. One without an end gives way to the
    next."""
    for other in known:
        if other.state != PUBLISHED or other.version == row.version:
            continue
        if other.valid_from_ms > begins_ms:
            if row.valid_to_ms is None or row.valid_to_ms > other.valid_from_ms:
                raise UnableToChangeTariff(
                    f"version {other.version} is published from {shown(other.valid_from_ms)} on: "
                    "let this one end by then, or retire that one"
                )
        elif other.valid_to_ms is not None and other.valid_to_ms > begins_ms:
            raise UnableToChangeTariff(
                f"version {other.version} is published until {shown(other.valid_to_ms)}: let this one begin "
                "then, or retire that one"
            )


def shown(at_ms: int) -> str:
    """A moment for people."""
    return local(at_ms, zone_of("UTC")).strftime("%Y-%m-%d %H:%M UTC")


def retire(
    tx: Transaction, *, operator_id: str, tariff_id: str, version: int, by: str, why: str, at_ms: int
) -> None:
    """End a version: from now on, or before it has begun. Raises NoSuchTariff; UnableToChangeTariff without a
    reason, when it has ended, or when stations would be left without a price."""
    if not WHY_LEAST <= len(why.strip()) <= WHY_MOST:
        raise UnableToChangeTariff(f"a reason of {WHY_LEAST} to {WHY_MOST} characters is needed")
    tx.run(CLAIM_VERSIONS, operator_id=operator_id, tariff_id=tariff_id)
    row = version_of(tx, operator_id=operator_id, tariff_id=tariff_id, version=version)
    _step(row, "retire")
    valid_to_ms = row.valid_to_ms
    if row.state == PUBLISHED:
        if _over(row, at_ms):
            raise UnableToChangeTariff(f"version {version} has ended by itself")
        current = tx.one(IN_FORCE, operator_id=operator_id, tariff_id=tariff_id, at_ms=at_ms)
        if current is not None and current.version == version:
            _nobody_uses(tx, operator_id, tariff_id)
        valid_to_ms = max(at_ms, row.valid_from_ms)
    _retire(tx, row, valid_to_ms=valid_to_ms, by=by, why=why, at_ms=at_ms)


def _nobody_uses(tx: Transaction, operator_id: str, tariff_id: str) -> None:
    stations = tx.run(USERS, operator_id=operator_id, tariff_id=tariff_id)
    if stations:
        names = ", ".join(row.station_id for row in stations[:5])
        raise UnableToChangeTariff(
            f"{len(stations)} of the stations would have no price ({names}): "
            "publish the version that follows, or give them another tariff"
        )


def _retire(tx: Transaction, row: Row, *, valid_to_ms: int | None, by: str, why: str, at_ms: int) -> None:
    tx.run(
        SET_RETIRED,
        owner=row.operator_id,
        tariff=row.tariff_id,
        number=row.version,
        state=_step(row, "retire"),
        valid_to_ms=valid_to_ms,
        retired_by=by,
        retired_ms=at_ms,
        retired_why=why,
    )


def assign(tx: Transaction, *, operator_id: str, station_id: str, tariff_id: str, at_ms: int) -> None:
    """Give a station a tariff, from its next session on. Raises NoSuchTariff; UnableToChangeTariff when no
    version is in force; Findings when the law there forbids it."""
    version_of(tx, operator_id=operator_id, tariff_id=tariff_id)
    station = tx.one(FIND_OWN_STATION, operator_id=operator_id, station_id=station_id)
    if station is None:
        raise NoSuchTariff(f"there is no station {station_id}")
    tariff = in_force(tx, operator_id=operator_id, tariff_id=tariff_id, at_ms=at_ms)
    if tariff is None:
        raise UnableToChangeTariff(f"no version of tariff {tariff_id} is in force")
    found = lint(tariff, [where_of(station, at_ms=at_ms)])
    _accepted(tuple(one for one in found if one.severity is Severity.ERROR), "")
    tx.run(ASSIGN, owner=operator_id, station=station_id, tariff=tariff_id)


def stations_of(tx: Transaction, *, operator_id: str, tariff_id: str) -> list[dict[str, Any]]:
    """The stations that have a tariff."""
    return [
        {
            "station_id": row.station_id,
            "name": row.name,
            "country": row.country,
            "max_power_w": row.max_power_w,
        }
        for row in tx.run(USERS, operator_id=operator_id, tariff_id=tariff_id)
    ]
