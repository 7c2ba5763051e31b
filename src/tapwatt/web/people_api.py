"""`/api/v1/people` and `/api/v1/audit`: who may log in, and who did what.

The first administrator is let in from the shell: in an open house whoever reaches this machine could make
himself one. A login name is given once, and a change says what is to be, so that these orders need no key.
"""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Response
from pydantic import Field

from tapwatt.platform import audit
from tapwatt.platform.access import Role
from tapwatt.platform.paging import cut, read_cursor, write_cursor
from tapwatt.platform.passwords import TooManyAtOnce
from tapwatt.platform.people import NAME_MAX, NoSuchPerson, SenselessPerson, UnableToChangePeople
from tapwatt.store import Transaction
from tapwatt.web.answers.people import Entries, HandedOver, People
from tapwatt.web.asked import NO_NUL, ApiRoute, Cursor, Given, Json, Limit, answer
from tapwatt.web.doors import Doors, Handed
from tapwatt.web.gate import WHO
from tapwatt.web.problems import told

AUDIT = "audit"
LOGIN_NAME_MAX = 63
PersonId = Annotated[str, Path(description="As in `person_id`", max_length=64)]
REFUSED = told({404: "There is no such person", 409: "It cannot be done; `detail` says why"})


class PersonWanted(Given):
    """Who is to be let in."""

    login_name: str = Field(min_length=2, max_length=LOGIN_NAME_MAX, pattern=r"^[a-z0-9._@-]+$")
    name: str = Field(min_length=1, max_length=NAME_MAX, pattern=NO_NUL)
    role: Role


class PersonChanged(Given):
    """What is to be different; what is not named stays."""

    name: str | None = Field(None, min_length=1, max_length=NAME_MAX, pattern=NO_NUL)
    role: Role | None = None
    disabled: bool | None = None


def people_api(doors: Doors) -> APIRouter:
    """The routes of people and of the audit log for one operator's house."""
    router = APIRouter(prefix="/api/v1", route_class=ApiRoute)
    _people(router, doors)

    @router.get("/audit", summary="Who did what, the newest first", response_model=Entries)
    async def entries(limit: Limit = 50, cursor: Cursor = None) -> Response:
        before = int(read_cursor(AUDIT, cursor, int)[0]) if cursor else None

        def read(tx: Transaction) -> Json:
            found = audit.page(tx, operator_id=doors.operator_id, before=before, most=limit + 1)
            page, following = cut(found, limit, lambda entry: write_cursor(AUDIT, entry["seq"]))
            return {"entries": page, "cursor": following}

        return answer(await doors.database.read(read))

    return router


def _people(router: APIRouter, doors: Doors) -> None:
    @router.get("/people", summary="Everybody who may log in", response_model=People)
    async def listing() -> Response:
        return answer({"people": await doors.people()})

    @router.post(
        "/people",
        status_code=201,
        summary="Let somebody in: password and secret are shown now and never again",
        response_model=HandedOver,
        responses=told({409: "The name is taken, or nobody is an administrator yet"}),
    )
    async def add(wanted: PersonWanted) -> Response:
        _closed()
        given = {"login_name": wanted.login_name, "name": wanted.name, "role": wanted.role.value}
        return answer(_shown(await _tried(doors.add(WHO.get(), **given))), 201)

    @router.post(
        "/people/{person_id}",
        status_code=204,
        summary="Give somebody another name or role, shut them out or let them in again",
        responses=REFUSED,
    )
    async def change(person_id: PersonId, changed: PersonChanged) -> Response:
        _closed()
        chosen = {"display_name": changed.name, "role": changed.role, "disabled": changed.disabled}
        await _tried(doors.change(WHO.get(), person_id, **chosen))
        return Response(status_code=204)

    @router.post(
        "/people/{person_id}/reset",
        summary="Give somebody a new first password and secret; their logins end",
        response_model=HandedOver,
        responses=REFUSED,
    )
    async def reset(person_id: PersonId) -> Response:
        _closed()
        return answer(_shown(await _tried(doors.reset(WHO.get(), person_id))))


def _closed() -> None:
    """Only where people log in already."""
    if WHO.get().person_id is None:
        raise HTTPException(409, "the first administrator is let in from the shell: tapwatt people add")


def _shown(handed: Handed) -> Json:
    return {
        "login_name": handed.login_name,
        "password": handed.password,
        "otpauth": handed.otpauth,
        "secret": handed.secret,
    }


async def _tried(work: Any) -> Any:
    """The answer of an order about people, what is wrong with it as a status."""
    try:
        return await work
    except NoSuchPerson as error:
        raise HTTPException(404, str(error)) from None
    except SenselessPerson as error:
        raise HTTPException(422, str(error)) from None
    except UnableToChangePeople as error:
        raise HTTPException(409, str(error)) from None
    except TooManyAtOnce as error:
        raise HTTPException(503, str(error), {"Retry-After": "1"}) from None
