"""The sandbox's rows: one operator with a station, a terminal, a tariff and accounts, so that nothing has to
be registered."""

import tomllib
from decimal import Decimal
from importlib.resources import files
from typing import Any

from sqlalchemy import Table, func, insert, select

from tapwatt.core.tariff import kwh_tariff
from tapwatt.platform import tariffs
from tapwatt.platform.places import FREE
from tapwatt.platform.tables import (
    ACCOUNT,
    ACCOUNT_TAG,
    CONNECTOR,
    OPERATOR,
    STATION,
    TERMINAL,
    TERMINAL_EVSE,
)
from tapwatt.store import Transaction

SANDBOX_OPERATOR = "demo"
SELLER = {
    "legal_name": "", "address": "", "country": "", "vat_id": "", "tax_scheme": "", "helpline": "",
    "complaints": "", "verification": "", "time_zone": "UTC", "receipt_language": "en", "receipt_prefix": "R",
    "receipt_yearly": 1,
}  # fmt: skip
"""What an operator's row says of the seller, and what it says when nothing was said."""
COUNT = select(func.count().label("n")).select_from(OPERATOR)
ADD: dict[Table, Any] = {
    table: insert(table)
    for table in (OPERATOR, STATION, CONNECTOR, TERMINAL, TERMINAL_EVSE, ACCOUNT, ACCOUNT_TAG)
}


def sandbox() -> dict[str, Any]:
    """The sandbox's data file."""
    return tomllib.loads(files("tapwatt.platform").joinpath("sandbox.toml").read_text("utf-8"))


def sow(tx: Transaction, data: dict[str, Any], *, now_ms: int) -> bool:
    """Write the sandbox's rows into empty tables; returns whether they were empty."""
    row = tx.one(COUNT)
    if row is not None and row.n:
        return False
    for operator in data["operators"]:
        _operator(tx, operator, now_ms)
    return True


def _operator(tx: Transaction, operator: dict[str, Any], now_ms: int) -> None:
    owner = operator["operator_id"]
    seller = {name: operator.get(name, default) for name, default in SELLER.items()}
    tx.run(ADD[OPERATOR], operator_id=owner, name=operator["name"], **seller)
    for tariff in operator.get("tariffs", ()):
        _tariff(tx, owner, tariff, now_ms)
    for station in operator.get("stations", ()):
        _station(tx, owner, station, now_ms)
    for terminal in operator.get("terminals", ()):
        _terminal(tx, owner, terminal, now_ms)
    for account in operator.get("accounts", ()):
        tags = account.pop("tags", ())
        tx.run(ADD[ACCOUNT], operator_id=owner, **account)
        for tag in tags:
            tx.run(
                ADD[ACCOUNT_TAG], operator_id=owner, id_token=tag.upper(), account_id=account["account_id"]
            )


def _tariff(tx: Transaction, owner: str, tariff: dict[str, Any], now_ms: int) -> None:
    value = kwh_tariff(
        tariff["tariff_id"],
        currency=tariff["currency"],
        kwh_price=Decimal(tariff["kwh_price"]),
        tax_rate_percent=Decimal(tariff["tax_rate_percent"]),
    )
    version = tariffs.put(tx, value, operator_id=owner, by="sandbox", at_ms=now_ms)
    tariffs.publish(
        tx,
        operator_id=owner,
        tariff_id=value.tariff_id,
        version=version,
        found=tariffs.checked(tx, operator_id=owner, tariff_id=value.tariff_id, at_ms=now_ms),
        by="sandbox",
        accept="sandbox data",
        at_ms=now_ms,
    )


def _station(tx: Transaction, owner: str, station: dict[str, Any], now_ms: int) -> None:
    tx.run(
        ADD[STATION],
        operator_id=owner,
        station_id=station["station_id"],
        name=station["name"],
        tariff_id=station["tariff_id"],
        max_power_w=station["max_power_w"],
        time_zone=station.get("time_zone", "UTC"),
        country=station.get("country", ""),
        evse_kind=station.get("evse_kind"),
        address=station.get("address", ""),
        evse_prefix=station.get("evse_prefix", ""),
        vendor=None,
        model=None,
        serial=None,
        firmware=None,
        connected=0,
        seen_ms=None,
    )
    for evse_id in station["evses"]:
        tx.run(
            ADD[CONNECTOR],
            operator_id=owner,
            station_id=station["station_id"],
            evse_id=evse_id,
            status=FREE,
            error=None,
            since_ms=now_ms,
        )


def _terminal(tx: Transaction, owner: str, terminal: dict[str, Any], now_ms: int) -> None:
    tx.run(
        ADD[TERMINAL],
        operator_id=owner,
        terminal_id=terminal["terminal_id"],
        edge_id=terminal["edge_id"],
        profile=terminal["profile"],
        serial=terminal["serial"],
        tid=terminal["tid"],
        state="unknown",
        text="",
        since_ms=now_ms,
    )
    for station_id, evse_id in terminal["serves"]:
        tx.run(
            ADD[TERMINAL_EVSE],
            operator_id=owner,
            terminal_id=terminal["terminal_id"],
            station_id=station_id,
            evse_id=evse_id,
        )
