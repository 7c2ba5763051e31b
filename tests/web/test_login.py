"""Logging in, and all that is no login: wrong words, used codes, too many tries, old cookies."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from tests.web.house import PASSWORD, Visitor, code_for, let_in, secret_for, staffed, visiting
from tests.web.scenes import Scene
from tests.web.serving import serving, web_side

from tapwatt.pages.stream import EventStream
from tapwatt.platform import audit, logins
from tapwatt.platform.one_time import STEP_S, code_at
from tapwatt.platform.people import UnableToChangePeople
from tapwatt.platform.tables import LOGIN, LOGIN_TRY, PERSON
from tapwatt.web import looking
from tapwatt.web.app import WebSide

WRONG = "Name, password or code is wrong."


@pytest.fixture
def side(scene: Scene) -> WebSide:
    return web_side(scene)


@pytest.fixture
async def visitor(side: WebSide) -> AsyncIterator[Visitor]:
    async with visiting(httpx.ASGITransport(side)) as visitor:
        yield visitor


async def rows(scene: Scene, table: Any) -> list[Any]:
    return await scene.database.read(lambda tx: tx.run(select(table)))


async def happened(scene: Scene) -> list[str]:
    entries = await scene.database.read(lambda tx: audit.page(tx, operator_id="demo"))
    return [entry["what"] for entry in reversed(entries)]


async def test_a_person_logs_in_and_out(visitor: Visitor, scene: Scene) -> None:
    await staffed(scene)
    asked = await visitor.web.post("/login", data={"name": " Ada ", "password": PASSWORD, "next": "/holds"})
    assert (asked.status_code, asked.headers["location"]) == (303, "/login/code?next=%2Fholds")
    assert (await visitor.get("/")).status_code == 303, "a password alone is no login"
    first = visitor.web.cookies["tapwatt-login"]
    answer = await visitor.web.post("/login/code", data={"code": code_for(scene, "ada"), "next": "/holds"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/holds")
    baked = answer.headers["set-cookie"]
    for word in ("HttpOnly", "SameSite=lax", "Path=/"):
        assert word in baked
    assert "Secure" not in baked
    assert "Max-Age" not in baked
    second = visitor.web.cookies["tapwatt-login"]
    assert second != first, "the cookie from before the login opens nothing"
    page = await visitor.get("/")
    assert "Ada" in page.text
    (kept,) = await rows(scene, LOGIN)
    assert kept.login_hash == logins.hash_of(second)
    assert second not in str(kept)
    out = await visitor.post("/logout")
    assert (out.status_code, out.headers["location"]) == (303, "/login")
    assert await rows(scene, LOGIN) == []
    visitor.web.cookies.set("tapwatt-login", second)
    assert (await visitor.get("/")).status_code == 303, "the cookie is worth nothing now"
    assert await happened(scene) == ["person added", "login", "logout"]


async def test_where_the_address_is_https_the_cookie_stays_there(scene: Scene) -> None:
    await staffed(scene)
    side = web_side(scene, public_url=lambda: "https://pay.example.com")
    async with visiting(httpx.ASGITransport(side), "https://pay.example.com") as visitor:
        refused = await visitor.web.get("/login")
        assert refused.status_code == 421, "not before the gate knows that the house is closed"
        assert await side.look()
        await visitor.log_in(scene, "ada")
        assert list(visitor.web.cookies) == ["__Host-tapwatt-login"]
        page = await visitor.get("/")
        assert page.headers["strict-transport-security"] == "max-age=31536000"
        origin = {"Origin": "https://pay.example.com"}
        assert (
            await visitor.web.post("/language", data={"language": "de"}, headers=origin)
        ).status_code == 303
        evil = {"Origin": "https://evil.example"}
        assert (await visitor.web.post("/language", data={"language": "de"}, headers=evil)).status_code == 403
        baked = (await visitor.post("/logout")).headers["set-cookie"]
        assert "Secure" in baked


@pytest.mark.parametrize(
    ("name", "password", "code"),
    [
        ("ada", "wrong horse battery", None),
        ("nobody", PASSWORD, None),
        ("ada", PASSWORD, "000000"),
        ("ada", PASSWORD, ""),
        ("", "", ""),
        ("ada", "x" * 3000, None),
    ],
)
async def test_whatever_is_wrong_the_answer_is_the_same(
    visitor: Visitor, scene: Scene, name: str, password: str, code: str | None
) -> None:
    await staffed(scene)
    asked = await visitor.web.post("/login", data={"name": name, "password": password})
    assert (asked.status_code, asked.headers["location"]) == (303, "/login/code?next=%2F")
    given = code_for(scene, "ada") if code is None else code
    answer = await visitor.web.post("/login/code", data={"code": given})
    assert (answer.status_code, WRONG in answer.text) == (403, True)
    assert (await visitor.get("/")).status_code == 303
    assert "login" not in await happened(scene)


async def test_a_code_is_taken_once(visitor: Visitor, scene: Scene, side: WebSide) -> None:
    await staffed(scene)
    code = code_for(scene, "ada")
    await visitor.log_in(scene, "ada")
    scene.after(-STEP_S)
    async with visiting(httpx.ASGITransport(side)) as other:
        for given in (
            code_for(scene, "ada"),
            code,
            code_at(secret_for("ada"), step=scene.at_ms // 30_000 + 1),
        ):
            await other.web.post("/login", data={"name": "ada", "password": PASSWORD})
            again = await other.web.post("/login/code", data={"code": given})
            assert (again.status_code, WRONG in again.text) == (403, True)
        scene.after(2 * STEP_S)
        await other.web.post("/login", data={"name": "ada", "password": PASSWORD})
        assert (await other.web.post("/login/code", data={"code": code_for(scene, "ada")})).status_code == 303


async def test_of_two_with_one_code_one_is_let_in(scene: Scene, side: WebSide) -> None:
    await staffed(scene)
    transport = httpx.ASGITransport(side)
    async with visiting(transport) as one, visiting(transport) as two:
        for each in (one, two):
            await each.web.post("/login", data={"name": "ada", "password": PASSWORD})
        code = {"code": code_for(scene, "ada")}
        answers = await asyncio.gather(*(each.web.post("/login/code", data=code) for each in (one, two)))
    assert sorted(answer.status_code for answer in answers) == [303, 403]


async def test_a_code_has_five_tries_and_five_minutes(visitor: Visitor, scene: Scene) -> None:
    await staffed(scene)
    await visitor.web.post("/login", data={"name": "ada", "password": PASSWORD})
    for _ in range(logins.CODES_MAX):
        await visitor.web.post("/login/code", data={"code": "000000"})
    right = {"code": code_for(scene, "ada")}
    assert (await visitor.web.post("/login/code", data=right)).status_code == 403
    await visitor.web.post("/login", data={"name": "ada", "password": PASSWORD})
    scene.after(5 * 60)
    right = {"code": code_for(scene, "ada")}
    assert (await visitor.web.post("/login/code", data=right)).status_code == 403


@pytest.mark.parametrize("name", ["ada", "nobody"])
async def test_who_fails_often_waits_longer_each_time(visitor: Visitor, scene: Scene, name: str) -> None:
    await staffed(scene)

    async def fails() -> httpx.Response:
        return await visitor.web.post("/login", data={"name": name, "password": "wrong"})

    waits = []
    for _ in range(logins.FREE["name"]):
        assert (await fails()).status_code == 303
    for _ in range(4):
        told = await fails()
        assert (told.status_code, "Too many tries." in told.text) == (429, True)
        waits.append(int(told.headers["retry-after"]))
        scene.after(waits[-1])
        assert (await fails()).status_code == 303
    assert waits == [1, 2, 4, 8]
    wait = await visitor.web.post("/login", data={"name": name, "password": PASSWORD})
    assert wait.status_code == 429, "the right word waits too"
    scene.after(24 * 3600 + 1)
    assert (await visitor.web.post("/login", data={"name": name, "password": PASSWORD})).status_code == 303
    assert "wrong" not in str(await rows(scene, LOGIN_TRY))


async def test_many_at_once_are_many_tries(visitor: Visitor, scene: Scene) -> None:
    await staffed(scene)
    tries = [visitor.web.post("/login", data={"name": "ada", "password": "wrong"}) for _ in range(12)]
    told = [answer.status_code for answer in await asyncio.gather(*tries)]
    assert (told.count(303), told.count(429)) == (logins.FREE["name"], 12 - logins.FREE["name"])


async def test_an_address_that_guesses_at_many_names_waits(
    visitor: Visitor, scene: Scene, side: WebSide
) -> None:
    await staffed(scene)
    for number in range(logins.FREE["address"]):
        await visitor.web.post("/login", data={"name": f"n{number}", "password": "wrong"})
    assert (await visitor.web.post("/login", data={"name": "other", "password": "x"})).status_code == 429
    async with visiting(httpx.ASGITransport(side, client=("192.0.2.9", 1))) as elsewhere:
        assert (await elsewhere.log_in(scene, "ada")).status_code == 303


async def test_a_login_ends_by_itself(visitor: Visitor, scene: Scene) -> None:
    await staffed(scene)
    await visitor.log_in(scene, "ada")
    for _ in range(3):
        scene.after(29 * 60)
        assert (await visitor.get("/")).status_code == 200
    scene.after(31 * 60)
    assert (await visitor.get("/")).status_code == 303
    await visitor.log_in(scene, "ada")
    for _ in range(12 * 60 // 25):
        scene.after(25 * 60)
        await visitor.get("/")
    scene.after(25 * 60)
    assert (await visitor.get("/")).status_code == 303, "after twelve hours in any case"


async def test_who_is_shut_out_is_out(visitor: Visitor, scene: Scene, side: WebSide) -> None:
    made = await staffed(scene, susan="support", oscar="operator")
    await visitor.log_in(scene, "ada")
    transport = httpx.ASGITransport(side)
    async with visiting(transport) as susan, visiting(transport) as oscar:
        await susan.log_in(scene, "susan")
        await oscar.log_in(scene, "oscar")
        await visitor.get("/people")
        assert (await visitor.post(f"/people/{made['susan']}", do="disable")).status_code == 303
        change = {"do": "change", "role": "auditor", "name": "Oscar O."}
        assert (await visitor.post(f"/people/{made['oscar']}", **change)).status_code == 303
        for each in (susan, oscar):
            assert (await each.get("/")).status_code == 303
        assert (await susan.log_in(scene, "susan")).status_code == 403
        assert (await oscar.log_in(scene, "oscar")).status_code == 303
        assert (await oscar.get("/tariffs/new")).status_code == 403
    said = await visitor.post(f"/people/{made['ada']}", do="disable")
    assert (said.status_code, "only administrator who can log in" in said.text) == (409, True)
    assert (await visitor.post(f"/people/{made['ada']}", do="change", role="support")).status_code == 409
    assert (await visitor.post(f"/people/{made['susan']}", do="enable")).status_code == 303
    assert (await visitor.post("/people/p-none", do="disable")).status_code == 409
    assert (await visitor.post(f"/people/{made['susan']}", do="dance")).status_code == 422


async def test_somebody_is_let_in_and_chooses_a_password(
    visitor: Visitor, scene: Scene, side: WebSide
) -> None:
    await staffed(scene)
    await visitor.log_in(scene, "ada")
    for wrong in (
        {"login_name": "a b"},
        {"login_name": "ada"},
        {"role": "king"},
        {"name": ""},
        {"name": "Ada"},
    ):
        new = {"login_name": "ben", "name": "Ben B.", "role": "support", **wrong}
        assert (await visitor.post("/people", **new)).status_code == 409
    shown = (await visitor.post("/people", login_name="Ben", name="Ben B.", role="support")).text
    password = shown.split('id="handed-password">')[1].split("<")[0]
    secret = shown.split('id="handed-secret">')[1].split("<")[0]
    assert "otpauth://totp/Tapwatt:ben?secret=" in shown
    assert password not in (await visitor.get("/people")).text
    async with visiting(httpx.ASGITransport(side)) as ben:
        await ben.web.post("/login", data={"name": "ben", "password": password})
        code = code_at(secret, step=scene.at_ms // 30_000)
        assert (await ben.web.post("/login/code", data={"code": code})).status_code == 303
        first = await ben.get("/")
        assert (first.status_code, first.headers["location"]) == (303, "/me")
        assert (await ben.get("/api/v1/summary")).status_code == 403
        assert "Choose your own" in (await ben.get("/me")).text
        own = "a password of my own"
        for old, first_time, again, status in [
            (password, own, "another of my own", 422),
            ("not this one", own, own, 403),
            (password, "short", "short", 422),
            (password, "ben ben ben ben", "ben ben ben ben", 422),
            (password, own, own, 200),
        ]:
            told = await ben.post("/me/password", old=old, new=first_time, again=again)
            assert told.status_code == status, told.text
        assert (await ben.get("/")).status_code == 200
    for row in await rows(scene, PERSON):
        assert row.password.startswith("$argon2id$")
        assert own not in str(row)


async def test_a_person_ends_other_logins(visitor: Visitor, scene: Scene, side: WebSide) -> None:
    await staffed(scene, oscar="operator")
    transport = httpx.ASGITransport(side)
    async with visiting(transport) as second, visiting(transport) as third, visiting(transport) as oscar:
        for each, name in ((visitor, "ada"), (second, "ada"), (third, "ada"), (oscar, "oscar")):
            await each.log_in(scene, name)
        theirs = logins.hash_of(oscar.web.cookies["tapwatt-login"])
        await visitor.post("/me/logins", login=theirs)
        assert (await oscar.get("/")).status_code == 200, "nobody else's"
        await visitor.post("/me/logins", login=logins.hash_of(second.web.cookies["tapwatt-login"]))
        assert [(await each.get("/")).status_code for each in (second, third, visitor)] == [303, 200, 200]
        await visitor.post("/me/logins")
        assert [(await each.get("/")).status_code for each in (third, visitor)] == [303, 200]


async def whole(pieces: AsyncIterator[str]) -> str:
    return "".join([piece async for piece in pieces])


async def test_a_stream_ends_with_its_login(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "LOOK_AGAIN_S", 0.05)
    await staffed(scene)
    async with serving(scene) as url, httpx.AsyncClient(base_url=url, timeout=10) as web:
        visitor = Visitor(web)
        await visitor.log_in(scene, "ada")
        async with web.stream("GET", "/live/board") as stream:
            pieces = stream.aiter_text()
            assert "retry" in await anext(pieces)
            assert (await visitor.post("/logout")).status_code == 303
            await asyncio.wait_for(whole(pieces), 5)
        assert (await web.get("/live/board")).status_code == 401


async def test_a_stream_ends_with_the_token_that_opened_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "LOOK_AGAIN_S", 0.05)
    async with serving(scene) as url, httpx.AsyncClient(base_url=url, timeout=10) as web:
        made = (await web.post("/api/v1/tokens", json={"name": "wall", "scopes": ["read"]})).json()
        shown = {"Authorization": f"Bearer {made['token']}"}
        async with web.stream("GET", "/live/board", headers=shown) as stream:
            pieces = stream.aiter_text()
            assert "retry" in await anext(pieces)
            rest = asyncio.create_task(whole(pieces))
            await asyncio.sleep(0.2)
            assert not rest.done()
            assert (await web.delete(f"/api/v1/tokens/{made['token_id']}")).status_code == 204
            await asyncio.wait_for(rest, 5)
        assert (await web.get("/live/board", headers=shown)).status_code == 401


async def test_a_stream_of_the_open_house_ends_when_it_closes(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "LOOK_AGAIN_S", 0.05)
    async with serving(scene) as url, httpx.AsyncClient(base_url=url, timeout=10) as web:
        async with web.stream("GET", "/live/board") as stream:
            pieces = stream.aiter_text()
            assert "retry" in await anext(pieces)
            await staffed(scene)
            await asyncio.wait_for(whole(pieces), 5)
        assert (await web.get("/live/board")).status_code == 401


async def test_a_shared_drawing_has_each_ones_own_token(scene: Scene, side: WebSide) -> None:
    await staffed(scene, olga="administrator")
    await scene.opens()
    await scene.review(1)
    transport = httpx.ASGITransport(side)
    async with visiting(transport) as ada, visiting(transport) as olga:
        for each, name in ((ada, "ada"), (olga, "olga")):
            await each.log_in(scene, name)
        seen = []
        for each in (ada, olga):
            streams: list[EventStream] = []
            with pytest.MonkeyPatch.context() as patch:

                async def caught(self: EventStream, *_: Any, into: list[EventStream] = streams) -> None:
                    into.append(self)

                patch.setattr(EventStream, "__call__", caught)
                with pytest.raises(AssertionError):
                    await each.get("/live/review")
            events = streams[0]._events
            await anext(events)
            seen.append(await anext(events))
    assert ada.token in seen[0]
    assert olga.token in seen[1]
    assert ada.token not in seen[1]
    assert looking.PLACE_OF_TOKEN not in "".join(seen)


async def test_logs_hold_no_secret(
    visitor: Visitor, scene: Scene, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    await staffed(scene)
    await visitor.web.post("/login", data={"name": "ada", "password": "a wrong one indeed"})
    await visitor.log_in(scene, "ada")
    written = caplog.text + "".join(capfd.readouterr())
    entries = str(await scene.database.read(lambda tx: audit.page(tx, operator_id="demo")))
    for secret in (PASSWORD, "a wrong one indeed", visitor.web.cookies["tapwatt-login"], secret_for("ada"),
                   code_for(scene, "ada"), visitor.token):  # fmt: skip
        assert secret not in written
        assert secret not in entries


async def test_the_first_person_is_an_administrator(scene: Scene) -> None:
    with pytest.raises(UnableToChangePeople, match="the first one is an administrator"):
        await scene.database.write(lambda tx: let_in(tx, "sam", "support", at_ms=1))
