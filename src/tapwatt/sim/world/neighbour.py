"""A second operator at the same platform, who has chosen the same names as the first.

Nothing ever happens at the neighbour's: whatever of its rows is seen or moved was taken for the first's.
"""

from __future__ import annotations

from typing import Any, Final

from tapwatt.platform.seed import sandbox

NEIGHBOUR: Final[dict[str, Any]] = {
    "operator_id": "another",
    "name": "Another Charging",
    "tariffs": [
        {"tariff_id": "DC-0.58", "currency": "EUR", "kwh_price": "0.8300", "tax_rate_percent": "19"},
    ],
    "accounts": [
        {
            "account_id": "A1",
            "name": "Another van",
            "currency": "EUR",
            "balance_minor": 70_000,
            "status": "active",
            "tags": ["04A1B2C3D4E5F6"],
        },
    ],
}


def both() -> dict[str, Any]:
    """The rows of the platform at the beginning: the neighbour's before the sandbox's own."""
    return {"operators": [NEIGHBOUR, *sandbox()["operators"]]}
