"""A receipt as its driver and its operator get it: page, text, JSON, credit note."""

import re
from html import unescape

import httpx
from sqlalchemy import text
from tests.web.scenes import CURVE, Scene

from tapwatt.core.receipt_text import COLUMNS
from tapwatt.platform import receipts

ORDER = {"why": "cable broken", "by": "ann"}
TEST_PANS = ("4111111111111111", "5555555555554444")


async def visited(scene: Scene, web: httpx.AsyncClient) -> dict[str, str]:
    """A paid charge; its session, receipt number and link."""
    await scene.opens()
    session_id = await scene.visit(1, *CURVE[:4])
    page = (await web.get(f"/api/v1/sessions/{session_id}")).json()
    return {"session_id": session_id, "number": page["receipt"]["number"], "url": page["receipt_url"]}


def read(page: str) -> str:
    """What a page says, without its markup."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


async def test_a_drivers_page_says_what_the_receipt_says(scene: Scene, web: httpx.AsyncClient) -> None:
    told = await visited(scene, web)
    answer = await web.get(told["url"])
    assert answer.status_code == 200
    said = read(answer.text)
    for part in (
        "Receipt", told["number"], "Demo Charging (sandbox, no real seller)", "Sandbox Road 1",
        "DE*TST*ECS1*1", "Register at start 1204.330 kWh", "VAT 19 % on", "Visa **** 1111",
        "Hold 60.00 EUR", "Released", "Terminal (TID) 52523535", "Approval code 831274", "UTC+01:00",
        "these are the last digits of its device number", told["session_id"], "plus tax",
    ):  # fmt: skip
        assert part in said, part
    assert "<script" not in answer.text
    assert "style=" not in answer.text
    assert 'name="robots" content="noindex"' in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_page_text_and_json_are_one_receipt(scene: Scene, web: httpx.AsyncClient) -> None:
    told = await visited(scene, web)
    document = (await web.get(f"/api/v1/receipts/{told['number']}")).json()
    text = await web.get(f"{told['url']}.txt")
    assert text.headers["content-type"].startswith("text/plain")
    assert text.text == document["text"]
    assert document["url"] == told["url"] == f"http://127.0.0.1:8080/d/receipts/{document['token']}"
    assert max(len(line) for line in text.text.splitlines()) <= COLUMNS
    said = read((await web.get(told["url"])).text)
    for line in text.text.splitlines():
        for part in re.split(r" {2,}", line.strip("- ")):
            assert part.casefold() in said.casefold(), part


async def test_an_unknown_link_is_told_nothing(scene: Scene, web: httpx.AsyncClient) -> None:
    told = await visited(scene, web)
    token = told["url"].rpartition("/")[2]
    pages = set()
    for wrong in (
        "X" * 26, token[:-1], token.lower(), told["number"], "%00", "a" * 5000, f"{token[:-1]}.txt", "é",
        "' OR 1=1 --",
    ):  # fmt: skip
        answer = await web.get(f"/d/receipts/{wrong}")
        assert answer.status_code == 404, wrong
        pages.add(answer.text)
    for path, status in (("/d/", 404), ("/d/receipts", 404), ("/d/nothing/here", 404)):
        answer = await web.get(path)
        assert answer.status_code == status
        pages.add(answer.text)
    refused = await web.post(f"/d/receipts/{token}")
    assert refused.status_code == 405
    pages.add(refused.text)
    assert len(pages) == 1, "all say the same"
    assert "There is nothing at this address." in pages.pop()


async def test_a_receipt_is_its_operators(scene: Scene, web: httpx.AsyncClient) -> None:
    await visited(scene, web)
    answer = await web.get("/api/v1/receipts/R-1999-000001")
    assert (answer.status_code, answer.json()["error"]) == (404, "there is no receipt R-1999-000001")
    answer = await web.post("/api/v1/receipts/R-1999-000001/credit", json=ORDER)
    assert answer.status_code == 404


async def test_a_part_is_credited_once_under_its_key(scene: Scene, web: httpx.AsyncClient) -> None:
    told = await visited(scene, web)
    path = f"/api/v1/receipts/{told['number']}/credit"
    key = {"Idempotency-Key": "order-1"}
    first = await web.post(path, json={**ORDER, "amount_minor": 100}, headers=key)
    assert first.status_code == 201
    note = first.json()
    assert (note["number"], note["credit_of"]) == ("R-2027-000002", told["number"])
    again = await web.post(path, json={**ORDER, "amount_minor": 100}, headers=key)
    assert again.json() == note
    other = await web.post(path, json={**ORDER, "amount_minor": 101}, headers=key)
    assert other.status_code == 422
    busy = await web.post(path, json=ORDER)
    assert (busy.status_code, "refunding" in busy.json()["error"]) == (409, True)
    said = read((await web.get(note["url"])).text)
    for part in ("Credit note", told["number"], "cable broken", "Total credited", "-1.00 EUR"):
        assert part in said, part
    assert "Hold" not in said
    original = read((await web.get(told["url"])).text)
    assert "Credited since R-2027-000002: cable broken -1.00 EUR Left after credits" in original
    console = read((await web.get(f"/sessions/{told['session_id']}")).text)
    assert "Credit note R-2027-000002 -1.00 EUR, cable broken" in console
    assert "Refund wanted" in console


async def test_orders_that_make_no_sense_are_refused(scene: Scene, web: httpx.AsyncClient) -> None:
    told = await visited(scene, web)
    path = f"/api/v1/receipts/{told['number']}/credit"
    for order, status in (
        ({}, 422),
        ({"why": "x"}, 422),
        ({**ORDER, "amount_minor": 0}, 422),
        ({**ORDER, "amount_minor": "many"}, 422),
        ({**ORDER, "amount_minor": 10**9}, 409),
    ):
        answer = await web.post(path, json=order)
        assert answer.status_code == status, order
        assert answer.json()["error"]
    assert (await web.post(path, json=ORDER, headers={"Origin": "http://evil.example"})).status_code == 403
    page = (await web.get(f"/api/v1/sessions/{told['session_id']}")).json()
    assert page["credit_notes"] == []


async def test_what_a_seller_writes_is_shown_and_not_run(scene: Scene, web: httpx.AsyncClient) -> None:
    evil = "<script>alert(1)</script>"
    change = text("UPDATE operator SET legal_name = :evil, helpline = :evil WHERE operator_id = 'demo'")
    await scene.database.write(lambda tx: tx.run(change, evil=evil))
    told = await visited(scene, web)
    page = (await web.get(told["url"])).text
    assert evil not in page
    assert evil in unescape(page)


async def test_no_card_number_and_no_token_of_a_card_is_on_it(scene: Scene, web: httpx.AsyncClient) -> None:
    told = await visited(scene, web)
    token = told["url"].rpartition("/")[2]
    stored = await scene.database.read(lambda tx: receipts.by_token(tx, token))
    answers = [
        (await web.get(told["url"])).text,
        (await web.get(f"{told['url']}.txt")).text,
        (await web.get(f"/api/v1/receipts/{told['number']}")).text,
        repr(stored),
    ]
    for said in answers:
        assert "1111" in said
        assert "tok-1" not in said
        digits = re.sub(r"[ -]", "", said)
        assert [pan for pan in TEST_PANS if pan in digits or pan[:12] in digits] == []


async def test_a_seller_in_german(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.database.write(lambda tx: tx.run(text("UPDATE operator SET receipt_language = 'de'")))
    told = await visited(scene, web)
    page = (await web.get(told["url"])).text
    assert '<html lang="de">' in page
    for part in ("Quittung", "Reserviert 60,00 EUR", "Zählerstand Beginn 1204,330 kWh", "zzgl. Steuer"):
        assert part in read(page), part


async def test_a_driver_reads_the_receipt_in_his_own_language(scene: Scene, web: httpx.AsyncClient) -> None:
    told = await visited(scene, web)
    own = (await web.get(told["url"])).text
    assert 'href="?language=zh" lang="zh-Hans" hreflang="zh-Hans">中文</a>' in own
    assert 'lang="en" hreflang="en" aria-current="true"' in own
    chinese = (await web.get(f"{told['url']}?language=zh")).text
    assert '<html lang="zh">' in chinese
    for part in ("收据", told["number"], "预授权 60.00 EUR", "起始读数 1204.330 kWh", "另加税", "实收"):
        assert part in read(chinese), part
    assert f'href="/d/receipts/{told["url"].rpartition("/")[2]}.pdf?language=zh"' in chinese
    german = await web.get(f"{told['url']}.txt?language=de")
    assert "Reserviert" in german.text
    assert "60,00 EUR" in german.text
    assert (await web.get(f"{told['url']}?language=tlh")).text == own
