"""The gate: every route has its row, each role gets what its row says, and nobody else gets anything."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from tests.web.house import Visitor, staffed, visiting
from tests.web.scenes import Scene
from tests.web.serving import web_side

from tapwatt.pages.layout import HEADERS
from tapwatt.platform.access import PERMISSIONS, Permission, Role, Who
from tapwatt.web import gate
from tapwatt.web.app import WebSide
from tapwatt.web.permits import LOCAL, PUBLIC, TABLE

STAFF = {"oscar": "operator", "susan": "support", "aude": "auditor"}
FILL = {"terminal_id": "T0", "token_id": "tok-0", "webhook_id": "wh-0", "event_id": "evt_0",
        "session_id": "nobody", "station_id": "nobody", "tariff_id": "nobody", "number": "R-1", "key": "none",
        "version": "1", "meter:path": "M", "token": "x", "name": "none", "person_id": "p-0",
        "approval_id": "a-0"}  # fmt: skip


def routes(listed: Any) -> Iterator[tuple[str, str]]:
    """Method and path of every route of an application."""
    for route in listed:
        if hasattr(route, "original_router"):
            yield from routes(route.original_router.routes)
        else:
            yield from ((method, route.path) for method in route.methods - {"HEAD"})


def filled(path: str) -> str:
    return re.sub(r"\{([^}]+)\}", lambda part: FILL[part[1]], path)


@pytest.fixture
def side(scene: Scene) -> WebSide:
    async def figures() -> str:
        return ""

    return web_side(scene, metrics=figures)


@pytest.fixture
async def visitor(side: WebSide) -> AsyncIterator[Visitor]:
    async with visiting(httpx.ASGITransport(side, raise_app_exceptions=False)) as visitor:
        yield visitor


def test_every_route_has_a_row_and_every_row_a_route(side: WebSide) -> None:
    found = sorted(routes(side.app.routes))
    assert found == sorted(set(found))
    assert set(found) == set(TABLE)


def test_what_changes_something_needs_more_than_reading() -> None:
    """The auditor changes nothing: whatever he may send only asks."""
    asking = {"/api/v1/tariffs/lint", "/api/v1/ocmf/verify",
              "/api/v1/tariffs/{tariff_id}/versions/{version}/simulate"}  # fmt: skip
    orders = {path for (method, path), need in TABLE.items() if method != "GET" and need is Permission.READ}
    assert orders == asking


async def test_in_an_open_house_nobody_logs_in(visitor: Visitor, scene: Scene) -> None:
    assert (await visitor.get("/")).status_code == 200
    assert (await visitor.get("/api/v1/summary")).status_code == 200
    assert (await visitor.get("/me")).status_code == 404
    assert "Log out" not in (await visitor.get("/")).text
    assert "Not found" in (await visitor.get("/nowhere")).text


async def test_in_a_closed_house_a_stranger_gets_nothing(visitor: Visitor, scene: Scene) -> None:
    await staffed(scene)
    for (method, path), need in TABLE.items():
        answer = await visitor.web.request(method, filled(path), json={} if method != "GET" else None)
        if need is PUBLIC or need is LOCAL:
            assert answer.status_code not in (401, 403) or path == "/login/code", path
        elif path.startswith(("/api/", "/live/")):
            assert answer.status_code in (401, 422), path
            if answer.status_code == 401:
                assert answer.headers["www-authenticate"].startswith("Bearer")
                assert answer.json()["error"] == "log in, or send a token"
        else:
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/login"), path


@pytest.mark.parametrize("login_name", ["ada", *STAFF])
async def test_each_role_gets_what_its_row_says(visitor: Visitor, scene: Scene, login_name: str) -> None:
    await staffed(scene, **STAFF)
    await visitor.log_in(scene, login_name)
    allowed = PERMISSIONS[Role({"ada": "administrator", **STAFF}[login_name])]
    ending = ("/logout", "/me/logins")
    for (method, path), need in sorted(TABLE.items(), key=lambda row: row[0][1] in ending):
        if not isinstance(need, Permission) or path.startswith("/live/"):
            continue
        headers = {gate.CSRF_HEADER: visitor.token}
        body: dict[str, Any] = (
            {"json": {}, "headers": headers}
            if path.startswith("/api/")
            else {"data": {"csrf": visitor.token}}
        )
        answer = await visitor.web.request(method, filled(path), **(body if method != "GET" else {}))
        if need in allowed:
            assert answer.status_code != 403, (method, path)
        else:
            assert answer.status_code == 403, (method, path)
            said = answer.json()["error"] if path.startswith("/api/") else answer.text
            assert f"needs the permission {need.value}" in said


@pytest.mark.parametrize("login_name", ["susan", "aude"])
async def test_the_console_hides_what_a_role_cannot_do(
    visitor: Visitor, scene: Scene, login_name: str
) -> None:
    await staffed(scene, **STAFF)
    await scene.opens()
    session_id = await scene.review(1)
    await visitor.log_in(scene, login_name)
    review = (await visitor.get("/review")).text
    assert 'action="/review/' not in review
    assert ("/acknowledge" in review) is (login_name == "susan")
    session = (await visitor.get(f"/sessions/{session_id}")).text
    assert 'id="release"' not in session
    assert ('id="note-add"' in session) is (login_name == "susan")
    tariff = (await visitor.get("/tariffs/DEMO-AC")).text + (await visitor.get("/tariffs")).text
    for order in ('id="assign"', 'id="retire"', 'id="new"', "/people"):
        assert order not in tariff
    assert login_name.capitalize() in session
    assert 'id="log-out"' in session


async def test_what_a_body_says_of_who_orders_is_not_believed(visitor: Visitor, scene: Scene) -> None:
    await staffed(scene, **STAFF)
    await scene.opens()
    session_id = await scene.review(1)
    await visitor.log_in(scene, "oscar")
    note = {"text": "rang twice", "by": "The Queen"}
    headers = {gate.CSRF_HEADER: visitor.token}
    answer = await visitor.web.post(f"/api/v1/sessions/{session_id}/notes", json=note, headers=headers)
    assert [each["by"] for each in answer.json()["notes"]] == ["Oscar"]
    assert (await visitor.post(f"/sessions/{session_id}/notes", text="and again")).status_code == 303
    assert "The Queen" not in (await visitor.get(f"/sessions/{session_id}")).text


@pytest.mark.parametrize("token", ["", "0" * 64, "x"])
async def test_an_order_without_the_forms_token_is_refused(
    visitor: Visitor, scene: Scene, token: str
) -> None:
    await staffed(scene)
    await scene.opens()
    session_id, _, _ = await scene.charging(1, 100)
    await visitor.log_in(scene, "ada")
    for answer in (
        await visitor.web.post(f"/sessions/{session_id}/stop", data={"csrf": token}),
        await visitor.web.post(f"/api/v1/sessions/{session_id}/stop", headers={gate.CSRF_HEADER: token}),
        await visitor.web.post("/logout", data={"csrf": token}),
    ):
        assert answer.status_code == 403
        assert "not of your login" in answer.text
    assert scene.wires.stopped == []
    assert (await visitor.post(f"/sessions/{session_id}/stop")).status_code == 303
    await scene.settle()
    assert len(scene.wires.stopped) == 1


async def test_another_logins_token_is_not_taken(visitor: Visitor, scene: Scene, side: WebSide) -> None:
    await staffed(scene, oscar="operator")
    await visitor.log_in(scene, "ada")
    async with visiting(httpx.ASGITransport(side)) as other:
        await other.log_in(scene, "oscar")
        other.token = visitor.token
        assert (await other.post("/logout")).status_code == 403


async def test_every_form_that_orders_carries_the_token(visitor: Visitor, scene: Scene) -> None:
    await staffed(scene)
    await scene.opens()
    session_id = await scene.review(1)
    await visitor.log_in(scene, "ada")
    for path in (
        "/",
        "/review",
        f"/sessions/{session_id}",
        "/tariffs/DEMO-AC",
        "/tariffs/new",
        "/me",
        "/people",
    ):
        page = (await visitor.get(path)).text
        forms = re.findall(r'<form[^>]*method="post"[^>]*>(.{0,40})', page)
        assert forms
        assert all(form.startswith('<input type="hidden" name="csrf"') for form in forms), path


@pytest.mark.parametrize("closed", [False, True])
async def test_every_answer_has_the_headers(
    visitor: Visitor, scene: Scene, closed: bool, side: WebSide
) -> None:
    if closed:
        await staffed(scene)
    for method, path in [*TABLE, ("GET", "/nowhere"), ("DELETE", "/"), ("GET", "/api/v1/nothing")]:
        if path.startswith("/live/"):
            continue
        answer = await visitor.web.request(method, filled(path))
        for name, value in HEADERS.items():
            assert answer.headers.get_list(name) == [value], path
        assert "strict-transport-security" not in answer.headers


async def test_a_token_is_looked_up_and_may_no_more_than_its_scopes(scene: Scene) -> None:
    await staffed(scene)

    def who_of(_tx: Any, secret: str, _now_ms: int) -> Who | None:
        if secret != "tw_good":
            return None
        return Who(
            operator_id="demo",
            name="Ada",
            person_id="p1",
            role=Role.ADMINISTRATOR,
            permissions=frozenset({Permission.READ}),
            via="token",
        )

    side = web_side(scene, who_of_token=who_of)
    async with visiting(httpx.ASGITransport(side)) as visitor:
        web = visitor.web
        good, bad = {"Authorization": "Bearer tw_good"}, {"Authorization": "Bearer tw_bad"}
        assert (await web.get("/api/v1/summary", headers=good)).status_code == 200
        assert (await web.get("/api/v1/summary", headers=bad)).status_code == 401
        refused = await web.post("/api/v1/sessions/x/stop", headers=good)
        assert (refused.status_code, "permission stop" in refused.text) == (403, True)
        assert (await web.get("/me", headers=good)).status_code == 404


async def test_health_and_figures_tell_strangers_little(scene: Scene, side: WebSide) -> None:
    await staffed(scene)
    far = httpx.ASGITransport(side, client=("192.0.2.7", 1))
    near = httpx.ASGITransport(side)
    async with visiting(far) as stranger, visiting(near) as local:
        assert (await stranger.web.get("/health")).json() == {"status": "ok"}
        assert (await stranger.web.get("/metrics")).status_code == 401
        assert "program" in (await local.web.get("/health")).json()
        assert (await local.web.get("/metrics")).status_code == 200
        passed_on = {"X-Forwarded-For": "192.0.2.7"}
        assert (await local.web.get("/health", headers=passed_on)).json() == {"status": "ok"}
        await stranger.log_in(scene, "ada")
        assert "program" in (await stranger.web.get("/health")).json()


@pytest.mark.parametrize(
    ("wanted", "led_to"),
    [
        ("/sessions?state=closed", "/sessions?state=closed"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/x\r\nSet-Cookie: a=b", "/"),
        ("/login", "/"),
        ("/logout", "/"),
        ("/live/board", "/"),
        ("x" * 600, "/"),
        ("", "/"),
    ],
)
def test_the_way_on_is_a_path_of_ours(wanted: str, led_to: str) -> None:
    assert gate.local_path(wanted) == led_to


async def test_a_stranger_is_led_back_to_where_he_wanted(visitor: Visitor, scene: Scene) -> None:
    await staffed(scene)
    asked = await visitor.get("/sessions?state=closed")
    assert asked.headers["location"] == "/login?next=%2Fsessions%3Fstate%3Dclosed"
    page = await visitor.get(asked.headers["location"])
    assert 'name="next" value="/sessions?state=closed"' in page.text
