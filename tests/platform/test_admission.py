"""Who is let in: registered stations always, unknown ones only where admission is open."""

from dataclasses import replace

from tests.platform.conftest import Site

from tapwatt.ocpp import messages as ocpp


async def test_an_unknown_station_gets_a_row_of_its_own_where_admission_is_open(site: Site) -> None:
    assert await site.stations.admit("NEW-1") is None
    answer = await site.says(ocpp.StationBooted(vendor="V", model="M"), "NEW-1")
    assert answer.registration is ocpp.Registration.ACCEPTED


async def test_an_unknown_station_is_turned_away_with_a_reason_where_it_is_not(site: Site) -> None:
    closed = replace(site.stations, open_admission=False)
    assert await closed.admit("CS1") is None
    assert await closed.admit("NEW-1") == "station NEW-1 is not registered"


async def test_a_faulted_or_whole_station_status_opens_no_session(site: Site) -> None:
    await site.status("faulted")
    await site.status("preparing", evse_id=0)
    assert await site.sessions() == []


async def test_a_connector_without_a_terminal_is_not_offered_but_takes_a_tag(site: Site) -> None:
    await site.stations.admit("NEW-1")
    await site.status("preparing", station_id="NEW-1")
    assert await site.sessions() == []
    started = await site.says(
        ocpp.TransactionStarted(evse_id=1, id_token="04A1B2C3D4E5F6", register_wh=0, at_ms=1_800_000_000_000),
        "NEW-1",
    )
    assert started.token.status is ocpp.TokenStatus.ACCEPTED
