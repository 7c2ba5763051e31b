"""Cost messages of OCPP 1.6: DataTransfer as the white paper on California's pricing rules has it."""

import json
from decimal import Decimal

from tapwatt.ocpp.v16.costs import final_cost, running_cost


def test_a_running_cost_is_an_exact_number_with_its_moment() -> None:
    message = running_cost(
        transaction_id="17", cost=Decimal("4.10"), register_wh=1_234_567, at_ms=1_767_225_600_000
    )
    assert (message.vendor_id, message.message_id) == ("org.openchargealliance.costmsg", "RunningCost")
    assert message.data == (
        '{"transactionId":17,"timestamp":"2026-01-01T00:00:00.000Z","meterValue":1234567,"cost":4.10,'
        '"state":"Charging"}'
    )


def test_an_idle_car_is_told_as_such() -> None:
    message = running_cost(transaction_id="a", cost=Decimal(0), register_wh=0, at_ms=0, charging=False)
    assert json.loads(message.data) == {
        "transactionId": "a",
        "timestamp": "1970-01-01T00:00:00.000Z",
        "meterValue": 0,
        "cost": 0,
        "state": "Idle",
    }


def test_a_final_cost_has_a_line_to_show() -> None:
    message = final_cost(transaction_id="17", cost=Decimal("4.87"), text="4.87 EUR, 8.345 kWh")
    assert message.message_id == "FinalCost"
    assert json.loads(message.data) == {"transactionId": 17, "cost": 4.87, "priceText": "4.87 EUR, 8.345 kWh"}
