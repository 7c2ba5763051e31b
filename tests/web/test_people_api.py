"""People and the audit log through the API: by whom, once, and never in an open house."""

from collections.abc import AsyncIterator

import httpx
import pytest
from tests.web.house import Visitor, staffed, visiting
from tests.web.scenes import Scene
from tests.web.serving import web_side

from tapwatt.web.app import WebSide
from tapwatt.web.gate import CSRF_HEADER

NEW = {"login_name": "zoe", "name": "Zoe", "role": "support"}


@pytest.fixture
def side(scene: Scene) -> WebSide:
    return web_side(scene)


@pytest.fixture
async def ada(scene: Scene, side: WebSide) -> AsyncIterator[Visitor]:
    await staffed(scene, oscar="operator", aude="auditor")
    async with visiting(httpx.ASGITransport(side)) as visitor:
        await visitor.log_in(scene, "ada")
        yield visitor


async def order(visitor: Visitor, path: str, **body: object) -> httpx.Response:
    return await visitor.web.post(f"/api/v1{path}", json=body, headers={CSRF_HEADER: visitor.token})


async def people(visitor: Visitor) -> dict[str, dict[str, object]]:
    listed = (await visitor.web.get("/api/v1/people")).json()["people"]
    return {each["login_name"]: each for each in listed}


async def test_nobody_is_let_into_an_open_house_by_the_api(side: WebSide) -> None:
    async with visiting(httpx.ASGITransport(side)) as stranger:
        refused = await stranger.web.post("/api/v1/people", json={**NEW, "role": "administrator"})
        assert (refused.status_code, "from the shell" in refused.json()["detail"]) == (409, True)
        assert (await stranger.web.get("/api/v1/people")).json() == {"people": []}


async def test_an_administrator_lets_somebody_in_and_out_again(
    scene: Scene, side: WebSide, ada: Visitor
) -> None:
    handed = await order(ada, "/people", **NEW)
    assert handed.status_code == 201, handed.text
    assert (await order(ada, "/people", **NEW)).status_code == 409, "a login name is given once"
    zoe = (await people(ada))["zoe"]
    assert (zoe["role"], zoe["must_change"], zoe["disabled"]) == ("support", True, False)
    assert not {"password", "totp_secret", "secret"} & set(zoe)
    path = f"/people/{zoe['person_id']}"
    assert (await order(ada, path, role="operator", name="Zoe B.")).status_code == 204
    assert (await order(ada, path, disabled=True)).status_code == 204
    zoe = (await people(ada))["zoe"]
    assert (zoe["role"], zoe["name"], zoe["disabled"]) == ("operator", "Zoe B.", True)
    again = await order(ada, f"{path}/reset")
    assert again.status_code == 200
    assert again.json()["password"] != handed.json()["password"]
    assert (await order(ada, "/people/p-none", disabled=True)).status_code == 404
    own = (await people(ada))["ada"]
    assert (await order(ada, f"/people/{own['person_id']}", disabled=True)).status_code == 409


@pytest.mark.parametrize("login_name", ["oscar", "aude"])
async def test_nobody_else_may(scene: Scene, side: WebSide, ada: Visitor, login_name: str) -> None:
    async with visiting(httpx.ASGITransport(side)) as visitor:
        await visitor.log_in(scene, login_name)
        assert (await order(visitor, "/people", **NEW)).status_code == 403
        assert (await visitor.web.get("/api/v1/people")).status_code == 403
        assert (await visitor.web.get("/api/v1/audit")).status_code == (200 if login_name == "aude" else 403)


async def test_the_audit_log_comes_a_page_at_a_time(ada: Visitor) -> None:
    for number in range(3):
        await order(ada, "/people", login_name=f"new{number}", name=f"New {number}", role="auditor")
    first = (await ada.web.get("/api/v1/audit?limit=2")).json()
    rest = (await ada.web.get("/api/v1/audit", params={"cursor": first["cursor"]})).json()
    entries = [*first["entries"], *rest["entries"]]
    assert rest["cursor"] is None
    assert [each["seq"] for each in entries] == list(range(len(entries), 0, -1))
    assert [each["what"] for each in entries[:3]] == ["person added"] * 3
    assert (await ada.web.get("/api/v1/audit?cursor=x")).status_code == 422
