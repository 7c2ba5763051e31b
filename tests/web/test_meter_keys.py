"""Meter keys by the API: registered, ended, refused; and what is signed, judged with them."""

import json
from typing import Any

import httpx
import pytest
from tests.ocmf.meter import BEGIN, END, document, payload
from tests.platform.conftest import OTHER_OPERATOR
from tests.platform.test_meter_keys import KEY, METER
from tests.web.scenes import Scene
from typer.testing import CliRunner

from tapwatt.cli import _root
from tapwatt.ocmf.container import FILE_LIMIT
from tapwatt.platform import meter_keys, seed

KEYS, VERIFY = "/api/v1/meter-keys", "/api/v1/ocmf/verify"
GIVEN: dict[str, Any] = {"meter": METER, "key": KEY, "source": "label on the meter", "by": "Ada"}
DOCUMENT = document(payload(3, BEGIN, END))


async def test_a_key_is_registered_and_ended(scene: Scene, web: httpx.AsyncClient) -> None:
    assert (await web.get(KEYS)).json()["meter_keys"] == []
    added = await web.post(KEYS, json=GIVEN)
    assert added.status_code == 201
    assert (await web.get(KEYS)).json() == {"meter_keys": [added.json()], "cursor": None}
    assert "operator_id" not in added.json()
    again = await web.post(KEYS, json=GIVEN)
    assert (again.status_code, "is registered since ever without an end" in again.json()["error"]) == (
        409,
        True,
    )
    ended = await web.post(f"{KEYS}/{METER}/end", json={"at_ms": 5000})
    assert (ended.status_code, ended.json()["valid_to_ms"]) == (200, 5000)
    assert (await web.post(f"{KEYS}/{METER}/end", json={})).status_code == 409
    await web.post(KEYS, json={**GIVEN, "valid_from_ms": 5000})
    now = await web.post(f"{KEYS}/{METER}/end", json={})
    assert now.json()["valid_to_ms"] > 1_800_000_000_000


async def test_a_serial_may_have_a_slash(web: httpx.AsyncClient) -> None:
    await web.post(KEYS, json={**GIVEN, "meter": "EM/24 7"})
    ended = await web.post(f"{KEYS}/EM%2F24%207/end", json={})
    assert (ended.status_code, ended.json()["meter"]) == (200, "EM/24 7")


@pytest.mark.parametrize(
    ("path", "body", "status", "reason"),
    [
        (KEYS, {**GIVEN, "key": "zz"}, 422, "key: is neither hex nor base64"),
        (KEYS, {**GIVEN, "source": ""}, 422, "source String should have at least 1 character"),
        (KEYS, {**GIVEN, "valid_from_ms": -1}, 422, "valid_from_ms should be greater than or equal to 0"),
        (KEYS, {"meter": METER}, 422, "key Field required"),
        (f"{KEYS}/M9/end", {}, 404, "no key of meter M9 is registered"),
        (f"{KEYS}/{'M' * 65}/end", {}, 422, "meter String should have at most 64 characters"),
    ],
)
async def test_errors_have_a_reason(
    web: httpx.AsyncClient, path: str, body: dict[str, Any], status: int, reason: str
) -> None:
    answer = await web.post(path, json=body)
    assert (answer.status_code, answer.json()["error"]) == (status, reason)


async def test_a_foreign_page_registers_nothing(web: httpx.AsyncClient) -> None:
    answer = await web.post(KEYS, json=GIVEN, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert (await web.get(KEYS)).json()["meter_keys"] == []


async def test_billable_by_a_registered_key_and_not_without(web: httpx.AsyncClient) -> None:
    before = (await web.post(VERIFY, content=DOCUMENT)).json()
    assert (before["valid"], before["billable"]) == (False, False)
    assert before["reason"] == f"document T3: no key is registered for meter {METER}"
    await web.post(KEYS, json=GIVEN)
    answer = await web.post(VERIFY, content=DOCUMENT)
    assert answer.headers["content-type"] == "application/json"
    arguments = ["ocmf", "verify", "-", "--key", KEY, "--json"]
    shown = CliRunner().invoke(_root("ocmf"), arguments, input=DOCUMENT, standalone_mode=False)
    assert answer.json() == json.loads(shown.stdout)
    assert (answer.json()["billable"], answer.json()["energy_wh"]) == (True, 12_500)


async def test_a_key_that_comes_along_or_is_another_operators_proves_nothing(
    scene: Scene, web: httpx.AsyncClient
) -> None:
    await scene.database.write(lambda tx: seed._operator(tx, OTHER_OPERATOR, 0))
    await scene.database.write(lambda tx: meter_keys.add(tx, operator_id="other", at_ms=0, **GIVEN))
    assert (await web.get(KEYS)).json()["meter_keys"] == []
    told = (await web.post(VERIFY, content=DOCUMENT + b"|" + KEY.encode())).json()
    assert (told["valid"], told["billable"]) == (False, False)


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"", 422, "file: is neither"),
        (b"\xff\xfe\x00", 422, "XML"),
        (b'OCMF|{}|{"SD":"*"}', 422, "document 1, signature.SD"),
        (document(b'{"RD":[]}'), 422, "RD: must be a list"),
        (b" " * (FILE_LIMIT + 1), 413, f"the document has more than {FILE_LIMIT} bytes"),
    ],
)
async def test_what_cannot_be_read_is_one_sentence(
    web: httpx.AsyncClient, body: bytes, status: int, reason: str
) -> None:
    answer = await web.post(VERIFY, content=body)
    assert (answer.status_code, reason in answer.json()["error"]) == (status, True), answer.text


async def test_a_curve_nobody_here_knows_is_said(web: httpx.AsyncClient) -> None:
    await web.post(KEYS, json=GIVEN)
    signed = document(payload(3, BEGIN, END), SA="ECDSA-secp192k1-SHA256")
    answer = await web.post(VERIFY, content=signed)
    assert (answer.status_code, answer.json()["error"]) == (
        422,
        "curve secp192k1 is not supported by this build",
    )
