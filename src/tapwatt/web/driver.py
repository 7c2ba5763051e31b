"""Driver pages under `/d/`: no login, no script, made for a phone and for paper. Whoever has the link is
shown what is behind it, and nobody else is told anything."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from tapwatt.core.receipt import Receipt
from tapwatt.core.receipt_shown import shown
from tapwatt.core.receipt_text import receipt_text
from tapwatt.pages.layout import environment, render
from tapwatt.pages.reader import LANGUAGES, TAGS
from tapwatt.web.desk import Desk
from tapwatt.web.receipt_pdf import can_write, receipt_pdf

TOKEN_MAX = 64
WAITING_MAX = 20
"""So many receipts may wait for their turn to be drawn; one more is told to come back."""
NOT_A_NAME = re.compile(r"[^\w.-]", re.ASCII)
SAID = ("There is nothing at this address.", "This does not work at the moment. Please try again later.")


class DriverPages:
    """The pages that drivers see."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._env = environment("tapwatt.web")
        self._drawing = asyncio.Lock()
        self._waiting = 0

    def router(self) -> APIRouter:
        """The pages' routes."""
        router = APIRouter(prefix="/d", include_in_schema=False)
        router.add_api_route("/receipts/{token}.txt", self.receipt_as_text, methods=["GET"])
        router.add_api_route("/receipts/{token}.pdf", self.receipt_as_pdf, methods=["GET"])
        router.add_api_route("/receipts/{token}", self.receipt, methods=["GET"])
        return router

    async def receipt(self, token: str, language: str = "") -> Response:
        """A receipt or credit note, in its own language or in the one that is asked for."""
        found = await self._found(token)
        if found is None:
            return self.sorry(404)
        read = _read_in(found, language)
        return HTMLResponse(
            render(
                self._env,
                "driver/receipt.html",
                page=shown(read),
                token=token,
                address=self._desk.receipt_address(token),
                asked=f"?language={read.language}" if read is not found else "",
                languages=[(code, TAGS.get(code, code), name) for code, name in LANGUAGES.items()],
            )
        )

    async def receipt_as_text(self, token: str, language: str = "") -> Response:
        """The same as text."""
        found = await self._found(token)
        return (
            self.sorry(404) if found is None else PlainTextResponse(receipt_text(_read_in(found, language)))
        )

    async def receipt_as_pdf(self, token: str, language: str = "") -> Response:
        """The same on paper, in its own language where no font here has the other's letters. Drawn beside the
        loop, one at a time: it takes some tenths of a second."""
        found = await self._found(token)
        if found is None:
            return self.sorry(404)
        read = _read_in(found, language)
        page = shown(read if can_write(shown(read).title) else found)
        if self._waiting >= WAITING_MAX:
            return self.sorry(503, {"Retry-After": "5"})
        self._waiting += 1
        try:
            async with self._drawing:
                body = await asyncio.to_thread(
                    receipt_pdf,
                    page,
                    issued_ms=found.issued_ms,
                    address=self._desk.receipt_address(token),
                )
        finally:
            self._waiting -= 1
        name = f'inline; filename="{NOT_A_NAME.sub("-", found.number)}.pdf"'
        return Response(body, media_type="application/pdf", headers={"Content-Disposition": name})

    async def _found(self, token: str) -> Receipt | None:
        return await self._desk.receipt_behind(token) if len(token) <= TOKEN_MAX else None

    def sorry(self, status: int, headers: Mapping[str, str] | None = None) -> Response:
        """The same few words whatever is wrong, in the reader's language (a receipt has its own): a driver
        can do nothing about it, and a stranger learns nothing."""
        said = SAID[status >= 500]
        page = render(self._env, "driver/sorry.html", said=said)
        return HTMLResponse(page, status_code=status, headers=headers)


def _read_in(receipt: Receipt, language: str) -> Receipt:
    """The same receipt for somebody who reads this language; one that we do not have changes nothing."""
    known = language in LANGUAGES and language != receipt.language.split("-")[0].lower()
    return replace(receipt, language=language) if known else receipt
