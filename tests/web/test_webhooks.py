"""Webhooks by API and page: what can be asked for, what is told of a site, and the page's orders."""

from typing import Any

import httpx
import pytest
from tests.web.scenes import CURVE, Scene

from tapwatt.platform.webhook_events import EVENTS

HOOKS = "/api/v1/webhooks"
WANTED: dict[str, Any] = {"url": "https://erp.example/in", "events": list(EVENTS)}


async def hook(web: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    answer = await web.post(HOOKS, json={**WANTED, **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def names(web: httpx.AsyncClient, webhook_id: str) -> list[str]:
    """What is to be sent, the first first."""
    found = (await web.get(f"{HOOKS}/{webhook_id}/deliveries?limit=200")).json()["deliveries"]
    return [each["name"] for each in found][::-1]


async def test_what_happens_at_a_site_is_told_once_each(scene: Scene, web: httpx.AsyncClient) -> None:
    made = await hook(web)
    await scene.opens()
    await scene.visit(1, *CURVE)
    await scene.declined(1)
    await scene.review(1)
    await scene.stations.seen("CS1", connected=False)
    await scene.stations.seen("CS1", connected=False)
    told = await names(web, made["webhook_id"])
    once = ("station.online", "payment.captured", "receipt.issued", "session.closed", "session.failed",
            "session.review", "station.offline")  # fmt: skip
    assert {name: told.count(name) for name in once} == dict.fromkeys(once, 1)
    assert told.count("session.started") == 2
    assert "alarm.raised" in told


async def test_nothing_is_written_that_nobody_wants(scene: Scene, web: httpx.AsyncClient) -> None:
    made = await hook(web, events=["session.review"])
    await scene.opens()
    await scene.visit(1, 100)
    assert await names(web, made["webhook_id"]) == []


async def test_another_operators_webhook_hears_nothing(scene: Scene, web: httpx.AsyncClient) -> None:
    from tapwatt.platform import webhooks
    from tapwatt.platform.access import anybody

    theirs = await scene.database.write(
        lambda tx: webhooks.make(
            tx, anybody("other"), url=WANTED["url"], events=list(EVENTS), chance=bytes(41), at_ms=1
        )
    )
    await scene.opens()
    await scene.visit(1, 100)
    assert (await web.get(f"{HOOKS}/{theirs['webhook_id']}")).status_code == 404
    assert (await web.get(HOOKS)).json()["webhooks"] == []


@pytest.mark.parametrize(
    "url",
    ["http://erp.example/", "https://", "https://a b/", "https://u:p@erp.example/", "https://erp.example/#x",
     "ftp://erp.example/", "https://[::1/", "https://erp.example:99999/"],
)  # fmt: skip
async def test_an_address_that_is_none_is_refused(web: httpx.AsyncClient, url: str) -> None:
    answer = await web.post(HOOKS, json={**WANTED, "url": url})
    assert answer.status_code == 422
    assert "url" in answer.json()["detail"]


async def test_a_webhook_is_changed_and_dropped(web: httpx.AsyncClient) -> None:
    made = await hook(web)
    path = f"{HOOKS}/{made['webhook_id']}"
    off = {"url": "https://erp.example/two", "events": ["session.closed"], "state": "off"}
    changed = (await web.put(path, json=off)).json()
    assert (changed["url"], changed["events"], changed["state"]) == (off["url"], ["session.closed"], "off")
    assert "secret" not in changed
    new = (await web.post(f"{path}/secret")).json()
    assert new["secret"] not in (None, made["secret"])
    assert (await web.delete(path)).status_code == 204
    for method, where in (("GET", path), ("DELETE", path), ("POST", f"{path}/test")):
        assert (await web.request(method, where)).status_code == 404


async def test_the_page_shows_deliveries_and_sends_again(scene: Scene, web: httpx.AsyncClient) -> None:
    assert "No events are sent anywhere" in (await web.get("/webhooks")).text
    made = await hook(web, url="https://erp.example/<b>")
    assert (await web.post(f"/webhooks/{made['webhook_id']}/test")).status_code == 303
    page = (await web.get("/webhooks")).text
    assert "https://erp.example/&lt;b&gt;" in page
    assert made["secret"] not in page
    (test,) = (await web.get(f"{HOOKS}/{made['webhook_id']}/deliveries")).json()["deliveries"]
    assert test["event_id"] in page
    scene.after(5)
    again = f"/webhooks/{made['webhook_id']}/{test['event_id']}/again"
    assert (await web.post(again)).status_code == 303
    (later,) = (await web.get(f"{HOOKS}/{made['webhook_id']}/deliveries")).json()["deliveries"]
    assert later["due_ms"] == test["due_ms"] + 5000
    assert (await web.post(again.replace("evt_", "none_"))).status_code == 404
