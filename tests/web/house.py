"""A closed house: people with roles, and browsers in which they are logged in."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from argon2 import PasswordHasher
from tests.web.scenes import Scene

from tapwatt.platform import people
from tapwatt.platform.access import Role
from tapwatt.platform.one_time import STEP_S, code_at, secret_of
from tapwatt.platform.people import NewPerson
from tapwatt.store import Transaction

CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
"""A hash that costs nothing, for passwords of tests."""
PASSWORD = "correct horse battery"
HASH = CHEAP.hash(PASSWORD)
URL = "http://127.0.0.1:8080"
TOKEN = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


def secret_for(login_name: str) -> str:
    """The one-time secret of a person of the tests."""
    return secret_of(login_name.encode() * 20)


def let_in(tx: Transaction, login_name: str, role: str, *, at_ms: int, must_change: bool = False) -> str:
    """Somebody who may log in; the display name is the login name with a capital."""
    person = NewPerson(
        login_name=login_name,
        display_name=login_name.capitalize(),
        role=Role(role),
        password=HASH,
        totp_secret=secret_for(login_name),
        must_change=must_change,
    )
    return people.add(
        tx, people.shell("demo"), person, chance=f"{login_name:*>40}".encode()[-17:], at_ms=at_ms
    )


async def staffed(scene: Scene, **others: str) -> dict[str, str]:
    """Close the house: ada is its administrator, the others have the roles given. Ids by login name."""
    made = {}
    for login_name, role in {"ada": "administrator", **others}.items():

        def work(tx: Transaction, name: str = login_name, role: str = role) -> str:
            return let_in(tx, name, role, at_ms=scene.at_ms)

        made[login_name] = await scene.database.write(work)
    return made


def code_for(scene: Scene, login_name: str) -> str:
    """The code that the person's app shows now."""
    return code_at(secret_for(login_name), step=scene.at_ms // 1000 // STEP_S)


class Visitor:
    """A browser: it keeps cookies and sends each form back with its token."""

    def __init__(self, web: httpx.AsyncClient) -> None:
        self.web = web
        self.token = ""

    async def get(self, path: str) -> httpx.Response:
        """Open a page; its forms' token is remembered."""
        answer = await self.web.get(path)
        found = TOKEN.search(answer.text)
        self.token = found[1] if found else self.token
        return answer

    async def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form of the page that was opened last."""
        return await self.web.post(path, data={"csrf": self.token, **fields})

    async def log_in(self, scene: Scene, login_name: str, password: str = PASSWORD) -> httpx.Response:
        """Name, password, code; a new code each time."""
        scene.after(STEP_S)
        await self.web.post("/login", data={"name": login_name, "password": password})
        answer = await self.web.post("/login/code", data={"code": code_for(scene, login_name)})
        await self.get("/me")
        return answer


@asynccontextmanager
async def visiting(transport: httpx.AsyncBaseTransport, url: str = URL) -> AsyncIterator[Visitor]:
    """A browser with no cookie yet."""
    async with httpx.AsyncClient(transport=transport, base_url=url) as web:
        yield Visitor(web)
