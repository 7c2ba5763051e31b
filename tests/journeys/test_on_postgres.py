"""Every program on PostgreSQL: a set of the journeys, with the same ends as on SQLite (issue 3, "Both
engines").

The stories are those of `test_on_wires`; here each program's database is one of a real server.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.journeys import test_on_wires
from tests.journeys.world import World, world
from tests.postgres import Server

pytestmark = [pytest.mark.programs, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _site(tmp_path_factory: pytest.TempPathFactory, postgres: Server) -> AsyncIterator[World]:
    urls = {f"{program}_database_url": postgres.database() for program in test_on_wires.PROGRAMS}
    data = tmp_path_factory.mktemp("postgres")
    async with world(data, **urls) as running:
        yield running
    # The site plays drivers and devices, which do not end with a server: its books are a file.
    assert [path.name for path in data.glob("*.sqlite")] == ["site.sqlite"]


site = test_on_wires.site
test_a_tap_is_one_paid_charge = test_on_wires.test_a_tap_is_one_paid_charge
test_a_known_tag_pays_from_its_account = test_on_wires.test_a_known_tag_pays_from_its_account
test_a_declined_card_never_gets_power = test_on_wires.test_a_declined_card_never_gets_power
test_a_card_approved_for_less = test_on_wires.test_a_card_approved_for_less_charges_within_that
test_a_refused_start = test_on_wires.test_a_refused_start_gives_the_hold_back
test_a_start_after_the_release = test_on_wires.test_a_start_after_the_release_is_stopped_and_never_captured
test_a_silent_issuer = test_on_wires.test_a_silent_issuer_is_reversed_and_its_late_approval_is_not_used
test_a_kill_after_approval = test_on_wires.test_a_program_killed_after_approval_loses_nothing
test_a_kill_during_capture = test_on_wires.test_a_program_killed_during_capture_captures_once


async def test_a_server_that_restarts_in_mid_charge_costs_nobody_anything(
    site: World, postgres: Server
) -> None:
    session_id = await test_on_wires.charge(site, "mastercard-good", target_wh=100_000)
    await site.power(60)
    # Without a checkpoint, as a crash: every program's connections are cut at once.
    postgres.stop()
    try:
        assert (await site.order(do="press_stop", evse_id=1))["done"]
        await asyncio.sleep(2)
    finally:
        postgres.start()
    await site.session("closed")
    authorised, captured, released = await site.all_agree(session_id)
    assert (authorised, captured + released) == (2500, 2500)
    assert captured > 0
