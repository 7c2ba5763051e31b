"""The pages `/approvals` (orders that wait for a second person) and `/audit` (who did what)."""

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment

from tapwatt.pages.layout import render
from tapwatt.platform import audit
from tapwatt.web.forms import read_form
from tapwatt.web.orders import Orders

FORM_BYTES_MAX = 4_096
PAGE = 50
DIGITS_MAX = 18
DECIDED_SHOWN = 20


class RecordPages:
    """The pages of approvals and of the audit log."""

    def __init__(self, orders: Orders, env: Environment) -> None:
        self._orders = orders
        self._env = env

    def add_to(self, router: APIRouter) -> None:
        """Add the pages' routes."""
        router.add_api_route("/approvals", self.approvals, methods=["GET"])
        router.add_api_route("/approvals/{approval_id}", self.decide, methods=["POST"])
        router.add_api_route("/audit", self.audit, methods=["GET"])

    async def approvals(self) -> Response:
        """What waits, and what was decided lately."""
        found = await self._orders.listing()
        decided = found["decided"][:DECIDED_SHOWN]
        return self._html("approvals.html", waiting=found["waiting"], decided=decided)

    async def decide(self, approval_id: str, request: Request) -> Response:
        """Approve or reject, then show what still waits."""
        form = await read_form(request, most_bytes=FORM_BYTES_MAX)
        if form.get("do") == "approve":
            await self._orders.approve(approval_id)
        elif form.get("do") == "reject":
            await self._orders.reject(approval_id, why=form.get("why", ""))
        else:
            raise HTTPException(422, "do is approve or reject")
        return RedirectResponse("/approvals", status_code=303)

    async def audit(self, request: Request) -> Response:
        """A page of the audit log, the newest first."""
        text = request.query_params.get("before", "")
        if text and (not text.isdecimal() or len(text) > DIGITS_MAX):
            raise HTTPException(422, "before is a whole number")
        before, owner = int(text) if text else None, self._orders.operator_id
        entries = await self._orders.database.read(
            lambda tx: audit.page(tx, operator_id=owner, before=before, most=PAGE + 1)
        )
        shown = entries[:PAGE]
        after = f"/audit?before={shown[-1]['seq']}" if len(entries) > PAGE else ""
        return self._html("audit.html", entries=shown, after=after, first=before is None)

    def _html(self, template: str, **values: object) -> Response:
        return HTMLResponse(render(self._env, template, live=None, now_ms=self._orders.now_ms(), **values))
