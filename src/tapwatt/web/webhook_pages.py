"""The page `/webhooks`: where events are sent, what came of each, and the orders to send one again or a test.

Made and changed they are by the API alone: whoever receives events writes a program anyway.
"""

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment

from tapwatt.pages.layout import render
from tapwatt.platform import webhook_outbox, webhooks
from tapwatt.store import Transaction
from tapwatt.web.desk import Desk, Json
from tapwatt.web.gate import WHO

DELIVERIES_SHOWN = 10
TONES = {"delivered": "good", "waiting": "busy", "given up": "bad", "on": "good", "off": "bad"}


class WebhookPages:
    """The page of webhooks."""

    def __init__(self, desk: Desk, env: Environment) -> None:
        self._desk = desk
        self._env = env
        env.globals["webhook_tones"] = TONES

    def add_to(self, router: APIRouter) -> None:
        """Add the page's routes."""
        router.add_api_route("/webhooks", self.page, methods=["GET"])
        router.add_api_route("/webhooks/{webhook_id}/test", self.test, methods=["POST"])
        router.add_api_route("/webhooks/{webhook_id}/{event_id}/again", self.again, methods=["POST"])

    async def page(self) -> Response:
        """Every webhook with its last deliveries."""
        owner = self._desk.operator_id

        def read(tx: Transaction) -> list[Json]:
            found = webhooks.listing(tx, operator_id=owner, cursor=None, most=webhooks.WEBHOOKS_MAX)
            return [
                {
                    **hook,
                    **webhook_outbox.deliveries(
                        tx,
                        operator_id=owner,
                        webhook_id=hook["webhook_id"],
                        cursor=None,
                        most=DELIVERIES_SHOWN,
                    ),
                }
                for hook in found["webhooks"]
            ]

        shown = await self._desk.database.read(read)
        return HTMLResponse(
            render(self._env, "webhooks.html", live=None, webhooks=shown, now_ms=self._desk.now_ms())
        )

    async def test(self, webhook_id: str) -> Response:
        """Send a test event, then show the page."""
        who, at_ms, subject = WHO.get(), self._desk.now_ms(), self._desk.chance(16).hex()
        queued = await self._desk.database.write(
            lambda tx: webhooks.test(tx, who, webhook_id, subject=subject, at_ms=at_ms)
        )
        return _back(queued, webhook_id)

    async def again(self, webhook_id: str, event_id: str) -> Response:
        """Send an event once more, then show the page."""
        named = {"operator_id": self._desk.operator_id, "webhook_id": webhook_id, "event_id": event_id}
        at_ms = self._desk.now_ms()
        queued = await self._desk.database.write(lambda tx: webhook_outbox.again(tx, **named, at_ms=at_ms))
        return _back(queued, webhook_id)


def _back(queued: Json | None, webhook_id: str) -> Response:
    if queued is None:
        raise HTTPException(404, f"there is no webhook {webhook_id}")
    return RedirectResponse(f"/webhooks#{webhook_id}", status_code=303)
