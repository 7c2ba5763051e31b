"""Tariffs as the console and the API show them: lists, versions, one version in words."""

from typing import Any

import msgspec
from sqlalchemy import bindparam, func, select

from tapwatt.core.tariff.described import described
from tapwatt.core.tariff.shown import price_sentence
from tapwatt.markets.findings import Finding
from tapwatt.markets.lint import lint
from tapwatt.ocpi import tariffs as ocpi
from tapwatt.platform import tariffs
from tapwatt.platform.tables import STATION, TARIFF_VERSION
from tapwatt.store import Row, Transaction

Json = dict[str, Any]
_V = TARIFF_VERSION.c
ALL = (
    select(*(column for column in _V if column.name != "document"))
    .where(_V.operator_id == bindparam("operator_id"))
    .order_by(_V.tariff_id, _V.version.desc())
)
STATIONS_BY_TARIFF = (
    select(STATION.c.tariff_id, func.count().label("n"))
    .where(STATION.c.operator_id == bindparam("operator_id"))
    .group_by(STATION.c.tariff_id)
)


def listing(tx: Transaction, *, operator_id: str, now_ms: int) -> list[Json]:
    """Every tariff with what is in force of it."""
    used = {row.tariff_id: row.n for row in tx.run(STATIONS_BY_TARIFF, operator_id=operator_id)}
    by_tariff: dict[str, list[Row]] = {}
    for row in tx.run(ALL, operator_id=operator_id):
        by_tariff.setdefault(row.tariff_id, []).append(row)
    return [_listed(rows, used.get(tariff_id, 0), now_ms) for tariff_id, rows in by_tariff.items()]


def _listed(rows: list[Row], stations: int, now_ms: int) -> Json:
    versions = timeline(rows, now_ms=now_ms)
    current = next((n for n, each in enumerate(versions) if each["in_force"]), None)
    upcoming = [each for each in versions if each["state"] == tariffs.PUBLISHED and not each["begun"]]
    drafts = [each["version"] for each in versions if each["state"] == tariffs.DRAFT]
    value = tariffs.tariff_of(rows[current or 0])
    return {
        "tariff_id": rows[0].tariff_id,
        "currency": value.currency,
        "price": price_sentence(value, at_ms=now_ms) if current is not None else "",
        "in_force": None if current is None else versions[current],
        "next": upcoming[-1] if upcoming else None,
        "draft": drafts[0] if drafts else None,
        "versions": len(rows),
        "stations": stations,
    }


def timeline(rows: list[Row], *, now_ms: int) -> list[Json]:
    """The versions of a tariff, newest first, each with until when it is or was in force."""
    ever = [row for row in rows if row.state != tariffs.DRAFT and row.published_ms is not None]
    ever = [row for row in ever if row.valid_to_ms is None or row.valid_to_ms > row.valid_from_ms]
    ever.sort(key=lambda row: (row.valid_from_ms, row.version))
    ends: dict[int, int | None] = {}
    for row, after in zip(ever, [*ever, None][1:], strict=True):
        own = row.valid_to_ms
        ends[row.version] = own if after is None else min(own or after.valid_from_ms, after.valid_from_ms)
    return [_version(row, ends, now_ms) for row in rows]


def _version(row: Row, ends: dict[int, int | None], now_ms: int) -> Json:
    kept = {
        name: value
        for name, value in row._asdict().items()
        if name not in ("operator_id", "tariff_id", "body", "document")
    }
    begun = row.published_ms is not None and row.valid_from_ms <= now_ms
    until = ends.get(row.version, row.valid_to_ms)
    current = row.version in ends and begun and (until is None or now_ms < until)
    standing = row.state
    if row.state == tariffs.PUBLISHED:
        standing = "in force" if current else "over" if begun else "scheduled"
    return {**kept, "ends_ms": until, "begun": begun, "in_force": current, "standing": standing}


def page(
    tx: Transaction, *, operator_id: str, tariff_id: str, now_ms: int, version: int | None = None
) -> Json:
    """One version of a tariff in words and as an OCPI document, what the linter says, its versions and its
    stations. Without a number: the draft, else what is in force, else the newest. Raises NoSuchTariff."""
    rows = tx.run(tariffs.VERSIONS, operator_id=operator_id, tariff_id=tariff_id)
    versions = timeline(rows, now_ms=now_ms)
    if version is None and versions:
        in_order = sorted(versions, key=lambda each: (each["state"] != tariffs.DRAFT, not each["in_force"]))
        version = in_order[0]["version"]
    row = tariffs.version_of(tx, operator_id=operator_id, tariff_id=tariff_id, version=version)
    value = tariffs.tariff_of(row)
    places = tariffs.places_of(tx, operator_id=operator_id, tariff_id=tariff_id, at_ms=now_ms)
    document, problem = _document(row)
    shown = next(each for each in versions if each["version"] == row.version)
    return {
        "tariff_id": tariff_id,
        "currency": value.currency,
        "shown": shown,
        "sentences": described(value),
        "findings": findings(
            lint(value, places) if shown["standing"] not in (tariffs.RETIRED, "over") else ()
        ),
        "versions": versions,
        "stations": tariffs.stations_of(tx, operator_id=operator_id, tariff_id=tariff_id),
        "document": document,
        "document_problem": problem,
        "model": msgspec.json.decode(row.body),
    }


def _document(row: Row) -> tuple[Json | None, str]:
    """A version as an OCPI 2.3.0 document, or why it cannot be one."""
    try:
        return ocpi.write(tariffs.tariff_of(row)), ""
    except ocpi.UnableToWriteTariff as error:
        return None, str(error)


def findings(found: tuple[Finding, ...]) -> list[Json]:
    """What the linter said, as JSON."""
    return [msgspec.to_builtins(one) for one in found]
