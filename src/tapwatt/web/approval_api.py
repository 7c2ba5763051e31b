"""`/api/v1/approvals`: orders that wait for a second person, and that person's word."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from tapwatt.platform.approvals import WHY_MOST
from tapwatt.web.api import PROBLEMS, Json, Problem
from tapwatt.web.orders import Orders

ApprovalId = Annotated[str, Path(description="As in `approval_id`", max_length=64)]
REFUSED: dict[int | str, dict[str, Any]] = {
    403: {"model": Problem, "description": "Whoever gave the order, or somebody without the permission"},
    404: {"model": Problem, "description": "No such approval"},
    409: {"model": Problem, "description": "It waits no more, or what it is about has changed"},
}


class Rejection(BaseModel):
    """Why an order is rejected."""

    why: str = Field("", max_length=WHY_MOST)


def approval_api(orders: Orders) -> APIRouter:
    """The routes of approvals for one operator's orders."""
    router = APIRouter(prefix="/api/v1", responses=PROBLEMS)

    @router.get("/approvals", summary="Orders that wait for a second person, and those decided lately")
    async def listing() -> Json:
        return await orders.listing()

    @router.post(
        "/approvals/{approval_id}/approve",
        summary="Approve an order; it is carried out in the same commit",
        responses=REFUSED,
    )
    async def approve(approval_id: ApprovalId) -> Json:
        return await orders.approve(approval_id)

    @router.post(
        "/approvals/{approval_id}/reject", summary="Reject an order: nothing is done", responses=REFUSED
    )
    async def reject(approval_id: ApprovalId, rejection: Rejection) -> Json:
        return await orders.reject(approval_id, why=rejection.why)

    return router
