"""What the API's routes have in common: pages, answers, bounded bodies, and orders that may be sent again."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Header, HTTPException, Path, Query, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from tapwatt.core.effects import Effect
from tapwatt.core.session import Session
from tapwatt.engine import Engine, Stepper
from tapwatt.platform import idempotency
from tapwatt.platform.idempotency import KEY_MAX, Order, Told
from tapwatt.platform.paging import CURSOR_MAX
from tapwatt.platform.sessions import Event
from tapwatt.platform.views import PAGE_MAX
from tapwatt.store import Transaction
from tapwatt.web.gate import WHO
from tapwatt.web.problems import MEDIA

Json = dict[str, Any]
BODY_MAX = 5_000_000
"""Above what any document of a route may have; routes with less say so themselves."""
NO_NUL = r"^[^\u0000]*$"
MOST_MS, MOST_MINOR = 10**14, 10**12

Text = Annotated[str, Field(pattern=NO_NUL)]
By = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        pattern=NO_NUL,
        description="Who does it; whoever is logged in or has a token does it by that name",
    ),
]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="Rows of a page")]
Cursor = Annotated[
    str | None,
    Query(min_length=1, max_length=CURSOR_MAX, description="`cursor` of the page before; none: the first"),
]
SessionId = Annotated[str, Path(description="As in `session_id`", max_length=64)]
StationId = Annotated[str, Path(description="As in `station_id`", max_length=64)]
Work = Callable[[Transaction, Stepper[Session, Event, Effect]], Json]


class Given(BaseModel):
    """What a request's body says. A member that is not known is refused: one that is spelt wrong must not be
    an order without it."""

    model_config = ConfigDict(extra="forbid")


class ApiRoute(APIRoute):
    """A route whose request body is read whole, and never more than BODY_MAX of it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler behind the bound."""
        handle = super().get_route_handler()

        async def bounded(request: Request) -> Response:
            body = bytearray()
            async for chunk in request.stream():
                body += chunk
                if len(body) > BODY_MAX:
                    raise HTTPException(413, f"the body has more than {BODY_MAX} bytes")
            if any("\0" in str(value) for value in request.path_params.values()):
                raise HTTPException(404, "there is nothing of that name")
            return await handle(_read(request, bytes(body)))

        return bounded


def _read(request: Request, body: bytes) -> Request:
    """The request again, with its body to be read as often as anybody likes."""

    async def again() -> Json:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(request.scope, again)


def answer(value: Any, status: int = 200) -> Response:
    """An answer as JSON."""
    return Response(msgspec.json.encode(value), status_code=status, media_type="application/json")


async def order_of(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=KEY_MAX,
            pattern=r"^[!-~]+$",
            description="A name for this order, 1 to 64 characters. Sent again under it within a week, the "
            "order is not carried out again: the first answer is given again, with `Idempotency-Replayed`.",
        ),
    ] = None,
) -> Order:
    """The order that a request is, under its sender's name and key."""
    who, path = WHO.get(), request.url.path
    return Order(
        operator_id=who.operator_id,
        person=who.person_id or "",
        route=f"{request.method} {request.scope['route'].path}",
        key=idempotency_key,
        fingerprint=idempotency.fingerprint(path, request.url.query, await request.body()),
        at_ms=request.app.state.now_ms(),
    )


Sent = Annotated[Order, Depends(order_of)]


async def once(
    engine: Engine[Session, Event, Effect],
    order: Order,
    work: Work,
    *,
    status: int = 200,
    secret: str | None = None,
    write: Callable[[Any], str | bytes] = msgspec.json.encode,
) -> Response:
    """Carry an order out in one commit with its answer, or give the answer that was kept. A `secret` member
    is shown the first time only: it is kept as null. Raises as `work` does, UnableToReuse, UnableToRepeat."""

    def run(tx: Transaction, stepper: Stepper[Session, Event, Effect]) -> Told:
        found = idempotency.known(tx, order)
        if found is not None:
            return found
        value = work(tx, stepper)
        kept = value if secret is None else {**value, secret: None}
        idempotency.keep(tx, order, Told(status=status, body=_text(write(kept))))
        return Told(status=status, body=_text(write(value)))

    return told_again(await engine.transact(run))


def told_again(told: Told) -> Response:
    """An answer as it was kept, marked when it is not the first time."""
    headers = {"Idempotency-Replayed": "true"} if told.replayed else {}
    media = "application/json" if told.status < 400 else MEDIA
    return Response(told.body, status_code=told.status, media_type=media, headers=headers)


def _text(written: str | bytes) -> str:
    return written if isinstance(written, str) else written.decode()
