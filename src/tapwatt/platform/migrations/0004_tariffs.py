"""Tariffs say more than a price per kWh, and a station says which clock and which law its prices follow.

Stored tariffs, and the tariff, bill and meter inside every session, are written again in the new form.
Nothing is reckoned anew: a bill keeps its amounts.
"""

import json
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0004", "0003"

Json = dict[str, Any]


def upgrade() -> None:
    """New columns for stations, then every stored tariff."""
    op.add_column("station", sa.Column("time_zone", sa.Text, nullable=False, server_default="UTC"))
    op.add_column("station", sa.Column("country", sa.Text, nullable=False, server_default=""))
    op.add_column("station", sa.Column("evse_kind", sa.Text))
    connection = op.get_bind()
    _rewrite(connection, "tariff", ("operator_id", "tariff_id"), "body", _tariff)
    _rewrite(connection, "session", ("id",), "state", _session)


def _rewrite(connection: Any, table: str, key: tuple[str, ...], column: str, change: Any) -> None:
    names = ", ".join((*key, column))
    match = " AND ".join(f"{name} = :{name}" for name in key)
    rows = connection.execute(sa.text(f"SELECT {names} FROM {table}")).all()
    for row in rows:
        found = row._asdict()
        found["changed"] = json.dumps(change(json.loads(found.pop(column))), separators=(",", ":"))
        connection.execute(sa.text(f"UPDATE {table} SET {column} = :changed WHERE {match}"), found)


def _tariff(old: Json) -> Json:
    if "elements" in old:
        return old
    tax = {"name": "VAT", "rate_percent": old["tax_rate_percent"]}
    component = {"dimension": "ENERGY", "price": old["kwh_price"], "taxes": [tax]}
    return {
        "tariff_id": old["tariff_id"],
        "currency": old["currency"],
        "elements": [{"components": [component]}],
    }


def _session(old: Json) -> Json:
    meter = old.get("meter")
    new = {**old, "tariff": _tariff(old["tariff"])}
    if meter is not None and "usage" not in old:
        new["usage"] = _usage(meter)
    if old.get("bill") is not None:
        new["bill"] = _bill(old["bill"])
    return new


def _usage(meter: Json) -> Json:
    energy_wh = meter.get("carried_wh", 0) + meter["last_wh"] - meter["base_wh"]
    period = {
        "started_ms": meter["first_ms"],
        "ended_ms": meter["last_ms"],
        "energy_wh": str(energy_wh),
        "charging_ms": meter["last_ms"] - meter["first_ms"],
    }
    return {"started_ms": meter["first_ms"], "periods": [period]}


def _bill(old: Json) -> Json:
    if "exact_net" in old:
        return old
    lines = [_line(line) for line in old["lines"]]
    rates = {line["tax_rate_percent"] for line in old["lines"]}
    taxes = [
        {
            "name": "VAT",
            "rate_percent": rate,
            "base_minor": old["net_minor"],
            "amount_minor": old["tax_minor"],
        }
        for rate in rates
    ]
    return {
        "currency": old["currency"],
        "lines": lines,
        "exact_net": str(sum((Decimal(line["net"]) for line in lines), Decimal(0))),
        "exact_gross": str(sum((Decimal(line["gross"]) for line in lines), Decimal(0))),
        "net_minor": old["net_minor"],
        "tax_minor": old["tax_minor"],
        "gross_minor": old["gross_minor"],
        "taxes": taxes if len(rates) == 1 else [],
    }


def _line(old: Json) -> Json:
    share = {
        "name": "VAT",
        "rate_percent": old["tax_rate_percent"],
        "base": old["net"],
        "amount": old["tax"],
    }
    kept = {name: old[name] for name in ("dimension", "quantity", "unit", "unit_price", "net", "tax", "why")}
    return {**kept, "gross": str(Decimal(old["net"]) + Decimal(old["tax"])), "taxes": [share]}
