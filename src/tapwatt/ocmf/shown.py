"""What was checked, as JSON: the same from the shell and from the platform's API (interfaces.md).

Energy is a JSON number with all its digits: whole where it is whole, else a decimal such as 0.1.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from tapwatt.ocmf.check import Checked
from tapwatt.ocmf.messages import EXACT, Reading, Record


def as_json(checked: Checked) -> str:
    """The verdict and every reading as one JSON document."""
    verdict = checked.verdict
    document = {
        "valid": verdict.valid,
        "billable": verdict.billable,
        "reason": verdict.reason,
        "energy_wh": plain(verdict.energy_wh),
        "meter": verdict.meter,
        "readings": [_shown(record, reading) for record in checked.records for reading in record.readings],
    }
    return msgspec.json.Encoder(decimal_format="number").encode(document).decode()


def plain(energy_wh: Decimal | None) -> Decimal | None:
    """Watt-hours without zeros behind the point, so that whole ones are written as an integer."""
    if energy_wh is None:
        return None
    whole = Decimal(int(energy_wh))
    return whole if whole == energy_wh else EXACT.normalize(energy_wh)


def _shown(record: Record, reading: Reading) -> dict[str, Any]:
    return {
        "document": str(record.pagination or ""),
        "time": reading.time,
        "at_ms": reading.at_ms,
        "transaction": reading.transaction,
        "register": reading.register,
        "value": None if reading.value is None else f"{reading.value:f}",
        "unit": reading.unit,
        "energy_wh": plain(reading.energy_wh),
        "status": reading.status,
        "error_flags": reading.error_flags,
    }
