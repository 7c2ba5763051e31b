"""The API over a real database: what it says, and how it says no."""

from dataclasses import replace
from typing import Any

import httpx
import jsonschema_rs
import pytest
from tests.platform.conftest import OTHER_OPERATOR
from tests.web.scenes import CURVE, Scene

from tapwatt.platform import seed
from tapwatt.store import UnableToQueue


async def test_a_session_says_its_money_at_every_party(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.opens()
    session_id = await scene.visit(1, *CURVE)
    page = (await web.get(f"/api/v1/sessions/{session_id}")).json()
    amounts = {"authorised_minor": 6000, "captured_minor": 1538, "released_minor": 4462}
    assert page["money"] == [{"party": party, **amounts} for party in ("Session", "Ledger", "Terminal said")]
    number = "R-2027-000001"
    assert (page["state"], page["terminal_receipt"], page["receipt"]["number"]) == ("closed", "0231", number)
    assert page["events_total"] == len(page["events"])
    listed = (await web.get("/api/v1/sessions", params={"limit": 1})).json()["sessions"]
    assert [session["session_id"] for session in listed] == [session_id]


async def test_the_board_sums_power_and_counts_open_holds(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.opens()
    await scene.review(2)
    await scene.charging(1, 100, 150)
    board = (await web.get("/api/v1/board")).json()
    assert board["operator"] == "Demo Charging"
    summary = board["summary"]
    # The hold of a session in review is still somebody's money.
    assert (summary["running"], summary["open_holds"], summary["review"]) == (1, 2, 1)
    assert summary["power_w"] == 150_000
    assert (await web.get("/api/v1/summary")).json() == summary


@pytest.mark.parametrize("what", ["stations", "terminals", "accounts", "alarms"])
async def test_lists(scene: Scene, web: httpx.AsyncClient, what: str) -> None:
    await scene.opens()
    await scene.review(1)
    listed = (await web.get(f"/api/v1/{what}")).json()[what]
    assert listed
    assert all("operator_id" not in row for row in listed)


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("/api/v1/sessions?limit=0", 422, "limit should be greater than or equal to 1"),
        ("/api/v1/sessions?limit=201", 422, "limit should be less than or equal to 200"),
        ("/api/v1/sessions?limit=many", 422, "limit should be a valid integer"),
        ("/api/v1/sessions/nobody", 404, "there is no session nobody"),
        ("/api/v1/nothing", 404, "there is no /api/v1/nothing"),
        ("/live/sessions/nobody", 404, "there is no session nobody"),
        ("/static/nothing.js", 404, "there is no file nothing.js"),
    ],
)
async def test_errors_are_json_with_a_reason(
    web: httpx.AsyncClient, path: str, status: int, reason: str
) -> None:
    answer = await web.get(path)
    assert answer.status_code == status
    assert answer.json()["error"].startswith(reason)


async def test_a_wrong_method_is_named(web: httpx.AsyncClient) -> None:
    answer = await web.delete("/api/v1/summary")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert answer.json()["error"] == "DELETE is not taken at /api/v1/summary"


async def test_a_name_that_is_too_long_is_refused_before_the_database(web: httpx.AsyncClient) -> None:
    assert (await web.get("/api/v1/sessions/" + "x" * 5000)).status_code == 422


async def test_a_full_store_is_said_and_can_be_tried_again(
    scene: Scene, web: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: Any) -> Any:
        raise UnableToQueue("the queue is full")

    monkeypatch.setattr(scene.database, "read", full)
    answer = await web.get("/api/v1/summary")
    assert (answer.status_code, answer.json()["error"]) == (503, "the queue is full")
    assert answer.headers["retry-after"] == "5"
    page = await web.get("/")
    assert page.status_code == 503
    assert "The queue is full." in page.text


async def test_something_unforeseen_tells_nothing_of_itself(
    scene: Scene, web: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> Any:
        raise RuntimeError("secret")

    monkeypatch.setattr(scene.database, "read", broken)
    answer = await web.get("/api/v1/summary")
    assert (answer.status_code, "secret" in answer.text) == (500, False)
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_stop_is_taken_once_or_twice_and_not_for_a_stranger(
    scene: Scene, web: httpx.AsyncClient
) -> None:
    await scene.opens()
    session_id, transaction_id, _ = await scene.charging(1, 100)
    for _ in range(2):
        answer = await web.post(f"/api/v1/sessions/{session_id}/stop")
        assert (answer.status_code, answer.json()) == (202, {"accepted": True})
    await scene.settle()
    assert scene.wires.stopped == [transaction_id]
    assert (await web.post("/api/v1/sessions/nobody/stop")).status_code == 404
    foreign = await web.post(f"/api/v1/sessions/{session_id}/stop", headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403


async def test_a_stop_after_the_end_changes_nothing(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.opens()
    session_id = await scene.visit(1, 100)
    assert (await web.post(f"/api/v1/sessions/{session_id}/stop")).status_code == 202
    page = (await web.get(f"/api/v1/sessions/{session_id}")).json()
    assert (page["state"], page["captured_minor"], scene.wires.stopped) == ("closed", 49, [])


async def test_another_operators_session_does_not_exist_here(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.database.write(lambda tx: seed._operator(tx, OTHER_OPERATOR, 0))
    stations = (await web.get("/api/v1/stations")).json()["stations"]
    assert [station["station_id"] for station in stations] == ["CS1"]


async def test_the_openapi_document_is_valid_and_names_every_route(web: httpx.AsyncClient) -> None:
    document = (await web.get("/api/v1/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {
        "/api/v1/summary", "/api/v1/board", "/api/v1/sessions", "/api/v1/sessions/{session_id}",
        "/api/v1/sessions/{session_id}/chart",
        "/api/v1/sessions/{session_id}/stop", "/api/v1/sessions/{session_id}/hold",
        "/api/v1/stations", "/api/v1/terminals", "/api/v1/accounts",
        "/api/v1/terminals/{terminal_id}", "/api/v1/alarms/noted", "/api/v1/receipts",
        "/api/v1/simple-tariffs", "/api/v1/tokens", "/api/v1/tokens/{token_id}",
        "/api/v1/webhooks", "/api/v1/webhooks/{webhook_id}", "/api/v1/webhooks/{webhook_id}/secret",
        "/api/v1/webhooks/{webhook_id}/test", "/api/v1/webhooks/{webhook_id}/deliveries",
        "/api/v1/webhooks/{webhook_id}/deliveries/{event_id}/again",
        "/api/v1/holds", "/api/v1/figures", "/api/v1/sessions/{session_id}/notes",
        "/api/v1/stations/{station_id}", "/api/v1/stations/{station_id}/commands",
        "/api/v1/alarms", "/api/v1/review", "/api/v1/sessions/{session_id}/decide",
        "/api/v1/alarms/{key}/acknowledge", "/api/v1/receipts/{number}", "/api/v1/receipts/{number}/credit",
        "/api/v1/approvals", "/api/v1/approvals/{approval_id}/approve",
        "/api/v1/approvals/{approval_id}/reject",
        "/api/v1/people", "/api/v1/people/{person_id}", "/api/v1/people/{person_id}/reset", "/api/v1/audit",
        "/api/v1/meter-keys", "/api/v1/meter-keys/{meter}/end", "/api/v1/ocmf/verify",
        "/api/v1/tariffs", "/api/v1/tariffs/lint", "/api/v1/tariffs/{tariff_id}",
        "/api/v1/tariffs/{tariff_id}/quote",
        "/api/v1/tariffs/{tariff_id}/versions/{version}/simulate",
        "/api/v1/tariffs/{tariff_id}/versions/{version}/publish",
        "/api/v1/tariffs/{tariff_id}/versions/{version}/retire", "/api/v1/stations/{station_id}/tariff",
    }  # fmt: skip
    schemas = document["components"]["schemas"]
    assert "HTTPValidationError" not in schemas, "errors have our own shape"
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        for status in ("401", "403", "421", "422", "500", "503"):
            problem = operation["responses"][status]["content"]["application/problem+json"]["schema"]
            assert problem == {"$ref": "#/components/schemas/Problem"}
    for schema in schemas.values():
        jsonschema_rs.Draft202012Validator({**schema, "components": document["components"]})
    answer = await web.get("/api/v1/sessions/nobody")
    shape = {**schemas["Problem"], "components": document["components"]}
    jsonschema_rs.Draft202012Validator(shape).validate(answer.json())


async def test_a_driver_may_choose_another_of_the_offered_holds(scene: Scene, web: httpx.AsyncClient) -> None:
    scene.offers(replace(scene.stations.terms, choices_minor=(1000, 9000)))
    await scene.opens()
    await scene.status("preparing", 1)
    (offered,) = (await web.get("/api/v1/sessions")).json()["sessions"]
    path = f"/api/v1/sessions/{offered['session_id']}/hold"
    assert sorted(offered["hold_choices_minor"]) == [1000, 6000, 9000]
    strange = await web.post(path, json={"amount_minor": 7000})
    assert (strange.status_code, strange.json()["error"]) == (
        409,
        "7000 is none of the holds that were offered",
    )
    assert (await web.post(path, json={"amount_minor": 9000})).status_code == 202
    session_id = await scene.pays(1)
    assert scene.wires.operated[-1].amount_minor == 9000
    late = await web.post(path, json={"amount_minor": 1000})
    assert late.status_code == 409
    assert "its hold is asked for already" in late.json()["error"]
    assert (await web.get(f"/api/v1/sessions/{session_id}")).json()[
        "hold"
    ] == "Hold 90.00 EUR or 10.00 EUR, 60.00 EUR"
    assert (await web.post("/api/v1/sessions/nobody/hold", json={"amount_minor": 1000})).status_code == 404


async def test_idle_time_is_what_the_car_does_not_ask_for_not_what_the_station_holds_back(
    scene: Scene, web: httpx.AsyncClient
) -> None:
    await scene.opens()
    session_id, transaction_id, register_wh = await scene.charging(1, 100)
    for status in ("suspended_evse", "charging", "suspended_ev"):
        await scene.status(status, 1)
        await scene.meters(1, transaction_id, register_wh, 0, 0)
    await scene.settle()
    used = await scene.usage(session_id)
    assert [(period.charging_ms, period.idle_ms) for period in used.periods] == [(150_000, 0), (0, 60_000)]
