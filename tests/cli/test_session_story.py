"""A session told in the shell: its story in words, money at each party, and the chart as lines."""

from typing import Any

from tests.web.charts import Wires
from tests.web.scenes import CURVE, Scene
from tests.web.serving import site_at

from tapwatt.cli.session_story import charted, rails, told

Json = dict[str, Any]


async def _page(scene: Scene) -> tuple[str, Json]:
    await scene.opens()
    session_id = await scene.visit(1, *CURVE)
    async with Wires(scene) as wires:
        page: Json = (await wires.web.get(f"/api/v1/sessions/{session_id}")).json()
    return session_id, page


async def test_a_story_has_words_and_the_money_at_each_party(tmp_path: Any) -> None:
    async with site_at(tmp_path) as scene:
        session_id, page = await _page(scene)
        said = [{"party": "Gateway", "authorised_minor": 6000, "captured_minor": 1, "released_minor": 0}]
        lines = list(told(page, [*said, {"party": "Issuer", "away": True}]))
    text = "\n".join(lines)
    assert lines[0] == f"{session_id}: closed"
    for words in (
        "Hold approved → starting  60.00 EUR · receipt 0231",
        "→ Capture  15.38 EUR · through the terminal",
        "12 meter readings",
        "Terminal said",
    ):
        assert words in text, words
    assert "Gateway" in text
    assert "0.01 EUR" in text
    assert text.splitlines()[-1].split() == ["Issuer", "does", "not", "answer"]


async def test_a_chart_has_one_line_a_message(tmp_path: Any) -> None:
    async with site_at(tmp_path) as scene:
        session_id, _ = await _page(scene)
        async with Wires(scene) as wires:
            await wires.tell(session_id)
            wires.rows["issuer"] = [row for row in wires.rows["issuer"] or [] if row["direction"] == "sent"]
            chart = (await wires.web.get(f"/api/v1/sessions/{session_id}/chart")).json()
    chart["parties"]["gateway"] = False
    lines = list(charted(chart))
    assert lines[0] == "gateway does not answer: its side is missing"
    assert len(lines) == 1 + len(chart["payments"]) + len(chart["arrows"])
    lost = [line for line in lines if "--x" in line]
    assert len(lost) == 2
    assert all(line.endswith("[lost]") and "scheme --x issuer" in line for line in lost)


def test_a_host_that_is_not_there_is_said_and_nothing_else_fails() -> None:
    found = rails("127.0.0.1", {"gateway": 1, "acquirer": 1, "issuer": 1}, "R")
    assert [(each["party"], each["away"]) for each in found] == [
        ("Gateway", True), ("Acquirer", True), ("Issuer", True),
    ]  # fmt: skip
