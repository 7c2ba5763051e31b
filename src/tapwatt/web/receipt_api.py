"""`/api/v1/receipts`: receipts and credit notes, and the order to credit one."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Response
from pydantic import Field

from tapwatt.platform.approvals import Kind, Order
from tapwatt.store import Transaction
from tapwatt.web.answers.receipts import ReceiptShown, ReceiptsPage
from tapwatt.web.asked import NO_NUL, ApiRoute, By, Cursor, Given, Json, Limit, Sent, answer
from tapwatt.web.day import Day
from tapwatt.web.desk import Desk
from tapwatt.web.given import WAITS, given
from tapwatt.web.problems import told

Number = Annotated[str, Path(description="As in `number`, such as R-2026-000001", max_length=64)]
MISSING = told({404: "No such receipt"})
REFUSED = told({409: "It cannot be credited so, or the key's order is not over"})


class CreditOrder(Given):
    """What of a receipt is taken back, and why."""

    amount_minor: int | None = Field(
        None, gt=0, le=10**12, description="With tax, in minor units; without it, all that is left"
    )
    why: str = Field(
        min_length=3,
        max_length=200,
        pattern=NO_NUL,
        description="The reason: it stands on the credit note",
    )
    by: By = "operator"


def receipt_api(desk: Desk, day: Day) -> APIRouter:
    """The receipts' routes for one operator's desk."""
    router = APIRouter(prefix="/api/v1", route_class=ApiRoute)

    @router.get("/receipts", summary="Receipts and credit notes, newest first", response_model=ReceiptsPage)
    async def receipts(limit: Limit = 50, cursor: Cursor = None) -> Response:
        return answer(await day.receipts(cursor=cursor, most=limit))

    @router.get(
        "/receipts/{number}",
        summary="One receipt or credit note: all its data, its text in 42 columns, its link",
        response_model=ReceiptShown,
        responses=MISSING,
    )
    async def receipt(number: Number) -> Response:
        found = await desk.receipt(number)
        if found is None:
            raise HTTPException(404, f"there is no receipt {number}")
        return answer(found)

    @router.post(
        "/receipts/{number}/credit",
        status_code=201,
        summary="Credit a receipt in whole or part: a credit note, and the refund of its payment asked for",
        response_model=ReceiptShown,
        responses={**WAITS, **MISSING, **REFUSED},
    )
    async def credit(number: Number, order: CreditOrder, sent: Sent) -> Response:
        body = {"amount_minor": order.amount_minor, "why": order.why, "key": sent.own_key or day.new_key()}
        wanted = Order(kind=Kind.CREDIT, subject=number, body=body)

        def shown(_: Transaction, note: Json | None) -> Json:
            if note is None:
                raise HTTPException(404, f"there is no receipt {number}")
            return desk.linked(note)

        return await given(desk, sent, wanted, by=order.by, status=201, shown=shown)

    return router
