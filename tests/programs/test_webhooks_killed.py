"""A platform that is killed behind a commit: the repeated order is answered, and its event is delivered."""

from pathlib import Path

import httpx
import pytest
from tests.programs.receiver import Receiver, receiving, until
from tests.programs.running import running

KEY = {"Idempotency-Key": "publish-1"}
PUBLISH = "/tariffs/SPRING/versions/1/publish"
ACCEPT = {"accept": "tried and wanted"}


@pytest.mark.programs
async def test_what_was_committed_is_told_by_the_next_platform(tmp_path: Path) -> None:
    receiver = Receiver()
    async with receiving(receiver) as url:
        async with running("serve", data=tmp_path) as first, api_of(first.listeners["http"]) as api:
            off = {"url": url, "events": ["tariff.published"]}
            made = (await api.post("/webhooks", json=off)).json()
            await api.post("/simple-tariffs", json={"tariff_id": "SPRING", "kwh": "0.49"})
            answer = await api.post(PUBLISH, json=ACCEPT, headers=KEY)
            first.kill()
        before = len(receiver.came)
        async with running("serve", data=tmp_path) as second, api_of(second.listeners["http"]) as api:
            again = await api.post(PUBLISH, json=ACCEPT, headers=KEY)
            assert (again.status_code, again.text) == (200, answer.text)
            assert again.headers["idempotency-replayed"] == "true"
            await until(lambda: len(receiver.came) >= max(1, before), seconds=15)
            log = (await api.get(f"/webhooks/{made['webhook_id']}/deliveries")).json()["deliveries"]
    assert len(log) == 1
    assert set(receiver.ids) == {log[0]["event_id"]}


def api_of(address: str) -> httpx.AsyncClient:
    """The API at a listener."""
    return httpx.AsyncClient(base_url=f"http://{address}/api/v1")
