"""`/api/v1/tokens`: one's own tokens. A token's secret is shown when it is made, and never again."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Response
from pydantic import Field

from tapwatt.platform import tokens
from tapwatt.platform.access import Permission
from tapwatt.platform.tokens import ID_BYTES, NAME_MAX, SECRET_BYTES
from tapwatt.web.answers.outside import TokenMade, TokensPage
from tapwatt.web.asked import MOST_MS, NO_NUL, ApiRoute, Cursor, Given, Json, Limit, Sent, answer, once
from tapwatt.web.desk import Desk
from tapwatt.web.gate import WHO
from tapwatt.web.problems import told


class TokenWanted(Given):
    """What a token is to be called, may do, and until when."""

    name: str = Field(min_length=1, max_length=NAME_MAX, pattern=NO_NUL, examples=["accounting"])
    scopes: list[Permission] = Field(min_length=1, max_length=len(Permission), examples=[["read"]])
    expires_ms: int | None = Field(None, ge=1, le=MOST_MS, description="Without it, until it is revoked")


def token_api(desk: Desk) -> APIRouter:
    """The routes of tokens for one operator's desk."""
    router = APIRouter(prefix="/api/v1", route_class=ApiRoute)

    @router.get("/tokens", summary="One's own tokens, without their secrets", response_model=TokensPage)
    async def listing(limit: Limit = 50, cursor: Cursor = None) -> Response:
        who = WHO.get()
        return answer(await desk.database.read(lambda tx: tokens.listing(tx, who, cursor=cursor, most=limit)))

    @router.post(
        "/tokens",
        status_code=201,
        summary="Make a token: its secret is shown now and never again",
        response_model=TokenMade,
        responses=told({409: "The key's order is not over"}),
    )
    async def make(wanted: TokenWanted, sent: Sent) -> Response:
        who, at_ms, chance = WHO.get(), desk.now_ms(), desk.chance(SECRET_BYTES + ID_BYTES)
        asked = {"name": wanted.name, "scopes": wanted.scopes, "expires_ms": wanted.expires_ms}

        def work(tx: Any, _: Any) -> Json:
            return tokens.make(tx, who, **asked, chance=chance, at_ms=at_ms)  # type: ignore[arg-type]

        return await once(desk.engine, sent, work, status=201, secret="token")

    @router.delete(
        "/tokens/{token_id}",
        status_code=204,
        summary="Revoke a token, for good",
        responses=told({404: "No such token"}),
    )
    async def revoke(
        token_id: Annotated[str, Path(description="As in `token_id`", max_length=64)],
    ) -> Response:
        who, at_ms = WHO.get(), desk.now_ms()
        if not await desk.database.write(lambda tx: tokens.revoke(tx, who, token_id, at_ms=at_ms)):
            raise HTTPException(404, f"there is no token {token_id}")
        return Response(status_code=204)

    return router
