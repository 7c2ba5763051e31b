"""Doubtful sessions wait for a person, who decides within bill and hold; alarms can be taken note of."""

from typing import Any

import pytest
from tests.platform.conftest import Site
from tests.platform.test_sessions_at_work import charging, stop, until

from tapwatt.core.payment import UnableToDecide
from tapwatt.ocpp import messages as ocpp
from tapwatt.platform import review


async def in_doubt(site: Site, hold_minor: int = 2500) -> dict[str, Any]:
    """A charge whose stop names another transaction: 20 kWh that nobody proved."""
    _, _ = await charging(site, hold_minor)
    token = site.wires.started[0]
    await site.says(stop("-1", 120_000, after_s=600, id_token=token))
    return await until(site, "review")


async def queue(site: Site, operator_id: str = "demo") -> dict[str, Any]:
    return await site.database.read(lambda tx: review.queue(tx, operator_id=operator_id, now_ms=0))


async def decide(site: Site, session_id: str, amount_minor: int, operator_id: str = "demo") -> bool:
    return await site.engine.transact(
        lambda _, stepper: review.decide(
            stepper,
            operator_id=operator_id,
            session_id=session_id,
            amount_minor=amount_minor,
            by="Ada",
            why="saw the display",
            at_ms=site.now_ms(),
        )
    )


async def test_the_queue_shows_what_there_is_to_judge_by(site: Site) -> None:
    session = await in_doubt(site)
    shown = await queue(site)
    (waiting,) = shown["sessions"]
    assert waiting["session_id"] == session["session_id"]
    assert waiting["doubts"] == []
    assert waiting["detail"] == "the stop could not be proved"
    # 20 kWh at 0.49 EUR + 19 %: 11.66 EUR, below the hold.
    assert (waiting["most_minor"], waiting["authorised_minor"]) == (1166, 2500)
    assert (waiting["register_begin_wh"], waiting["register_end_wh"]) == (100_000, 120_000)
    assert [alarm["session_id"] for alarm in shown["alarms"]] == [session["session_id"]]
    assert (await queue(site, "other"))["sessions"] == []


async def test_a_person_may_take_no_more_than_the_hold(site: Site) -> None:
    session = await in_doubt(site, hold_minor=1000)
    assert (await queue(site))["sessions"][0]["most_minor"] == 1000
    with pytest.raises(UnableToDecide, match=r"at most 10\.00 EUR"):
        await decide(site, session["session_id"], 1001)
    assert await decide(site, session["session_id"], 1000)
    await site.quiet()
    assert (site.wires.operated[-1].amount_minor, site.wires.operated[-1].hold_minor) == (1000, 1000)


@pytest.mark.parametrize("amount_minor", [1167, 2500, 99_999, -1])
async def test_more_than_the_bill_is_refused_and_changes_nothing(site: Site, amount_minor: int) -> None:
    session = await in_doubt(site)
    with pytest.raises(UnableToDecide, match=r"at most 11\.66 EUR"):
        await decide(site, session["session_id"], amount_minor)
    assert (await site.sessions())[0]["state"] == "review"


async def test_another_operator_cannot_decide(site: Site) -> None:
    session = await in_doubt(site)
    assert not await decide(site, session["session_id"], 0, operator_id="other")
    assert not await decide(site, "nobody", 0)
    assert (await site.sessions())[0]["state"] == "review"


async def test_a_decision_is_taken_once(site: Site) -> None:
    session = await in_doubt(site)
    assert await decide(site, session["session_id"], 1000)
    closing = await until(site, "closing")
    assert (closing["lost_minor"], closing["detail"]) == (166, "decided by Ada: saw the display")
    with pytest.raises(UnableToDecide, match="is closing, not in review"):
        await decide(site, session["session_id"], 1000)


async def test_an_alarm_is_acknowledged_once_and_by_its_owner(site: Site) -> None:
    session = await in_doubt(site)
    await site.says(ocpp.MeterReported(evse_id=1, transaction_id="4711", readings=()))

    async def acknowledge(key: str, operator_id: str = "demo") -> bool:
        return await site.database.write(
            lambda tx: review.acknowledge(tx, operator_id=operator_id, key=key, by="Ada", at_ms=1)
        )

    waiting = {alarm["session_id"]: alarm["key"] for alarm in (await queue(site))["alarms"]}
    assert set(waiting) == {None, session["session_id"]}
    for key in waiting.values():
        assert not await acknowledge(key, "other")
        assert await acknowledge(key)
        assert await acknowledge(key)
    assert (await queue(site))["alarms"] == []
    for key in ("nothing", "message-", "message-x", "message-999999999999999999999"):
        assert not await acknowledge(key)


async def test_a_triggered_reading_without_a_transaction_belongs_to_its_connector(site: Site) -> None:
    await charging(site)
    reading = ocpp.Reading(at_ms=1_800_000_030_000, register_wh=101_000)
    await site.says(ocpp.MeterReported(evse_id=1, transaction_id=None, readings=(reading,)))
    assert (await site.sessions())[0]["energy_wh"] == 1000
    await site.says(ocpp.MeterReported(evse_id=2, transaction_id=None, readings=(reading,)))
    assert (await queue(site))["alarms"] == []
