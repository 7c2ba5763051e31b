"""Every word of the console is said in each language, with the same gaps to fill; readers get their own."""

import re
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from tests.web.charts import Wires
from tests.web.scenes import CURVE, Scene

import tapwatt
from tapwatt.core.effects import Leader
from tapwatt.core.ledger import receivable
from tapwatt.core.payment import PaymentState
from tapwatt.core.session import Reason, SessionState
from tapwatt.markets.jurisdictions import rates_known_from, rules
from tapwatt.ocpp.messages import ConnectorStatus
from tapwatt.pages.catalogue import catalogue
from tapwatt.pages.layout import environment
from tapwatt.pages.reader import COOKIE, LANGUAGES, READER, Reader, reader_of
from tapwatt.pages.written import duration, exact, kwh, money, percent, power, when
from tapwatt.platform import day_figures, fleet, webhook_events
from tapwatt.platform.access import Role
from tapwatt.platform.approvals import Kind
from tapwatt.uplink.messages import TerminalState
from tapwatt.web import console, driver, login, people, search_form, story, tariffs
from tapwatt.web.patterns import DAYS, JOINED, PATTERNS

PACKAGE = Path(tapwatt.__file__).parent
OTHERS = [language for language in LANGUAGES if language != "en"]
GAP = re.compile(r"%\(\w+\)s|\{\w*\}")
CERTAINTIES = {rule.certainty for rule in rules()} | {rates_known_from()[1]}
AT_MS = 1_800_014_400_000


def in_templates() -> Iterator[str | tuple[str, ...]]:
    """What stands marked in a template; a pair where a number decides."""
    env = environment("tapwatt.web")
    for path in sorted(path for room in ("pages", "web") for path in (PACKAGE / room).rglob("*.html")):
        for _, _, message in env.extract_translations(path.read_text("utf-8")):  # type: ignore[attr-defined]
            if isinstance(message, str):
                yield message
            elif message is not None:
                words = tuple(word for word in message if isinstance(word, str))
                yield words[0] if len(words) == 1 else words


def in_tables() -> Iterator[str]:
    """What templates are given as words: states, reasons, titles, accounts."""
    for states in (SessionState, PaymentState, Leader, ConnectorStatus, TerminalState, Reason):
        yield from (state.value.replace("_", " ") for state in states if state.value)
    yield from (*story.HAPPENED.values(), *story.ASKED.values())
    yield from (said for said in story.LABELLED.values() if said != "{}")
    yield from (*story.PHRASES, "authorised", "captured", "released", "refunded", "lost")
    yield from (name for _, name in console.NAV)
    yield from (*console.TITLES.values(), "Sorry")
    yield from (webhook_events.DELIVERED, webhook_events.WAITING, webhook_events.GIVEN_UP)
    yield from (day_figures.APPROVED, day_figures.OPEN, day_figures.NO_ANSWER, "declined", "other reasons")
    yield from (
        "in order",
        "look",
        "out of service",
        "connected",
        "not connected",
        "not heard yet",
        "not known",
    )
    yield from fleet.station_health(True, 1, [{"status": "faulted"}], [])[1]
    yield from fleet.station_health(True, 1, [], [])[1]
    yield from (*fleet.station_health(False, None, [], [])[1], *fleet.station_health(False, 1, [], [])[1])
    wrong = search_form.read_search(
        {"last_four": "x", "amount": "x", "from": "x"}, zone=ZoneInfo("UTC"), currency="EUR"
    ).wrong
    yield from wrong.values()
    yield from (receivable(leader.value).replace("_", " ") for leader in Leader)
    yield from ("hold", "hold contra", "revenue", "tax", "loss operator", "unbilled energy", "nobody yet")
    yield from ("Authorised", "Captured", "Released", "Refunded", "Lost", "not begun", "refused", "Session")
    yield from ("Energy", "Time", "Parking", "Flat", "Reservation", "Minimum", "Maximum", "Limit", "Discount")
    yield from ("Credit", "Firmware", "Diagnostics", "total, half up", "each line, half up")
    yield from (f"{leader.value} said".capitalize() for leader in Leader)
    yield from (role.value for role in Role)
    yield from (login.WRONG, login.BUSY, login.LATER, people.OLD_IS_WRONG, people.SHORT_OR_PLAIN)
    yield from (people.DIFFER, people.CHANGED, *Kind, "waiting", "approved", "rejected", "expired")
    yield from (*PATTERNS, *JOINED, *DAYS, *tariffs.TONES, "nothing", *CERTAINTIES, *driver.SAID)


@pytest.mark.parametrize("language", OTHERS)
def test_every_message_is_said_in_every_language(language: str) -> None:
    known = catalogue("tapwatt.web", language)
    wanted = [*in_templates(), *in_tables()]
    names = [word if isinstance(word, str) else word[0] for word in wanted]
    assert [name for name in names if not known.get(name)] == []
    for word in wanted:
        said = known[word if isinstance(word, str) else word[0]]
        assert isinstance(said, tuple) is isinstance(word, tuple), word
        for form in said if isinstance(said, tuple) else (said,):
            assert sorted(GAP.findall(form)) == sorted(
                GAP.findall(word if isinstance(word, str) else word[0])
            )


@pytest.mark.parametrize("language", OTHERS)
def test_no_catalogue_says_what_nobody_says(language: str) -> None:
    wanted = {word if isinstance(word, str) else word[0] for word in (*in_templates(), *in_tables())}
    assert set(catalogue("tapwatt.web", language)) - wanted == set()


@pytest.mark.parametrize(
    ("accepted", "chosen", "language", "locale"),
    [
        ("", None, "en", "en_GB"),
        ("de-DE,de;q=0.9,en;q=0.8", None, "de", "de_DE"),
        ("fr, de;q=0.4, zh-CN;q=0.7", None, "zh", "zh_Hans_CN"),
        ("fr", None, "en", "en_GB"),
        ("de-CH", None, "de", "de_CH"),
        ("en-US,en;q=0.5", None, "en", "en_US"),
        ("de;q=0, en;q=0.1", None, "en", "en_GB"),
        ("en-US", "de", "de", "de_DE"),
        ("de-AT, en", "de", "de", "de_AT"),
        ("de", "xx", "de", "de_DE"),
        (";;;,q=,de;q=x", None, "en", "en_GB"),
        ("x," * 5000, None, "en", "en_GB"),
    ],
)
def test_the_language_is_the_chosen_or_the_dearest(
    accepted: str, chosen: str | None, language: str, locale: str
) -> None:
    assert reader_of(accepted, chosen, time_zone="UTC") == Reader(language=language, locale=locale)


@pytest.mark.parametrize(
    ("locale", "language", "written"),
    [
        ("en_GB", "en", ["12.05 EUR", "1500 JPY", "20.473 kWh", "264.0 kW", "0.0049", "83.3 %",
                         "15 Jan 2027, 13:00"]),
        ("de_DE", "de", ["12,05 EUR", "1500 JPY", "20,473 kWh", "264,0 kW", "0,0049", "83,3 %",
                         "15. Jan. 2027, 13:00"]),
        ("zh_Hans_CN", "zh", ["12.05 EUR", "1500 JPY", "20.473 kWh", "264.0 kW", "0.0049", "83.3 %",
                              "2027年1月15日 13:00"]),
    ],
)  # fmt: skip
def test_numbers_and_times_are_written_as_the_reader_does(
    locale: str, language: str, written: list[str]
) -> None:
    token = READER.set(Reader(language=language, locale=locale, time_zone="Europe/Berlin"))
    try:
        assert written == [
            money(1205, "EUR"), money(1500, "JPY"), f"{kwh(20473)} kWh", power(264_000), exact("0.004900"),
            percent(833), when(AT_MS, 0),
        ]  # fmt: skip
    finally:
        READER.reset(token)


def test_a_long_time_is_days_and_hours() -> None:
    assert duration(3 * 86_400_000 + 3_600_000) == "3 d 1 h"


@pytest.mark.parametrize(
    ("language", "tag", "words"),
    [
        ("de", "de", ("Verlauf", "12 Messwerte", "15,38 EUR", "13:06:34", "Abgebucht")),
        ("zh", "zh-Hans", ("时间线", "12 次电表读数", "15.38 EUR", "已扣款")),
    ],
)
async def test_a_session_is_told_in_the_readers_language(
    scene: Scene, web: httpx.AsyncClient, language: str, tag: str, words: tuple[str, ...]
) -> None:
    await scene.opens()
    session_id = await scene.visit(1, *CURVE)
    page = (await web.get(f"/sessions/{session_id}", headers={"Accept-Language": language})).text
    assert f'<html lang="{tag}">' in page
    for word in words:
        assert word in page


async def test_a_chosen_language_is_kept_and_the_page_comes_back(web: httpx.AsyncClient) -> None:
    headers = {"Referer": "http://127.0.0.1:8080/sessions?state=closed"}
    answer = await web.post("/language", data={"language": "de"}, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sessions?state=closed")
    assert f"{COOKIE}=de" in answer.headers["set-cookie"]
    assert "Sitzungen" in (await web.get("/sessions")).text


@pytest.mark.parametrize(
    "referer", ["https://evil.example/x", "", "http://127.0.0.1:8080//evil.example", "no address at all"]
)
async def test_the_switch_leads_nowhere_else(web: httpx.AsyncClient, referer: str) -> None:
    answer = await web.post("/language", data={"language": "zh"}, headers={"Referer": referer})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert (await web.post("/language", data={"language": "xx"})).status_code == 422


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "de",
            (
                "Alle Nachrichten von",
                "hält eine Karte hin",
                "Kartenbank",
                "Zeiten in Europe/Berlin",
                "60,00 EUR",
            ),
        ),
        ("zh", ("全部消息", "刷卡", "发卡方", "60.00 EUR")),
    ],
)
async def test_a_chart_is_told_in_the_readers_language(
    scene: Scene, language: str, words: tuple[str, ...]
) -> None:
    await scene.opens()
    session_id = await scene.visit(1, *CURVE)
    async with Wires(scene) as wires:
        await wires.tell(session_id)
        headers = {"Accept-Language": language}
        page = (await wires.web.get(f"/sessions/{session_id}/chart", headers=headers)).text
    assert [word for word in words if word not in page] == []


@pytest.mark.parametrize(
    ("language", "path", "words"),
    [
        ("de", "/tariffs", ("Alle Tarife", "0,58 EUR/kWh", "Version 1")),
        (
            "de",
            "/tariffs/DC-0.58",
            ("Energie kostet 0,5831 EUR je kWh", "Was der Prüfer sagt", "20 kWh in 25 Minuten"),
        ),
        ("de", "/tariffs/new", ("Ein einfacher Tarif", "Standgebühr je Minute")),
        ("de", "/tariffs/none", ("Es gibt keinen Tarif none.",)),
        ("zh", "/tariffs/DC-0.58", ("电量每 kWh 0.5831 EUR。", "检查结果")),
        ("zh", "/sessions/none", ("没有会话 none",)),
        ("de", "/d/receipts/none", ('lang="de"', "An dieser Adresse ist nichts.")),
        ("zh", "/d/receipts/none", ('lang="zh-Hans"', "此地址没有内容。")),
    ],
)
async def test_tariffs_and_errors_are_told_in_the_readers_language(
    scene: Scene, web: httpx.AsyncClient, language: str, path: str, words: tuple[str, ...]
) -> None:
    await scene.opens()
    page = (await web.get(path, headers={"Accept-Language": language})).text
    assert [word for word in words if word not in page] == []
