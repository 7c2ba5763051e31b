"""`/api/v1/webhooks`: addresses that events are sent to, their secrets, and the log of deliveries."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Response
from pydantic import Field

from tapwatt.platform import webhook_outbox, webhooks
from tapwatt.platform.webhook_events import EVENTS
from tapwatt.platform.webhook_signing import SECRET_BYTES
from tapwatt.platform.webhooks import ID_BYTES, URL_MAX
from tapwatt.web.answers.outside import DeliveriesPage, Queued, Webhook, WebhookMade, WebhooksPage
from tapwatt.web.asked import ApiRoute, Cursor, Given, Json, Limit, Sent, answer, once
from tapwatt.web.desk import Desk
from tapwatt.web.gate import WHO
from tapwatt.web.problems import told

EventName = Literal[
    "session.started", "session.closed", "session.failed", "session.review",
    "payment.captured", "payment.released", "payment.refunded",
    "receipt.issued", "alarm.raised", "tariff.published", "station.offline", "station.online",
]  # fmt: skip
WebhookId = Annotated[str, Path(description="As in `webhook_id`", max_length=64)]
MISSING = told({404: "No such webhook"})
BUSY = told({409: "There are too many, or the key's order is not over"})


class WebhookWanted(Given):
    """Where events are to be sent, and which."""

    url: str = Field(
        min_length=1,
        max_length=URL_MAX,
        pattern=r"^https?://[!-~]+$",
        description="https; http on this machine only",
        examples=["https://erp.example/tapwatt"],
    )
    events: list[EventName] = Field(min_length=1, max_length=len(EVENTS))


class WebhookChange(WebhookWanted):
    """The same, and whether anything is sent."""

    state: Literal["on", "off"] = "on"


def webhook_api(desk: Desk) -> APIRouter:
    """The routes of webhooks for one operator's desk."""
    router = APIRouter(prefix="/api/v1", route_class=ApiRoute)
    _reading(router, desk)
    _making(router, desk)
    _changing(router, desk)
    _sending(router, desk)
    return router


def _reading(router: APIRouter, desk: Desk) -> None:
    owner = desk.operator_id

    @router.get("/webhooks", summary="Webhooks, without their secrets", response_model=WebhooksPage)
    async def listing(limit: Limit = 50, cursor: Cursor = None) -> Response:
        return answer(
            await desk.database.read(
                lambda tx: webhooks.listing(tx, operator_id=owner, cursor=cursor, most=limit)
            )
        )

    @router.get("/webhooks/{webhook_id}", summary="One webhook", response_model=Webhook, responses=MISSING)
    async def one(webhook_id: WebhookId) -> Response:
        found = await desk.database.read(
            lambda tx: webhooks.one(tx, operator_id=owner, webhook_id=webhook_id)
        )
        return answer(_there(found, webhook_id))

    @router.get(
        "/webhooks/{webhook_id}/deliveries",
        summary="What was sent there, newest first, and what came of it",
        response_model=DeliveriesPage,
        responses=MISSING,
    )
    async def deliveries(webhook_id: WebhookId, limit: Limit = 50, cursor: Cursor = None) -> Response:
        named = {"operator_id": owner, "webhook_id": webhook_id}

        def read(tx: Any) -> Json:
            _there(webhooks.one(tx, **named), webhook_id)
            return webhook_outbox.deliveries(tx, **named, cursor=cursor, most=limit)

        return answer(await desk.database.read(read))


def _making(router: APIRouter, desk: Desk) -> None:
    @router.post(
        "/webhooks",
        status_code=201,
        summary="Have events sent to an address: its secret is shown now and never again",
        response_model=WebhookMade,
        responses=BUSY,
    )
    async def make(wanted: WebhookWanted, sent: Sent) -> Response:
        who, at_ms, chance = WHO.get(), desk.now_ms(), desk.chance(SECRET_BYTES + ID_BYTES)

        def work(tx: Any, _: Any) -> Json:
            return webhooks.make(
                tx, who, url=wanted.url, events=list(wanted.events), chance=chance, at_ms=at_ms
            )

        return await once(desk.engine, sent, work, status=201, secret="secret")

    @router.post(
        "/webhooks/{webhook_id}/secret",
        summary="Exchange the secret: the old one signs too for a day",
        response_model=WebhookMade,
        responses={**MISSING, **BUSY},
    )
    async def exchange(webhook_id: WebhookId, sent: Sent) -> Response:
        who, at_ms, chance = WHO.get(), desk.now_ms(), desk.chance(SECRET_BYTES)
        work = _found(
            webhook_id,
            lambda tx: webhooks.exchange_secret(tx, who, webhook_id, chance=chance, at_ms=at_ms),
        )
        return await once(desk.engine, sent, work, secret="secret")


def _changing(router: APIRouter, desk: Desk) -> None:
    @router.put(
        "/webhooks/{webhook_id}",
        summary="Say anew where, which and whether; on again begins anew",
        response_model=Webhook,
        responses={**MISSING, **BUSY},
    )
    async def change(webhook_id: WebhookId, wanted: WebhookChange, sent: Sent) -> Response:
        who, at_ms, on = WHO.get(), desk.now_ms(), wanted.state == "on"
        asked: Json = {"url": wanted.url, "events": list(wanted.events), "on": on, "at_ms": at_ms}
        work = _found(webhook_id, lambda tx: webhooks.change(tx, who, webhook_id, **asked))
        return await once(desk.engine, sent, work)

    @router.delete(
        "/webhooks/{webhook_id}",
        status_code=204,
        summary="Send nothing there any more, and forget its deliveries",
        responses=MISSING,
    )
    async def drop(webhook_id: WebhookId) -> Response:
        who, at_ms = WHO.get(), desk.now_ms()
        if not await desk.database.write(lambda tx: webhooks.drop(tx, who, webhook_id, at_ms=at_ms)):
            raise HTTPException(404, f"there is no webhook {webhook_id}")
        return Response(status_code=204)


def _sending(router: APIRouter, desk: Desk) -> None:
    @router.post(
        "/webhooks/{webhook_id}/test",
        status_code=202,
        summary="Send a test event",
        response_model=Queued,
        responses={**MISSING, **BUSY},
    )
    async def test(webhook_id: WebhookId, sent: Sent) -> Response:
        who, at_ms, subject = WHO.get(), desk.now_ms(), desk.chance(16).hex()
        work = _found(webhook_id, lambda tx: webhooks.test(tx, who, webhook_id, subject=subject, at_ms=at_ms))
        return await once(desk.engine, sent, work, status=202)

    @router.post(
        "/webhooks/{webhook_id}/deliveries/{event_id}/again",
        status_code=202,
        summary="Send an event once more, now",
        response_model=Queued,
        responses={**told({404: "No such webhook or delivery"}), **BUSY},
    )
    async def again(
        webhook_id: WebhookId,
        event_id: Annotated[str, Path(description="As in `event_id`", max_length=64)],
        sent: Sent,
    ) -> Response:
        named = {"operator_id": desk.operator_id, "webhook_id": webhook_id, "event_id": event_id}
        at_ms = desk.now_ms()
        work = _found(f"{webhook_id} {event_id}", lambda tx: webhook_outbox.again(tx, **named, at_ms=at_ms))
        return await once(desk.engine, sent, work, status=202)


def _found(name: str, ask: Callable[[Any], Json | None]) -> Callable[[Any, Any], Json]:
    return lambda tx, _: _there(ask(tx), name)


def _there(found: Json | None, name: str) -> Json:
    if found is None:
        raise HTTPException(404, f"there is no webhook {name}")
    return found
