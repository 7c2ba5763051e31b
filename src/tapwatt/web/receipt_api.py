"""`/api/v1/receipts`: receipts and credit notes by number, and the order to credit one."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Path
from pydantic import BaseModel, Field

from tapwatt.web.api import PROBLEMS, REFUSED, Problem
from tapwatt.web.desk import Desk

Json = dict[str, Any]
Number = Annotated[str, Path(description="As in `number`, such as R-2026-000001", max_length=64)]
IdempotencyKey = Annotated[
    str | None,
    Header(description="An order sent again under its key is the same order", min_length=1, max_length=64),
]
MISSING: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "No such receipt"}}


class CreditOrder(BaseModel):
    """What of a receipt is taken back, and why."""

    amount_minor: int | None = Field(
        None, gt=0, le=10**12, description="With tax, in minor units; without it, all that is left"
    )
    why: str = Field(min_length=3, max_length=200, description="The reason: it stands on the credit note")
    by: str = Field("operator", min_length=1, max_length=64, description="Who orders it")


def receipt_api(desk: Desk) -> APIRouter:
    """The receipts' routes for one operator's desk."""
    router = APIRouter(prefix="/api/v1", responses=PROBLEMS)

    @router.get(
        "/receipts/{number}",
        summary="One receipt or credit note: all its data, its text in 42 columns, its link",
        responses=MISSING,
    )
    async def receipt(number: Number) -> Json:
        found = await desk.receipt(number)
        if found is None:
            raise HTTPException(404, f"there is no receipt {number}")
        return found

    @router.post(
        "/receipts/{number}/credit",
        status_code=201,
        summary="Credit a receipt in whole or part: a credit note, and the refund of its payment asked for",
        responses={**MISSING, **REFUSED},
    )
    async def credit(number: Number, order: CreditOrder, idempotency_key: IdempotencyKey = None) -> Json:
        note = await desk.credit(
            number, amount_minor=order.amount_minor, by=order.by, why=order.why, key=idempotency_key
        )
        if note is None:
            raise HTTPException(404, f"there is no receipt {number}")
        return note

    return router
