"""The station against a CSMS on loopback: starts, stops, faults, and what a power cut leaves behind."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.sim.world import Csms, Post, charges_of, reading_late, station_on, until

from tapwatt.ocpp import messages as ocpp
from tapwatt.ocpp.commands import (
    CommandAnswered,
    CommandStatus,
    StartRequested,
    StopRequested,
    Trigger,
    TriggerKind,
)
from tapwatt.sim.car import Car
from tapwatt.sim.station import FIRST_REGISTER_WH

QUICK = Car(target_wh=200, handshake_ms=0)
LASTING = Car(target_wh=50_000, handshake_ms=0)
ACCEPTED, REJECTED = (
    CommandAnswered(status=CommandStatus.ACCEPTED, raw="Accepted"),
    CommandAnswered(status=CommandStatus.REJECTED, raw="Rejected"),
)


async def running(office: Csms, post: Post, car: Car = LASTING, *, token: str = "TW-1") -> Any:
    """A charge started from afar; its StartTransaction as the CSMS got it."""
    await until(lambda: office.statuses(1))
    await post.station.plug(1, car)
    assert await office.server.command("CS1", StartRequested(id_token=token, evse_id=1)) == ACCEPTED
    await until(lambda: office.of(ocpp.TransactionStarted))
    await until(lambda: office.of(ocpp.MeterReported))
    return office.of(ocpp.TransactionStarted)[0]


async def test_a_charge_from_afar_until_the_car_is_full(csms: tuple[Csms, int], tmp_path: Path) -> None:
    office, port = csms
    post = await station_on(tmp_path, port)
    started = await running(office, post, QUICK)
    assert (started.evse_id, started.id_token, started.register_wh) == (1, "TW-1", FIRST_REGISTER_WH)
    await until(lambda: office.of(ocpp.TransactionStopped), within_s=10)
    stopped = office.of(ocpp.TransactionStopped)[0]
    assert (stopped.transaction_id, stopped.register_wh) == ("101", FIRST_REGISTER_WH + 200)
    reported = office.of(ocpp.MeterReported)
    assert {each.transaction_id for each in reported} == {"101"}
    registers = [each.readings[0].register_wh for each in reported]
    assert registers == sorted(registers)
    assert reported[0].readings[0].power_w > 0
    await post.station.unplug(1)
    await until(lambda: office.statuses(1)[-1] == "available")
    assert office.statuses(1) == [
        "available",
        "preparing",
        "charging",
        "suspended_ev",
        "finishing",
        "available",
    ]
    await post.close()


async def test_what_is_answered_while_the_messages_are_read_is_not_brought_again(
    csms: tuple[Csms, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, port = csms
    post = await station_on(tmp_path, port)
    await running(office, post)
    async with reading_late(monkeypatch, post.database, post.station.line.wake):
        assert await post.station.press_stop(1)
        await until(lambda: office.of(ocpp.TransactionStopped))
    assert len(office.of(ocpp.TransactionStopped)) == 1
    await post.close()


async def test_stops_from_afar_by_button_and_by_plug(csms: tuple[Csms, int], tmp_path: Path) -> None:
    office, port = csms
    post = await station_on(tmp_path, port)
    await running(office, post)
    assert await office.server.command("CS1", StopRequested(transaction_id="999")) == REJECTED
    assert await office.server.command("CS1", StopRequested(transaction_id="101")) == ACCEPTED
    await until(lambda: len(office.of(ocpp.TransactionStopped)) == 1)
    await office.server.command("CS1", StartRequested(id_token="TW-2", evse_id=1))
    await until(lambda: post.station.connectors[1].charge is not None)
    assert await post.station.press_stop(1)
    await office.server.command("CS1", StartRequested(id_token="TW-3", evse_id=1))
    await until(lambda: post.station.connectors[1].charge is not None)
    assert await post.station.unplug(1)
    await until(lambda: len(office.of(ocpp.TransactionStopped)) == 3)
    reasons = [each.reason for each in office.of(ocpp.TransactionStopped)]
    assert reasons == ["remote", "local", "ev_disconnected"]
    await post.close()


async def test_a_start_without_a_car_or_with_a_fault_is_refused(
    csms: tuple[Csms, int], tmp_path: Path
) -> None:
    office, port = csms
    post = await station_on(tmp_path, port)
    await until(lambda: office.statuses(2))
    start = StartRequested(id_token="TW-1", evse_id=1)
    assert await office.server.command("CS1", start) == REJECTED
    await post.station.plug(1, LASTING)
    post.station.faults.refuse_start = True
    assert await office.server.command("CS1", start) == REJECTED
    post.station.faults.refuse_start, post.station.faults.never_start = False, True
    assert await office.server.command("CS1", start) == ACCEPTED
    post.station.faults.never_start = False
    assert await office.server.command("CS1", start) == ACCEPTED
    await until(lambda: len(office.of(ocpp.TransactionStarted)) == 1)
    assert await office.server.command("CS1", start) == REJECTED
    await post.close()


async def test_unplugged_before_power_there_is_no_transaction(csms: tuple[Csms, int], tmp_path: Path) -> None:
    office, port = csms
    post = await station_on(tmp_path, port)
    await until(lambda: office.statuses(1))
    await post.station.plug(1, Car(handshake_ms=300))
    await office.server.command("CS1", StartRequested(id_token="TW-1", evse_id=1))
    await post.station.unplug(1)
    await post.station.plug(1, LASTING)
    await office.server.command("CS1", StartRequested(id_token="TW-2", evse_id=1))
    await until(lambda: office.of(ocpp.TransactionStarted))
    assert [each.id_token for each in office.of(ocpp.TransactionStarted)] == ["TW-2"]
    await post.close()


async def test_a_tag_starts_stops_and_is_refused(csms: tuple[Csms, int], tmp_path: Path) -> None:
    office, port = csms
    post = await station_on(tmp_path, port)
    await until(lambda: office.statuses(2))
    await post.station.plug(2, LASTING)
    office.token = ocpp.TokenStatus.INVALID
    assert await post.station.present_tag(2, "04FF") == "invalid"
    assert post.station.connectors[2].charge is None
    office.token = ocpp.TokenStatus.ACCEPTED
    assert await post.station.present_tag(2, "04A1") == "accepted"
    await until(lambda: post.station.connectors[2].charge is not None)
    assert await post.station.present_tag(2, "04A1") == "accepted"
    assert post.station.connectors[2].charge is None
    await post.close()


async def test_a_refused_credential_ends_the_charge(csms: tuple[Csms, int], tmp_path: Path) -> None:
    office, port = csms
    post = await station_on(tmp_path, port)
    office.token = ocpp.TokenStatus.INVALID
    await until(lambda: office.statuses(1))
    await post.station.plug(1, LASTING)
    await office.server.command("CS1", StartRequested(id_token="TW-1", evse_id=1))
    await until(lambda: office.of(ocpp.TransactionStopped))
    assert office.of(ocpp.TransactionStopped)[0].reason == "deauthorised"
    await post.close()


async def test_a_power_cut_ends_the_charge_at_the_register_stored_last(
    csms: tuple[Csms, int], tmp_path: Path
) -> None:
    office, port = csms
    post = await station_on(tmp_path, port)
    await running(office, post)
    last = office.of(ocpp.MeterReported)[-1].readings[0]
    await post.close()
    again = await station_on(tmp_path, port)
    await until(lambda: office.of(ocpp.TransactionStopped))
    stopped = office.of(ocpp.TransactionStopped)[0]
    assert (stopped.reason, stopped.transaction_id) == ("power_loss", "101")
    assert stopped.register_wh >= last.register_wh
    assert again.station.connectors[1].register_wh == stopped.register_wh, "the register never resets"
    await until(lambda: office.statuses(1)[-1] == "finishing")
    await again.station.unplug(1)
    await until(lambda: office.statuses(1)[-1] == "available")
    (charge,) = await again.database.read(charges_of)
    assert (charge.reason, charge.transaction_id) == ("power_loss", "101")
    await again.close()


async def test_unanswered_messages_come_again_unchanged_after_a_power_cut(
    csms: tuple[Csms, int], tmp_path: Path
) -> None:
    office, port = csms
    post = await station_on(tmp_path, port)
    office.deaf_to.add("StartTransaction")
    await until(lambda: office.statuses(1))
    await post.station.plug(1, QUICK)
    await office.server.command("CS1", StartRequested(id_token="TW-1", evse_id=1))
    await until(lambda: office.of(ocpp.TransactionStarted))
    await post.station.press_stop(1)
    await post.close()
    office.deaf_to.clear()
    again = await station_on(tmp_path, port)
    await until(lambda: office.of(ocpp.TransactionStopped))
    first, second = office.of(ocpp.TransactionStarted)[:2]
    assert first == second
    assert office.of(ocpp.TransactionStopped)[0].transaction_id == "101"
    await again.close()
    third = await station_on(tmp_path, port)
    await until(lambda: office.statuses(1)[-1] == "preparing")
    assert len(office.of(ocpp.TransactionStarted)) == 2, "answered messages do not come again"
    await third.close()


async def test_off_line_the_charge_goes_on_and_is_told_afterwards(
    csms: tuple[Csms, int], tmp_path: Path
) -> None:
    office, port = csms
    post = await station_on(tmp_path, port)
    await running(office, post)
    offline = post.station.spawn(post.station.go_offline(1.5))
    await until(lambda: not post.station.line.connected)
    assert await post.station.press_stop(1)
    assert not office.of(ocpp.TransactionStopped)
    await offline
    await until(lambda: office.of(ocpp.TransactionStopped))
    assert len(office.of(ocpp.TransactionStarted)) == 1
    await post.close()


async def test_triggers(csms: tuple[Csms, int], tmp_path: Path) -> None:
    office, port = csms
    post = await station_on(tmp_path, port)
    await until(lambda: office.statuses(2))
    for kind, expected in (
        (TriggerKind.HEARTBEAT, ocpp.HeartbeatSent),
        (TriggerKind.METER, ocpp.MeterReported),
        (TriggerKind.BOOT, ocpp.StationBooted),
    ):
        office.heard.clear()
        assert await office.server.command("CS1", Trigger(message=kind)) == ACCEPTED
        await until(partial(office.of, expected))
    answer = await office.server.command("CS1", Trigger(message=TriggerKind.STATUS, evse_id=9))
    assert isinstance(answer, CommandAnswered)
    assert answer.status is CommandStatus.REJECTED
    await post.close()
