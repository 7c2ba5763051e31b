"""The forecourt's page: one address to look at, a stream of what changes, forms that need no script."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tapwatt.pages.layout import environment, render, static
from tapwatt.pages.live import Live
from tapwatt.pages.stream import EventStream
from tapwatt.sim.bell import Bell
from tapwatt.sim.forecourt.board import Board, UnableToSwitch
from tapwatt.sim.forecourt.media import medium
from tapwatt.sim.forecourt.picture import choices, picture
from tapwatt.sim.forecourt.switches import switch
from tapwatt.sim.forecourt.visitor import Visitor
from tapwatt.sim.forecourt.witness import Witness

LIVE: Final = "/live"
PIECES: Final = ("who", "scene", "bays", "terminal", "tale", "acts", "money", "switches")
ACTS: Final = ("plug", "tap", "stop", "pull")
STYLE: Final = "forecourt.css"
AT_MOST_EVERY_S: Final = 0.4
MOST_FORM_BYTES: Final = 4_096
NEWS_WITHIN_S: Final = 5.0

Handler = Callable[[Request], Awaitable[Response]]


class SenselessForm(ValueError):
    """A form holds something that is on no page of ours; the message is a sentence."""


class Forecourt:
    """The page and what it takes orders for."""

    def __init__(
        self,
        witness: Witness,
        visitor: Visitor,
        board: Board,
        *,
        console: str,
        evses: tuple[int, ...],
        bell: Bell,
    ) -> None:
        """`console` is the address of the operator's console."""
        self.live = Live(at_most_every_s=AT_MOST_EVERY_S)
        self._witness = witness
        self._visitor = visitor
        self._board = board
        self._console = console
        self._evses = evses
        self._bell = bell
        self._env = environment("tapwatt.sim.forecourt", links=(("Console", console),))

    def routes(self) -> list[Route]:
        """The page's routes."""
        posts: dict[str, Handler] = {
            "/take-over": self._take_over,
            "/hand-back": self._hand_back,
            "/visit": self._act,
            "/switch": self._flip,
        }
        return [
            Route("/", self._page),
            Route(LIVE, self._stream),
            Route("/static/{name}", self._asset),
            *(Route(path, self._guarded(handler), methods=["POST"]) for path, handler in posts.items()),
            Route("/{path:path}", self._nowhere),
        ]

    async def pass_on_news(self) -> None:
        """For the program's life: whatever rings at the site wakes the open pages."""
        while True:
            await self._bell.heard(NEWS_WITHIN_S)
            if self.live.lookers:
                self.live.changed()

    # --- looking

    async def _page(self, _request: Request) -> Response:
        visitor = self._visitor
        chosen = visitor.chosen.key if visitor.chosen is not None else ""
        still = choices(chosen, visitor.chosen_evse, self._evses)
        shown = await self._shown()
        return HTMLResponse(
            render(self._env, "forecourt.html", live=LIVE, console=self._console, **still, **shown)
        )

    async def _stream(self, _request: Request) -> Response:
        async def pieces() -> Mapping[str, str]:
            shown = await self._shown()
            return {
                name: render(self._env, f"pieces/{name}.html", console=self._console, **shown)
                for name in PIECES
            }

        return EventStream(self.live.fragments("forecourt", pieces))

    async def _shown(self) -> dict[str, Any]:
        return picture(await self._witness.look())

    async def _asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        found = (_style(), "text/css") if name == STYLE else static(name)
        if found is None:
            return self._sorry(404, f"there is no file {name}")
        body, kind = found
        return Response(body, media_type=kind)

    async def _nowhere(self, request: Request) -> Response:
        if request.url.path.startswith("/api/"):
            return JSONResponse({"error": f"there is no {request.url.path}"}, status_code=404)
        return self._sorry(404, f"there is no {request.url.path}")

    def _sorry(self, status: int, reason: str) -> Response:
        title = "Not found" if status == 404 else "That makes no sense"
        page = render(self._env, "sorry.html", live=None, title=title, reason=reason)
        return HTMLResponse(page, status_code=status)

    # --- orders

    def _guarded(self, handler: Handler) -> Handler:
        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except SenselessForm as error:
                return self._sorry(400, str(error))

        return answer

    async def _take_over(self, _request: Request) -> Response:
        self._visitor.take_over()
        return self._back("device")

    async def _hand_back(self, _request: Request) -> Response:
        await self._visitor.pull()
        self._visitor.hand_back()
        return self._back("site")

    async def _act(self, request: Request) -> Response:
        form = await _form(request)
        what, connector = form.get("do", ""), form.get("evse", "")
        if what not in ACTS:
            raise SenselessForm(f"there is nothing to do that is called {what[:20]!r}")
        if connector not in map(str, self._evses):
            raise SenselessForm(f"there is no connector {connector[:20]!r}")
        chosen = medium(form.get("medium", ""))
        await self._visitor.act(what, int(connector), chosen, self._board.on)
        return self._back("device")

    async def _flip(self, request: Request) -> Response:
        form = await _form(request)
        key = form.get("break", "") or form.get("mend", "")
        known = switch(key)
        if known is None:
            raise SenselessForm(f"there is no switch {key[:20]!r}")
        on = "break" in form
        try:
            await self._board.flip(known, on=on, unplug=self._unplug)
        except UnableToSwitch as error:
            self._visitor.notice = str(error)
            return self._back("device")
        if on:
            self._visitor.broke(key)
        return self._back(f"switch-{key}")

    async def _unplug(self) -> None:
        self._visitor.broke("unplug")
        if not await self._visitor.pull():
            raise UnableToSwitch("None of your cars is plugged in.")

    def _back(self, place: str) -> Response:
        self._bell.ring()
        return RedirectResponse(f"/#{place}", status_code=303)


async def _form(request: Request) -> dict[str, str]:
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > MOST_FORM_BYTES:
                raise SenselessForm("the form is too long")
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=20)
    except ClientDisconnect:
        raise SenselessForm("the form did not come whole") from None
    except ValueError as error:
        raise SenselessForm("the form has too many fields") from error
    return {name: values[0] for name, values in fields.items()}


@cache
def _style() -> bytes:
    return files("tapwatt.sim.forecourt").joinpath("static", STYLE).read_bytes()
