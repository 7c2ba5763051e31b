"""The pages of logging in: name and password, then the code, then where one wanted to go; and logging out.

They work without script. What was wrong is never said (`doors.py`).
"""

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment

from tapwatt.pages.layout import render
from tapwatt.platform.logins import Caller
from tapwatt.platform.passwords import TooManyAtOnce
from tapwatt.web.doors import Doors, NotThisOne, WaitFirst
from tapwatt.web.forms import read_form
from tapwatt.web.gate import Gate, local_path

FORM_BYTES_MAX = 4_096
WRONG = "Name, password or code is wrong."
BUSY = "Too many log in at once. Try again in a moment."
LATER = "Too many tries."


class LoginPages:
    """The pages of logging in and out."""

    def __init__(self, doors: Doors, gate: Gate, env: Environment) -> None:
        self._doors = doors
        self._gate = gate
        self._env = env

    def add_to(self, router: APIRouter) -> None:
        """Add the pages' routes."""
        router.add_api_route("/login", self.page, methods=["GET"])
        router.add_api_route("/login", self.password, methods=["POST"])
        router.add_api_route("/login/code", self.code_page, methods=["GET"])
        router.add_api_route("/login/code", self.code, methods=["POST"])
        router.add_api_route("/logout", self.log_out, methods=["POST"])

    async def page(self, request: Request) -> Response:
        """The form for name and password; whoever is in goes on."""
        address = local_path(request.query_params.get("next", "/"))
        if (await self._gate.know(request)).who.permissions:
            return RedirectResponse(address, status_code=303)
        return self._html("login.html", address=address)

    async def password(self, request: Request) -> Response:
        """Judge name and password, and ask for the code in any case."""
        form = await read_form(request, most_bytes=FORM_BYTES_MAX)
        address = local_path(form.get("next", "/"))
        try:
            secret = await self._doors.password(
                form.get("name", ""), form.get("password", ""), caller_of(request)
            )
        except WaitFirst as wait:
            return self._html("login.html", 429, address=address, said=LATER, wait_s=wait.seconds)
        except TooManyAtOnce:
            return self._html("login.html", 503, address=address, said=BUSY, wait_s=2)
        answer = RedirectResponse(f"/login/code?{urlencode({'next': address})}", status_code=303)
        self._bake(answer, secret)
        return answer

    async def code_page(self, request: Request) -> Response:
        """The form for the code."""
        return self._html("login_code.html", address=local_path(request.query_params.get("next", "/")))

    async def code(self, request: Request) -> Response:
        """Judge the code; then go on, with a new cookie."""
        form = await read_form(request, most_bytes=FORM_BYTES_MAX)
        address = local_path(form.get("next", "/"))
        asked = request.cookies.get(self._gate.cookie, "")
        try:
            secret, _ = await self._doors.code(asked, form.get("code", ""), caller_of(request))
        except NotThisOne:
            return self._html("login_code.html", 403, address=address, said=WRONG)
        answer = RedirectResponse(address, status_code=303)
        self._bake(answer, secret)
        return answer

    async def log_out(self, request: Request) -> Response:
        """End the login, then show the form for the next."""
        known = await self._gate.know(request)
        if known.login is not None:
            await self._doors.log_out(known.who, known.login.login_hash)
        answer = RedirectResponse("/login", status_code=303)
        answer.delete_cookie(
            self._gate.cookie, secure=self._gate.secure, httponly=True, samesite="lax", path="/"
        )
        return answer

    def _bake(self, answer: Response, secret: str) -> None:
        """The cookie ends with the browser; when the login ends, the server knows."""
        answer.set_cookie(
            self._gate.cookie, secret, secure=self._gate.secure, httponly=True, samesite="lax", path="/"
        )

    def _html(
        self, template: str, status: int = 200, *, address: str, said: str = "", wait_s: int = 0
    ) -> Response:
        page = render(self._env, template, live=None, address=address, said=said, wait_s=wait_s)
        headers = {"Retry-After": str(wait_s)} if wait_s else None
        return HTMLResponse(page, status_code=status, headers=headers)


def caller_of(request: Request) -> Caller:
    """Where a request comes from."""
    return Caller(
        address=request.client.host if request.client else "unknown",
        agent=request.headers.get("user-agent", ""),
    )
