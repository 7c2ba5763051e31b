"""`/api/v1/approvals`: orders that wait for a second person, and that person's word."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import Field

from tapwatt.platform.approvals import WHY_MOST
from tapwatt.web.answers.outside import Approval, Approvals
from tapwatt.web.asked import NO_NUL, ApiRoute, Given, answer
from tapwatt.web.desk import Desk
from tapwatt.web.problems import told

ApprovalId = Annotated[str, Path(description="As in `approval_id`", max_length=64)]
REFUSED = told({404: "No such approval", 409: "It waits no more, or what it is about has changed"})


class Rejection(Given):
    """Why an order is rejected."""

    why: str = Field("", max_length=WHY_MOST, pattern=NO_NUL)


def approval_api(desk: Desk) -> APIRouter:
    """The routes of approvals. An approval is decided once by itself, so that it needs no key."""
    router = APIRouter(prefix="/api/v1", route_class=ApiRoute)

    @router.get(
        "/approvals",
        summary="Orders that wait for a second person, and those decided lately",
        response_model=Approvals,
    )
    async def listing() -> Response:
        return answer(await desk.orders.listing())

    @router.post(
        "/approvals/{approval_id}/approve",
        summary="Approve an order; it is carried out in the same commit",
        response_model=Approval,
        responses=REFUSED,
    )
    async def approve(approval_id: ApprovalId) -> Response:
        return answer(await desk.orders.approve(approval_id))

    @router.post(
        "/approvals/{approval_id}/reject",
        summary="Reject an order: nothing is done",
        response_model=Approval,
        responses=REFUSED,
    )
    async def reject(approval_id: ApprovalId, rejection: Rejection) -> Response:
        return answer(await desk.orders.reject(approval_id, why=rejection.why))

    return router
