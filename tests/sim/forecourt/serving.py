"""The forecourt's page on a socket, at a moment that stands still."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

from starlette.applications import Starlette
from tests.web.serving import on_socket

from tapwatt.pages.guard import Guard
from tapwatt.pages.layout import HEADERS
from tapwatt.sim.bell import Bell
from tapwatt.sim.forecourt.facts import Facts
from tapwatt.sim.forecourt.page import Forecourt


@asynccontextmanager
async def forecourt_at(moment: Facts) -> AsyncIterator[str]:
    """The page as it looks with these facts; nobody takes its orders."""

    async def look() -> Facts:
        return moment

    witness: Any = SimpleNamespace(look=look)
    stay = moment.stay
    visitor: Any = SimpleNamespace(
        chosen=stay.medium if stay else None, chosen_evse=stay.evse_id if stay else 1, notice=""
    )
    board: Any = SimpleNamespace(on=moment.on)
    forecourt = Forecourt(
        witness,
        visitor,
        board,
        console="http://127.0.0.1:8080/",
        evses=(1, 2),
        bell=Bell(),
    )
    app = Guard(Starlette(routes=forecourt.routes()), headers=HEADERS)
    async with on_socket(app, forecourt.live.close) as url:
        yield url
