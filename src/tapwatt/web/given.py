"""Orders of money and prices by the API: carried out in one commit with their answer, or, where a second
person is needed, kept waiting for that person: then the answer is the approval, with 202."""

from collections.abc import Callable
from typing import Any

import msgspec
from fastapi.responses import Response

from tapwatt.platform.approvals import Order
from tapwatt.platform.idempotency import Order as SentOrder
from tapwatt.store import Transaction
from tapwatt.web.answers.outside import Approval
from tapwatt.web.asked import Json, once
from tapwatt.web.desk import Desk
from tapwatt.web.gate import acting
from tapwatt.web.orders import NeedsTwo
from tapwatt.web.problems import Responses

WAITS: Responses = {202: {"model": Approval, "description": "It waits for a second person"}}


async def given(
    desk: Desk,
    sent: SentOrder,
    order: Order,
    *,
    by: str,
    shown: Callable[[Transaction, Any], Json],
    status: int = 200,
    write: Callable[[Any], str | bytes] = msgspec.json.encode,
) -> Response:
    """Carry an order out once, or let it wait. `shown` makes the answer of what the order came to."""
    who, orders = acting(desk.operator_id, by), desk.orders

    def work(tx: Transaction, stepper: Any) -> Json:
        return shown(tx, orders.within(tx, stepper, who, order))

    try:
        return await once(desk.engine, sent, work, status=status, write=write)
    except NeedsTwo:
        await orders.try_out(who, order)
    return await once(
        desk.engine, sent, lambda tx, stepper: orders.ask_within(tx, stepper, who, order), status=202
    )
