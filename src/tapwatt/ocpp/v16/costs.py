"""Costs for a station's own display in OCPP 1.6, which has no message for them.

"OCPP & California Pricing Requirements" (Open Charge Alliance white paper), section on OCPP 1.6: DataTransfer
with vendor `org.openchargealliance.costmsg` and message `RunningCost` or `FinalCost`. A station that shows
costs says so by the configuration key `CustomDisplayCostAndPrice`. We send what is certain: the cost with
tax, the register and the state; the price is shown before the tap by other means.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import msgspec

from tapwatt.ocpp.messages import DataTransferred
from tapwatt.ocpp.timestamps import write_time

VENDOR: Final = "org.openchargealliance.costmsg"
RUNNING: Final = "RunningCost"
FINAL: Final = "FinalCost"

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def running_cost(
    *, transaction_id: str, cost: Decimal, register_wh: int, at_ms: int, charging: bool = True
) -> DataTransferred:
    """The cost so far, in major units with tax, at a register and a moment."""
    return _message(
        RUNNING,
        {
            "transactionId": _number(transaction_id),
            "timestamp": write_time(at_ms),
            "meterValue": register_wh,
            "cost": cost,
            "state": "Charging" if charging else "Idle",
        },
    )


def final_cost(*, transaction_id: str, cost: Decimal, text: str) -> DataTransferred:
    """What is paid in the end, in major units with tax, and a line to show."""
    return _message(FINAL, {"transactionId": _number(transaction_id), "cost": cost, "priceText": text})


def _message(name: str, data: dict[str, Any]) -> DataTransferred:
    return DataTransferred(vendor_id=VENDOR, message_id=name, data=_ENCODER.encode(data).decode())


def _number(transaction_id: str) -> int | str:
    """OCPP 1.6 counts transactions; we mint the numbers ourselves."""
    return int(transaction_id) if transaction_id.isdecimal() else transaction_id
