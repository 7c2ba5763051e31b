"""Tariffs as pages and through the API: written, checked, tried, published, retired, given to stations."""

import json
from typing import Any

import httpx
import pytest
from tests.web.scenes import CURVE, Scene
from tests.web.test_console import HOSTILE as HOSTILES
from tests.web.test_console import PAGE_BYTES_MAX, Elements

HOSTILE = HOSTILES[0]
DEMO = "/tariffs/DC-0.58"
API = "/api/v1/tariffs"
FORM = {"tariff_id": "DC-0.58", "currency": "EUR", "kwh": "0.69", "tax": "19", "inside": "yes"}
NIGHT = {**FORM, "night": "0,39", "idle_fee": "0.10", "grace": "15", "most": "95", "note": "autumn"}


def document(**more: Any) -> dict[str, Any]:
    component = {"type": "ENERGY", "price": 0.55, "vat": 19, "step_size": 1}
    return {"id": "DC-0.58", "currency": "EUR", "elements": [{"price_components": [component]}], **more}


async def put(web: httpx.AsyncClient, value: dict[str, Any], **params: str) -> httpx.Response:
    return await web.put(f"{API}/{value['id']}", content=json.dumps(value), params=params)


async def test_the_list_says_what_is_in_force(web: httpx.AsyncClient) -> None:
    page = (await web.get("/tariffs")).text
    for words in ("DC-0.58", "version 1", "0.58 EUR/kWh", "Write a tariff"):
        assert words in page, words
    assert 'href="/tariffs"' in (await web.get("/")).text
    (listed,) = (await web.get(API)).json()["tariffs"]
    assert (listed["stations"], listed["versions"], listed["draft"], listed["next"]) == (1, 1, None, None)
    assert listed["in_force"]["version"] == 1


async def test_a_tariff_is_written_tried_and_published_with_forms_alone(
    scene: Scene, web: httpx.AsyncClient
) -> None:
    kept = await web.post("/tariffs/new", data=NIGHT)
    assert (kept.status_code, kept.headers["location"]) == (303, f"{DEMO}?version=2")
    page = (
        await web.get(kept.headers["location"], params={"version": "2", "at": "23:30", "parked": "30"})
    ).text
    elements = Elements(page)
    assert elements.tags.count("h1") == 1
    assert len(elements.ids) == len(set(elements.ids))
    for words in (
        "Energy costs 0.39 EUR per kWh from 22:00 to 06:00.",
        "Energy costs 0.69 EUR per kWh at all other times.",
        "Standing without charging costs 0.10 EUR per minute after 15 minutes of standing.",
        "A session costs at most 95 EUR with tax.",
        "Nothing to say.",
        "00:00–06:00 and 22:00–24:00",
        "20 kWh in 25 minutes at 23:30 and 30 minutes parked costs 9.30 EUR",
        "OCPI cannot say this: the highest price",
        "Hold 60.00 EUR",
        "Publish version 2",
        "Note: autumn",
    ):
        assert words in page, words
    published = await web.post(f"{DEMO}/publish", data={"version": "2"})
    assert published.status_code == 303
    page = (await web.get(DEMO)).text
    assert "Publish version" not in page
    scene.after(1)
    standing = {
        each["version"]: each["standing"] for each in (await web.get(f"{API}/DC-0.58")).json()["versions"]
    }
    assert standing == {2: "in force", 1: "over"}
    over = (await web.get(f"{DEMO}?version=1")).text
    assert "What is over is not judged any more." in over
    assert "Retire version" not in over
    await scene.opens()
    session_id = await scene.visit(1, *CURVE)
    # 26.378 kWh at noon: 18.20 EUR
    assert (await web.get(f"/api/v1/sessions/{session_id}")).json()["captured_minor"] == 1820


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"kwh": ""}, "kwh", "A price per kWh is needed"),
        ({"kwh": "cheap"}, "kwh", "Write a number like 0.49"),
        ({"kwh": "0.1234567"}, "kwh", "at most six decimals"),
        ({"tax": "119"}, "tax", "At most 100 makes sense"),
        ({"tariff_id": "two words"}, "tariff_id", "1 to 36 letters"),
        ({"currency": "EURO"}, "currency", "ISO 4217"),
        ({"night": "0.3", "night_from": "25:00"}, "night_from", "time of day like 22:00"),
        ({"night": "0.3", "night_to": "22:00"}, "night_to", "It ends when it begins"),
        ({"least": "5", "most": "4"}, "most", "below the least"),
        ({"valid_from": "tomorrow"}, "valid_from", "2027-01-31T06:00"),
        ({"valid_from": "2027-02-31T06:00"}, "valid_from", "2027-01-31T06:00"),
        ({"grace": "-1"}, "grace", "Write a number"),
    ],
)
async def test_errors_are_named_at_the_field(
    web: httpx.AsyncClient, change: dict[str, str], field: str, words: str
) -> None:
    answer = await web.post("/tariffs/new", data={**NIGHT, **change})
    assert answer.status_code == 422
    said = answer.text.split(f'id="{field}-hint">')[1].split("<")[0]
    assert words in said
    assert answer.text.count('aria-invalid="true"') == 1
    assert f'href="#{field}"' in answer.text
    assert 'value="autumn"' in answer.text, "what was typed stays"
    assert (await web.get(API)).json()["tariffs"][0]["versions"] == 1


async def test_an_ocpi_document_is_pasted(web: httpx.AsyncClient) -> None:
    kept = await web.post("/tariffs/document", data={"document": json.dumps(document())})
    assert kept.status_code == 303
    wrong = document()
    wrong["elements"][0]["price_components"][0]["price"] = "dear"
    answer = await web.post("/tariffs/document", data={"document": json.dumps(wrong)})
    assert answer.status_code == 422
    assert "$.elements[0].price_components[0].price: must be a number" in answer.text
    assert "dear" in answer.text.split("<textarea")[1]
    assert (await web.post("/tariffs/document", data={"document": "{"})).status_code == 422


async def test_warnings_need_a_reason_and_errors_block(web: httpx.AsyncClient) -> None:
    await web.post("/tariffs/new", data={**FORM, "kwh": "4.90"})
    page = (await web.get(DEMO)).text
    assert "4.9 EUR with tax per kWh is unusual" in page
    refused = await web.post(f"{DEMO}/publish", data={"version": "2"})
    assert refused.status_code == 409
    assert "say why to accept" in refused.text
    assert 'aria-describedby="refused"' in refused.text
    done = await web.post(f"{DEMO}/publish", data={"version": "2", "accept": "we mean it"})
    assert done.status_code == 303
    assert "accepting: we mean it" in (await web.get(DEMO)).text
    await web.post("/tariffs/new", data={**FORM, "start_fee": "1"})
    refused = await web.post(f"{DEMO}/publish", data={"version": "3", "accept": "we mean it"})
    assert refused.status_code == 409
    assert "AFIR" in refused.text


async def test_a_version_is_retired_with_a_reason_unless_stations_need_it(web: httpx.AsyncClient) -> None:
    refused = await web.post(f"{DEMO}/retire", data={"version": "1", "why": "too cheap"})
    assert refused.status_code == 409
    assert "would have no price (CS1)" in refused.text
    await web.post("/tariffs/new", data=FORM)
    assert (await web.post(f"{DEMO}/retire", data={"version": "2", "why": "typo"})).status_code == 303
    assert "retired by operator: typo" in (await web.get(f"{DEMO}?version=2")).text
    assert (await web.post(f"{DEMO}/retire", data={"version": "2", "why": ""})).status_code == 409


async def test_a_station_gets_another_tariff(web: httpx.AsyncClient) -> None:
    await web.post("/tariffs/new", data={**FORM, "tariff_id": "NEW"})
    refused = await web.post("/tariffs/NEW/stations", data={"version": "1", "station_id": "CS1"})
    assert (refused.status_code, "no version of tariff NEW is in force" in refused.text) == (409, True)
    await web.post("/tariffs/NEW/publish", data={"version": "1"})
    assert (
        await web.post("/tariffs/NEW/stations", data={"version": "1", "station_id": "CS1"})
    ).status_code == 303
    assert "has NEW" in (await web.get(DEMO)).text
    back = await web.put("/api/v1/stations/CS1/tariff", json={"tariff_id": "DC-0.58"})
    assert back.json() == {"station_id": "CS1", "tariff_id": "DC-0.58"}
    assert (await web.put("/api/v1/stations/CS7/tariff", json={"tariff_id": "NEW"})).status_code == 404


async def test_last_month_is_priced_again(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.opens()
    session_id = await scene.visit(1, *CURVE)
    await web.post("/tariffs/new", data=FORM)
    page = (await web.get(f"{DEMO}/simulation", params={"version": "2"})).text
    for words in (
        "1 of 1 looked at",
        "15.38 EUR before, 18.20 EUR with it",
        "10 to 20 %",
        f"/sessions/{session_id}",
    ):
        assert words in page, words
    told = (await web.post(f"{API}/DC-0.58/versions/2/simulate")).json()
    assert (told["before_minor"], told["after_minor"], told["sessions"]) == (1538, 1820, 1)
    await web.post("/tariffs/new", data={**FORM, "tariff_id": "NEW"})
    assert "None of the 1 sessions" in (await web.get("/tariffs/NEW/simulation?version=1")).text
    assert (await web.get(f"{DEMO}/simulation")).status_code == 422


async def test_the_api_leads_a_tariff_through_its_life(web: httpx.AsyncClient) -> None:
    kept = await put(web, document(), by="Ada", note="cheaper")
    assert kept.status_code == 201
    page = kept.json()
    assert (page["shown"]["version"], page["shown"]["state"], page["shown"]["created_by"]) == (
        2,
        "draft",
        "Ada",
    )
    assert page["sentences"][0] == "Energy costs 0.6545 EUR per kWh."
    assert page["document"]["elements"][0]["price_components"][0]["price"] == 0.55
    assert '"price":0.55' in kept.text, "exactly as typed"
    assert page["findings"] == []
    quote = await web.get(
        f"{API}/DC-0.58/quote", params={"version": 2, "energy_wh": 20000, "at": "18:00", "station_id": "CS1"}
    )
    assert quote.json()["sentence"] == "20 kWh in 25 minutes at 18:00 costs 13.09 EUR"
    published = await web.post(f"{API}/DC-0.58/versions/2/publish", json={"by": "Bob"})
    assert published.json()["shown"]["in_force"]
    again = await web.post(f"{API}/DC-0.58/versions/2/publish", json={})
    assert (again.status_code, "is published" in again.json()["error"]) == (409, True)
    await put(web, document(elements=[{"price_components": [{"type": "TIME", "price": 12, "step_size": 1}]}]))
    refused = await web.post(f"{API}/DC-0.58/versions/3/publish", json={"accept": "please"})
    assert refused.status_code == 409
    assert {"eu-kwh-price", "de-kwh-price"} <= {one["rule"] for one in refused.json()["findings"]}
    retired = await web.post(f"{API}/DC-0.58/versions/3/retire", json={"why": "unlawful"})
    assert retired.status_code == 200


async def test_linting_keeps_nothing(web: httpx.AsyncClient) -> None:
    where: dict[str, str | int] = {"country": "de", "power_w": 150000, "evse_kind": "DC"}
    value = document(elements=[{"price_components": [{"type": "FLAT", "price": 5, "step_size": 1}]}])
    told = (await web.post(f"{API}/lint", content=json.dumps(value), params=where)).json()
    rules = {one["rule"]: one for one in told["findings"]}
    assert rules["eu-kwh-price"]["severity"] == "error"
    assert rules["eu-kwh-price"]["source"].startswith("Regulation (EU) 2023/1804")
    assert told["sentences"][0] == "Each session costs 5 EUR once."
    early = {**where, "day": "2023-01-01"}
    told = (await web.post(f"{API}/lint", content=json.dumps(value), params=early)).json()
    assert "eu-kwh-price" not in {one["rule"] for one in told["findings"]}
    assert len((await web.get(API)).json()["tariffs"]) == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("GET", f"{API}/nobody", None, 404, "there is no tariff nobody"),
        ("GET", f"{API}/DC-0.58?version=9", None, 404, "there is no version 9 of tariff DC-0.58"),
        ("PUT", f"{API}/OTHER", json.dumps(document()), 422, "$.id: is DC-0.58, the address says OTHER"),
        ("PUT", f"{API}/DC-0.58", "[]", 422, "$: must be an object"),
        ("PUT", f"{API}/DC-0.58", "\xff", 422, "$: is not JSON"),
        ("PUT", f"{API}/DC-0.58", '{"id": "DC-0.58"}', 422, "$.currency: is missing"),
        ("POST", f"{API}/lint", "x" * 1_000_001, 413, "more than 1000000 bytes"),
        ("POST", f"{API}/DC-0.58/versions/9/publish", "{}", 404, "there is no version 9"),
        ("POST", f"{API}/DC-0.58/versions/1/retire", '{"why": ""}', 422, "why"),
        ("POST", f"{API}/nobody/versions/1/simulate", None, 404, "there is no version 1 of tariff nobody"),
        ("GET", f"{API}/DC-0.58/quote?at=25:00", None, 422, "a time of day is written like 18:00"),
        ("GET", f"{API}/DC-0.58/quote?station_id=CS9", None, 404, "there is no station CS9"),
    ],
)
async def test_the_api_says_no_with_a_reason(
    web: httpx.AsyncClient, method: str, path: str, body: str | None, status: int, words: str
) -> None:
    kind = {"content-type": "application/json"} if path.endswith(("publish", "retire")) else {}
    answer = await web.request(method, path, content=body, headers=kind)
    assert (answer.status_code, words in answer.json()["error"]) == (status, True), answer.text


@pytest.mark.parametrize("path", ["publish", "retire", "stations"])
async def test_orders_from_foreign_pages_are_refused(web: httpx.AsyncClient, path: str) -> None:
    headers = {"origin": "https://elsewhere.example"}
    answer = await web.post(f"{DEMO}/{path}", data={"version": "1"}, headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("params", "field", "words"),
    [
        ({"kwh": "many"}, "kwh", "Write a whole number from 1 to 500"),
        ({"minutes": "0"}, "minutes", "Write a whole number from 1 to 2880"),
        ({"at": "noon"}, "at", "A time of day is written like 18:00"),
        ({"station": "CS9"}, "station", "There is no station CS9"),
    ],
)
async def test_a_senseless_try_is_said_at_its_field(
    web: httpx.AsyncClient, params: dict[str, str], field: str, words: str
) -> None:
    answer = await web.get(DEMO, params=params)
    assert answer.status_code == 422
    assert words in answer.text.split(f'for="{field}"')[1]


async def test_a_hostile_tariff_is_only_text_and_the_page_stays_small(web: httpx.AsyncClient) -> None:
    text = [{"language": "en", "text": HOSTILE}]
    many = [
        {
            "price_components": [{"type": "ENERGY", "price": n / 100, "vat": 19, "step_size": 1}],
            "restrictions": {"start_time": f"{n // 60:02d}:{n % 60:02d}", "min_kwh": n},
        }
        for n in range(500)
    ]
    kept = await put(web, document(elements=many, tariff_alt_text=text), note=HOSTILE)
    assert kept.status_code == 201
    page = (await web.get(DEMO)).text
    assert HOSTILE not in page
    assert len(page.encode()) < PAGE_BYTES_MAX
    assert (await web.get(f"{DEMO}?version=x")).status_code == 422
    assert (await web.get("/tariffs/%3Cscript%3E")).status_code == 404
