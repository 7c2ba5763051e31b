"""The demo's own pure parts: when parties agree, who is named, how a step is told, and what is printed."""

from __future__ import annotations

import io
from typing import Any

import httpx
import pytest
from rich.console import Console

from tapwatt.cli.demo.agreement import AMOUNTS, PARTIES, Stated, Visit, total
from tapwatt.cli.demo.parties import NotLetIn, Parties
from tapwatt.cli.demo.story import Story, line
from tapwatt.cli.demo.supervisor import _death
from tapwatt.cli.demo.table import print_table
from tapwatt.settings import Settings

Json = dict[str, Any]


def stated(authorised: int, captured: int, released: int) -> dict[str, int]:
    return dict(zip(AMOUNTS, (authorised, captured, released), strict=True))


CHARGED, GIVEN_BACK, NOTHING = stated(2500, 46, 2454), stated(2500, 0, 2500), stated(0, 0, 0)


def visit(common: Stated, **others: Stated) -> Visit:
    """A visit of which all parties state the same, but for some."""
    parties = {**dict.fromkeys(PARTIES, common), **others}
    return Visit(session="S1", outcome="charged", currency="EUR", parties=parties)


# --- agreement


@pytest.mark.parametrize("common", [CHARGED, GIVEN_BACK, NOTHING, stated(2500, 2500, 0)])
def test_parties_that_state_the_same_agree(common: Stated) -> None:
    assert visit(common).agree
    assert visit(common).dissenters() == []


@pytest.mark.parametrize("cents", [1, -1])
@pytest.mark.parametrize("amount", AMOUNTS)
@pytest.mark.parametrize("party", PARTIES)
@pytest.mark.parametrize("common", [CHARGED, GIVEN_BACK, NOTHING])
def test_one_cent_at_one_party_names_exactly_that_party(
    common: dict[str, int], party: str, amount: str, cents: int
) -> None:
    wrong = {**common, amount: common[amount] + cents}
    told = visit(common, **{party: wrong})
    assert told.dissenters() == [party]
    assert not told.agree


@pytest.mark.parametrize("party", PARTIES)
def test_a_party_that_never_heard_of_a_charge_is_named(party: str) -> None:
    assert visit(CHARGED, **{party: NOTHING}).dissenters() == [party]


@pytest.mark.parametrize("party", PARTIES)
def test_a_party_that_charged_where_the_others_gave_back_is_named(party: str) -> None:
    assert visit(GIVEN_BACK, **{party: CHARGED}).dissenters() == [party]
    assert visit(NOTHING, **{party: CHARGED}).dissenters() == [party]


def test_a_hold_given_back_before_everybody_heard_of_it_is_no_difference() -> None:
    assert visit(GIVEN_BACK, issuer=NOTHING, acquirer=NOTHING).agree
    assert visit(NOTHING, terminal=GIVEN_BACK).agree
    assert visit(NOTHING, terminal=GIVEN_BACK, gateway=GIVEN_BACK, issuer=stated(2600, 0, 2600)).dissenters()


def test_a_party_that_the_payment_does_not_pass_has_no_say() -> None:
    rails = dict.fromkeys(("terminal", "gateway", "acquirer", "issuer"))
    assert visit(CHARGED, **rails).agree
    assert visit(CHARGED, **rails, platform_ledger=NOTHING).dissenters() == ["platform_ledger"]


def test_a_hold_that_is_neither_captured_nor_released_is_not_settled() -> None:
    open_hold = visit(stated(2500, 0, 0))
    assert open_hold.dissenters() == []
    assert not open_hold.agree


def test_the_json_of_a_visit_has_the_form_that_scripts_rely_on() -> None:
    assert visit(CHARGED, terminal=None).as_json() == {
        "session": "S1",
        "outcome": "charged",
        "currency": "EUR",
        "authorised_minor": 2500,
        "captured_minor": 46,
        "released_minor": 2454,
        "parties": {**dict.fromkeys(PARTIES, CHARGED), "terminal": None},
        "agree": True,
    }


def test_a_party_is_the_sum_of_its_rows() -> None:
    assert total([]) == NOTHING
    assert total([{**NOTHING, "reference": "R"}, dict(CHARGED)]) == CHARGED
    assert total([dict(CHARGED), dict(CHARGED)]) == stated(5000, 92, 4908)


@pytest.mark.parametrize("value", ["46", 46.0, None])
def test_an_amount_that_is_no_integer_is_never_added_up(value: object) -> None:
    with pytest.raises(ValueError, match="captured_minor"):
        total([{**CHARGED, "captured_minor": value}])


# --- what is asked of the parties


class Answers(Parties):
    """Parties whose rows are given."""

    def __init__(self, rows: dict[str, list[Json]]) -> None:
        self.rows = rows

    async def get(self, party: str, path: str, **query: object) -> Any:
        if path == "/api/v1/summary":
            return self.rows[party][0]
        found = self.rows.get(party, []) if path == "/api/v1/transactions" else None
        assert found is not None, path
        return [row for row in found if row["reference"] == query["reference"]]


def told_visit(*references: str) -> Json:
    return {
        "references": list(references),
        "transaction_ids": [],
        "station_id": "CS1",
        "evse_id": 1,
        "outcome": "charged",
        "started_ms": 1_000,
        "ended_ms": 9_000,
    }


async def test_money_in_a_visit_that_the_platform_has_no_session_for_is_told() -> None:
    row = {**CHARGED, "reference": "R1", "currency": "EUR"}
    other = {**row, "reference": "R2"}
    parties = Answers({"site": [row], "gateway": [row, other], "acquirer": [row], "issuer": [row]})
    missed = await parties.visit(told_visit("R1"), [])
    assert missed.session is None
    assert missed.dissenters() == ["session", "platform_ledger"]
    assert not missed.agree
    assert missed.as_json()["currency"] == "EUR"


async def test_a_visit_without_session_and_money_is_agreed() -> None:
    quiet = await Answers({}).visit(told_visit(), [])
    assert quiet.agree
    assert quiet.parties == dict.fromkeys(PARTIES)


async def test_the_open_holds_are_the_most_that_anybody_has_and_all_messages_count() -> None:
    summaries = {name: [{"open_holds": 0, "waiting": 0}] for name in ("issuer", "acquirer", "gateway")}
    summaries |= {"site": [{"open_holds": 2, "waiting": 3}], "platform": [{"open_holds": 1}]}
    summaries["gateway"] = [{"open_holds": 0, "waiting": 1}]
    assert await Answers(summaries).unsettled() == (2, 4)


def test_every_party_is_asked_at_its_own_port() -> None:
    settings = Settings.read()
    ports = Parties(settings, None)._base  # type: ignore[arg-type]
    assert len(set(ports.values())) == len(ports) == 5


async def test_a_platform_where_people_log_in_is_shown_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """And only the platform; without one, what to do is said in one sentence."""
    shown: dict[int | None, str] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        shown[request.url.port] = request.headers.get("authorization", "")
        closed = request.url.port == settings.http_port and not shown[request.url.port]
        return httpx.Response(401 if closed else 200, json={"sessions": []})

    settings = Settings.read()
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        with pytest.raises(NotLetIn, match="TAPWATT_TOKEN"):
            await Parties(settings, client).sessions()
        monkeypatch.setenv("TAPWATT_TOKEN", "tapwatt_x")
        parties = Parties(settings, client)
        assert await parties.sessions() == []
        await parties.get("issuer", "/api/v1/summary")
    assert shown == {settings.http_port: "Bearer tapwatt_x", settings.issuer_http_port: ""}


def test_a_remark_is_made_once() -> None:
    said: list[str] = []
    story = Story(said.append)
    for words in ("one", "one", "two"):
        story.remark(words)
    assert said == ["one", "two"]


# --- the story

SESSION: Json = {
    "session_id": "SAAAAABBBBB",
    "state": "closed",
    "version": 8,
    "station_id": "CS1",
    "evse_id": 2,
    "currency": "EUR",
    "price": "0.58 EUR/kWh",
    "hold": "Hold 25.00 EUR",
    "brand": "VISA",
    "last_four": "1111",
    "energy_wh": 790,
    "cost": "0.46 EUR",
    "reason": None,
    "detail": None,
    "authorised_minor": 2500,
    "captured_minor": 46,
    "released_minor": 2454,
}


def step(after: str, *, version: int = 1, before: str = "", **body: object) -> Json:
    return {"version": version, "before": before, "after": after, "at_ms": 1_767_225_600_000, "body": body}


@pytest.mark.parametrize(
    ("after", "words"),
    [
        ("offered", "plugged in at CS1/2: 0.58 EUR/kWh, Hold 25.00 EUR"),
        ("authorising", "VISA …1111 tapped, asking for the hold"),
        ("ready", "25.00 EUR held, waiting for the car"),
        ("starting", "25.00 EUR held, asking the station to start"),
        ("charging", "power flows at CS1/2"),
        ("stopping", "asked to stop"),
        ("closing", "0.790 kWh delivered for 0.46 EUR, settling"),
        ("closed", "done: 0.790 kWh, captured 0.46 EUR, released 24.54 EUR"),
    ],
)
def test_each_step_is_told_with_its_amounts(after: str, words: str) -> None:
    assert line(step(after), SESSION) == words


@pytest.mark.parametrize("after", ["failed", "review"])
def test_a_bad_end_is_told_with_its_reason(after: str) -> None:
    told = line(step(after), {**SESSION, "reason": "payment declined", "detail": "not enough funds"})
    assert told.endswith("payment declined: not enough funds")


def test_a_tag_has_no_card_number_to_show() -> None:
    assert line(step("authorising"), {**SESSION, "last_four": None, "brand": None}).startswith("a known tag")


def test_an_approval_for_less_is_told_with_what_was_approved() -> None:
    assert line(step("starting", amount_minor=2000), SESSION).startswith("20.00 EUR held")


def test_the_story_has_a_line_for_every_state_of_a_session() -> None:
    from tapwatt.core.session import SessionState

    for state in SessionState:
        assert line(step(state), {**SESSION, "reason": "why"})


async def test_each_step_is_told_once_and_what_was_there_before_is_not() -> None:
    said: list[str] = []
    story = Story(said.append)
    pages = {
        "SOLD": {**SESSION, "events": [step("closed", version=8)]},
        "SNEW": {
            **SESSION,
            "version": 3,
            "events": [
                step("offered", version=1),
                step("offered", version=2, before="offered"),
                step("charging", version=3),
                {**step("closed"), "version": None},
            ],
        },
    }

    async def page(name: str) -> Json:
        return pages[name]

    old, new = {"session_id": "SOLD", "version": 8}, {"session_id": "SNEW", "version": 2}
    story.skip([old])
    await story.tell([new, old], page)
    assert [words.split("  ")[2] for words in said] == [
        line(step("offered"), SESSION),
        "power flows at CS1/2",
    ]
    await story.tell([new, old], page)
    assert len(said) == 2
    pages["SNEW"] |= {"version": 4, "events": [step("charging", version=3), step("closed", version=4)]}
    new["version"] = 4
    await story.tell([new, old], page)
    assert len(said) == 3
    assert "done: 0.790 kWh" in said[2]


# --- table and words


def printed(visits: list[Visit], open_holds: int) -> str:
    written = io.StringIO()
    print_table(visits, open_holds, console=Console(file=written, width=160, color_system=None))
    return written.getvalue()


def test_the_table_states_each_party_in_major_units() -> None:
    text = printed([visit(CHARGED, terminal=None)], 0)
    assert text.count("25.00") == text.count("0.46") == text.count("24.54") == 5
    assert "yes" in text
    assert "NO" not in text
    assert "open holds: 0" in text
    for party in PARTIES:
        assert party.replace("platform_", "") in text


def test_the_table_says_no_where_a_visit_does_not_agree() -> None:
    text = printed([visit(CHARGED, issuer=stated(2500, 47, 2453))], 1)
    assert "NO" in text
    assert "0.47" in text
    assert "open holds: 1" in text


def test_the_table_takes_a_visit_of_which_nobody_says_anything() -> None:
    empty = Visit(session=None, outcome="failed", currency="", parties={})
    assert "failed" in printed([empty], 0)


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "exit code 0"), (1, "exit code 1"), (-9, "SIGKILL"), (-15, "SIGTERM"), (-99, "signal 99")],
)
def test_a_death_has_a_name(code: int, words: str) -> None:
    assert _death(code) == words
