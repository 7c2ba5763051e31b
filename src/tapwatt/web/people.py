"""The pages `/me` (one's own password and logins) and `/people` (who may log in; administrators only).

A first password and a one-time secret are shown once, in the answer to the order that made them.
"""

from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment

from tapwatt.pages.layout import render
from tapwatt.platform.access import Role
from tapwatt.platform.passwords import MOST, TooManyAtOnce, UnableToTakePassword
from tapwatt.platform.people import NAME_MAX, UnableToChangePeople
from tapwatt.web.doors import Doors, Handed, NotThisOne, WaitFirst, role_of
from tapwatt.web.forms import read_form
from tapwatt.web.gate import WHO, Gate
from tapwatt.web.login import BUSY, LATER, caller_of

FORM_BYTES_MAX = 4_096
OLD_IS_WRONG = "The password until now is another."
SHORT_OR_PLAIN = "A password has 12 to 256 characters, is not built on your name and not a few repeated."
DIFFER = "The new password was typed in two ways."
CHANGED = "The password is changed; your other logins have ended."


class PeoplePages:
    """The pages of people."""

    def __init__(self, doors: Doors, gate: Gate, env: Environment) -> None:
        self._doors = doors
        self._gate = gate
        self._env = env

    def add_to(self, router: APIRouter) -> None:
        """Add the pages' routes."""
        router.add_api_route("/me", self.me, methods=["GET"])
        router.add_api_route("/me/password", self.change_password, methods=["POST"])
        router.add_api_route("/me/logins", self.end_logins, methods=["POST"])
        router.add_api_route("/people", self.people, methods=["GET"])
        router.add_api_route("/people", self.add, methods=["POST"])
        router.add_api_route("/people/{person_id}", self.change, methods=["POST"])

    async def me(self, request: Request) -> Response:
        """One's own page."""
        return await self._me(request)

    async def change_password(self, request: Request) -> Response:
        """Change one's password."""
        form = await read_form(request, most_bytes=FORM_BYTES_MAX)
        new, keep = form.get("new", ""), await self._own_hash(request)
        if new != form.get("again", ""):
            return await self._me(request, said=DIFFER, status=422)
        try:
            await self._doors.change_password(
                WHO.get(), old=form.get("old", ""), new=new, keep=keep, caller=caller_of(request)
            )
        except NotThisOne:
            return await self._me(request, said=OLD_IS_WRONG, status=403)
        except UnableToTakePassword:
            return await self._me(request, said=SHORT_OR_PLAIN, status=422)
        except WaitFirst:
            return await self._me(request, said=LATER, status=429)
        except TooManyAtOnce:
            return await self._me(request, said=BUSY, status=503)
        return await self._me(request, done=CHANGED)

    async def end_logins(self, request: Request) -> Response:
        """End one other login, or all others."""
        form = await read_form(request, most_bytes=FORM_BYTES_MAX)
        only = form.get("login")
        await self._doors.end_logins(WHO.get(), keep=await self._own_hash(request), only=only)
        return RedirectResponse("/me", status_code=303)

    async def _me(self, request: Request, *, said: str = "", done: str = "", status: int = 200) -> Response:
        own = await self._doors.own(WHO.get())
        return self._html(
            "me.html",
            status,
            **own,
            own_hash=await self._own_hash(request),
            said=said,
            done=done,
            password_max=MOST,
        )

    async def _own_hash(self, request: Request) -> str:
        login = (await self._gate.know(request)).login
        return login.login_hash if login is not None else ""

    async def people(self) -> Response:
        """Everybody who may log in."""
        return await self._people()

    async def add(self, request: Request) -> Response:
        """Let somebody in; what to hand over is shown once."""
        form = await read_form(request, most_bytes=FORM_BYTES_MAX)
        try:
            handed = await self._doors.add(
                WHO.get(),
                login_name=form.get("login_name", ""),
                name=form.get("name", ""),
                role=form.get("role", ""),
            )
        except (UnableToChangePeople, TooManyAtOnce) as error:
            return await self._people(said=str(error), typed=form, status=409)
        return await self._people(handed=handed)

    async def change(self, person_id: str, request: Request) -> Response:
        """Do what the button says to one person."""
        form = await read_form(request, most_bytes=FORM_BYTES_MAX)
        try:
            handed = await self._done(person_id, form)
        except (UnableToChangePeople, TooManyAtOnce) as error:
            return await self._people(said=str(error), status=409)
        return await self._people(handed=handed) if handed else RedirectResponse("/people", status_code=303)

    async def _done(self, person_id: str, form: dict[str, str]) -> Handed | None:
        who, do = WHO.get(), form.get("do", "")
        chosen: dict[str, Any] = {"disable": {"disabled": True}, "enable": {"disabled": False}}.get(do, {})
        if do == "reset":
            return await self._doors.reset(who, person_id)
        if do == "change":
            role = role_of(form["role"]) if "role" in form else None
            chosen = {"role": role, "display_name": form.get("name")}
        if not chosen:
            raise HTTPException(422, "do is change, disable, enable or reset")
        await self._doors.change(who, person_id, **chosen)
        return None

    async def _people(
        self,
        *,
        said: str = "",
        typed: dict[str, str] | None = None,
        handed: Handed | None = None,
        status: int = 200,
    ) -> Response:
        return self._html(
            "people.html",
            status,
            people=await self._doors.people(),
            roles=[role.value for role in Role],
            said=said,
            typed=typed or {},
            handed=handed,
            name_max=NAME_MAX,
        )

    def _html(self, template: str, status: int = 200, **values: Any) -> Response:
        page = render(self._env, template, live=None, now_ms=self._doors.now_ms(), **values)
        return HTMLResponse(page, status_code=status)
