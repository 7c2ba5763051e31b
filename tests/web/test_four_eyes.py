"""Four eyes and the audit log as people and programs see them."""

from collections.abc import AsyncIterator

import httpx
import pytest
from tests.web.house import Visitor, staffed, visiting
from tests.web.scenes import CURVE, Scene
from tests.web.serving import web_side

from tapwatt.platform import audit
from tapwatt.platform.access import anybody
from tapwatt.store import Transaction
from tapwatt.web.app import WebSide
from tapwatt.web.gate import CSRF_HEADER

STAFF = {"oscar": "operator", "susan": "support", "aude": "auditor"}


@pytest.fixture
def side(scene: Scene) -> WebSide:
    return web_side(scene, four_eyes_minor=100)


@pytest.fixture
async def ada(scene: Scene, side: WebSide) -> AsyncIterator[Visitor]:
    await staffed(scene, **STAFF)
    async with visiting(httpx.ASGITransport(side)) as visitor:
        await visitor.log_in(scene, "ada")
        yield visitor


@pytest.fixture
async def oscar(scene: Scene, side: WebSide, ada: Visitor) -> AsyncIterator[Visitor]:
    async with visiting(httpx.ASGITransport(side)) as visitor:
        await visitor.log_in(scene, "oscar")
        yield visitor


async def happened(scene: Scene) -> list[tuple[str, str, str]]:
    entries = await scene.database.read(lambda tx: audit.page(tx, operator_id="demo"))
    return [(entry["who"], entry["what"], entry["outcome"]) for entry in reversed(entries)]


async def test_a_dear_decision_waits_for_a_second_person(scene: Scene, ada: Visitor, oscar: Visitor) -> None:
    await scene.opens()
    session_id = await scene.review(1)
    most = (await ada.web.get("/api/v1/review")).json()["sessions"][0]["most_minor"]
    assert most > 100
    body = {"amount_minor": most, "why": "meter was read by hand", "by": "The Queen"}
    headers = {CSRF_HEADER: ada.token}
    asked = await ada.web.post(f"/api/v1/sessions/{session_id}/decide", json=body, headers=headers)
    assert asked.status_code == 202
    told = asked.json()
    assert (told["state"], told["kind"], told["asked_by"]) == ("waiting", "decide", "Ada")
    too_much = {**body, "amount_minor": most + 1}
    refused = await ada.web.post(f"/api/v1/sessions/{session_id}/decide", json=too_much, headers=headers)
    assert refused.status_code == 409, "what cannot be done is said at once"
    own = await ada.web.post(f"/api/v1/approvals/{told['approval_id']}/approve", headers=headers)
    assert (own.status_code, "a second person" in own.json()["error"]) == (403, True)
    assert (await ada.get(f"/sessions/{session_id}")).text.count("review") > 0
    page = (await oscar.get("/approvals")).text
    assert f'id="approve-{told["approval_id"]}"' in page
    assert f'id="approve-{told["approval_id"]}"' not in (await ada.get("/approvals")).text
    assert (await oscar.post(f"/approvals/{told['approval_id']}", do="approve")).status_code == 303
    found = (await oscar.web.get(f"/api/v1/sessions/{session_id}")).json()
    assert found["state"] != "review"
    assert "Ada, approved by Oscar" in found["detail"]
    listed = (await ada.web.get("/api/v1/approvals")).json()
    assert (listed["waiting"], listed["decided"][0]["state"]) == ([], "approved")
    story = await happened(scene)
    assert ("Ada", "decide asked", "waits") in story
    assert ("Oscar", "decide approved", "done") in story
    assert ("Ada", "POST refused", "refused (403)") in story
    assert ("Ada", "POST refused", "refused (409)") in story


async def test_giving_up_much_needs_two_as_well_and_little_needs_one(
    scene: Scene, side: WebSide, ada: Visitor
) -> None:
    await scene.opens()
    session_id = await scene.review(1)
    await ada.get("/review")
    waits = await ada.post(f"/review/{session_id}", do="give-back", why="cable was broken")
    assert waits.headers["location"].startswith("/approvals#a-")
    async with visiting(httpx.ASGITransport(web_side(scene, four_eyes_minor=10**6))) as relaxed:
        await relaxed.log_in(scene, "oscar")
        await relaxed.get("/review")
        done = await relaxed.post(f"/review/{session_id}", do="give-back", why="cable was broken")
        assert done.headers["location"] == f"/sessions/{session_id}"


async def test_a_dear_credit_waits_and_a_small_one_does_not(
    scene: Scene, ada: Visitor, oscar: Visitor
) -> None:
    await scene.opens()
    await scene.visit(1, *CURVE)
    path, headers = "/api/v1/receipts/R-2027-000001/credit", {CSRF_HEADER: ada.token}
    waits = await ada.web.post(path, json={"why": "goodwill"}, headers=headers)
    assert waits.status_code == 202
    small = await ada.web.post(path, json={"amount_minor": 100, "why": "goodwill"}, headers=headers)
    assert (small.status_code, small.json()["number"]) == (201, "R-2027-000002")
    approve = f"/api/v1/approvals/{waits.json()['approval_id']}/approve"
    changed = await oscar.web.post(approve, headers={CSRF_HEADER: oscar.token})
    assert (changed.status_code, "has changed since Ada asked" in changed.json()["error"]) == (409, True)


async def test_prices_always_need_two(scene: Scene, ada: Visitor, oscar: Visitor) -> None:
    (listed, *_) = (await ada.web.get("/api/v1/tariffs")).json()["tariffs"]
    tariff_id = listed["tariff_id"]
    await ada.get("/tariffs")
    waits = await ada.post(f"/tariffs/{tariff_id}/stations", version="1", station_id="CS1")
    assert waits.headers["location"].startswith("/approvals#a-")
    approval_id = waits.headers["location"].split("#")[1]
    await oscar.get("/approvals")
    assert (await oscar.post(f"/approvals/{approval_id}", do="reject", why="not today")).status_code == 303
    assert (await oscar.post(f"/approvals/{approval_id}", do="approve")).status_code == 409
    assert (await oscar.post(f"/approvals/{approval_id}", do="dance")).status_code == 422
    assert (await oscar.post("/approvals/a-none", do="approve")).status_code == 404
    assert "not today" in (await ada.get("/approvals")).text


async def test_in_an_open_house_one_person_is_enough(scene: Scene, side: WebSide) -> None:
    await scene.opens()
    session_id = await scene.review(1)
    async with visiting(httpx.ASGITransport(side)) as one:
        body = {"amount_minor": 0, "why": "cable was broken", "by": "Somebody"}
        answer = await one.web.post(f"/api/v1/sessions/{session_id}/decide", json=body)
        assert (answer.status_code, answer.json()) == (202, {"accepted": True})
    assert await happened(scene) == [("Somebody", "decide", "done")]


async def test_the_log_is_read_page_by_page_by_those_who_may(
    scene: Scene, side: WebSide, ada: Visitor
) -> None:
    for number in range(60):

        def work(tx: Transaction, n: int = number) -> None:
            audit.append(tx, anybody("demo"), "stop", f"s-{n:03}", at_ms=scene.at_ms)

        await scene.database.write(work)
    async with visiting(httpx.ASGITransport(side)) as aude:
        await aude.log_in(scene, "aude")
        first = await aude.get("/audit")
        assert "s-059" in first.text
        assert "s-003" not in first.text
        after = first.text.split('id="page-next" rel="next" href="')[1].split('"')[0]
        assert "s-003" in (await aude.get(after)).text
        assert (await aude.get("/audit?before=x")).status_code == 422
        assert 'href="/audit"' in first.text
        assert 'href="/people"' not in first.text


async def test_an_order_that_waits_is_asked_once_under_its_key_and_done_once(
    scene: Scene, ada: Visitor, oscar: Visitor
) -> None:
    await scene.opens()
    session_id = await scene.visit(1, *CURVE)
    number = (await ada.web.get("/api/v1/receipts")).json()["receipts"][0]["number"]
    path, order = f"/api/v1/receipts/{number}/credit", {"amount_minor": 500, "why": "cable broken"}
    headers = {CSRF_HEADER: ada.token, "Idempotency-Key": "credit-1"}
    asked = await ada.web.post(path, json=order, headers=headers)
    assert asked.status_code == 202
    approval_id = asked.json()["approval_id"]
    approve = f"/api/v1/approvals/{approval_id}/approve"
    assert (await oscar.web.post(approve, headers={CSRF_HEADER: oscar.token})).status_code == 200
    again = await ada.web.post(path, json=order, headers=headers)
    assert (again.status_code, again.json()["approval_id"]) == (202, approval_id)
    assert again.headers["idempotency-replayed"] == "true"
    notes = (await ada.web.get(f"/api/v1/sessions/{session_id}")).json()["credit_notes"]
    assert len(notes) == 1
    assert (await ada.web.get("/api/v1/approvals")).json()["waiting"] == []


async def test_a_token_needs_a_second_person_as_its_person_does(scene: Scene, ada: Visitor) -> None:
    await scene.opens()
    await scene.visit(1, *CURVE)
    number = (await ada.web.get("/api/v1/receipts")).json()["receipts"][0]["number"]
    wanted = {"name": "books", "scopes": ["read", "money"]}
    made = await ada.web.post("/api/v1/tokens", json=wanted, headers={CSRF_HEADER: ada.token})
    bearer = {"Authorization": f"Bearer {made.json()['token']}"}
    ada.web.cookies.clear()
    order = {"amount_minor": 500, "why": "cable broken", "by": "The Queen"}
    asked = await ada.web.post(f"/api/v1/receipts/{number}/credit", json=order, headers=bearer)
    assert (asked.status_code, asked.json()["asked_by"]) == (202, "Ada")
    small = await ada.web.post(
        f"/api/v1/receipts/{number}/credit", json={**order, "amount_minor": 50}, headers=bearer
    )
    assert small.status_code == 201
