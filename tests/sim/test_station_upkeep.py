"""The simulated station, looked after: configuration, resets, firmware, diagnostics, availability, data."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.sim.world import Csms, Post, station_on, until

from tapwatt.ocpp import commands as ask
from tapwatt.ocpp import messages as ocpp
from tapwatt.ocpp.commands import CommandAnswer, CommandAnswered, CommandStatus
from tapwatt.sim.car import Car

OK, NO = CommandStatus.ACCEPTED, CommandStatus.REJECTED


@asynccontextmanager
async def post(path: Path) -> AsyncIterator[tuple[Csms, Post]]:
    csms = Csms()
    port = await csms.server.start()
    post = await station_on(path, port)
    try:
        await until(lambda: post.station.line.connected and len(csms.of(ocpp.StatusReported)) >= 3)
        yield csms, post
    finally:
        await post.close()
        await csms.server.stop()


async def command(csms: Csms, command: ask.Command) -> CommandAnswer:
    return await csms.server.command("CS1", command)


async def status(csms: Csms, asked: ask.Command) -> CommandStatus:
    answer = await command(csms, asked)
    assert isinstance(answer, CommandAnswered)
    return answer.status


async def charging(csms: Csms, post: Post, evse_id: int = 1) -> None:
    await post.station.plug(evse_id, Car())
    assert await status(csms, ask.StartRequested(id_token="TW1", evse_id=evse_id)) is OK
    await until(lambda: post.station.connectors[evse_id].charge is not None)
    await until(lambda: csms.of(ocpp.TransactionStarted))


def kinds(csms: Csms) -> list[type]:
    told = (ocpp.StationBooted, ocpp.TransactionStopped)
    return [type(each.message) for each in csms.heard if isinstance(each.message, told)]


async def test_a_soft_reset_ends_the_charge_and_then_boots(tmp_path: Path) -> None:
    async with post(tmp_path) as (csms, standing):
        await charging(csms, standing)
        assert await status(csms, ask.Reset()) is OK
        await until(lambda: len(csms.of(ocpp.StationBooted)) == 2)
        assert kinds(csms) == [ocpp.StationBooted, ocpp.TransactionStopped, ocpp.StationBooted]
        (stopped,) = csms.of(ocpp.TransactionStopped)
        assert (stopped.reason, stopped.transaction_id) == (ocpp.StopReason.SOFT_RESET, "101")
        assert standing.station.connectors[1].charge is None


async def test_a_hard_reset_hangs_up_and_brings_the_stop_after_the_boot(tmp_path: Path) -> None:
    async with post(tmp_path) as (csms, standing):
        await charging(csms, standing)
        assert await status(csms, ask.Reset(hard=True)) is OK
        await until(lambda: len(csms.of(ocpp.StationBooted)) == 2 and csms.of(ocpp.TransactionStopped))
        assert csms.of(ocpp.TransactionStopped)[0].reason is ocpp.StopReason.HARD_RESET
        assert len(csms.of(ocpp.TransactionStopped)) == 1


async def test_the_interval_of_meter_values_takes_effect(tmp_path: Path) -> None:
    async with post(tmp_path) as (csms, standing):
        change = ask.ChangeConfiguration(key="MeterValueSampleInterval", value="0")
        assert await status(csms, change) is OK
        await charging(csms, standing)
        register_wh = standing.station.connectors[1].register_wh
        await until(lambda: standing.station.connectors[1].register_wh > register_wh)
        await until(lambda: standing.station.connectors[1].register_wh > register_wh + 20)
        assert csms.of(ocpp.MeterReported) == []
        assert await status(csms, ask.ChangeConfiguration(key="MeterValueSampleInterval", value="1")) is OK
        await until(lambda: csms.of(ocpp.MeterReported))


async def test_configuration_is_told_and_changed(tmp_path: Path) -> None:
    async with post(tmp_path) as (csms, _):
        report = await command(csms, ask.GetConfiguration())
        assert isinstance(report, ask.ConfigurationReported)
        assert {each.key: each.value for each in report.entries}["NumberOfConnectors"] == "2"
        assert report.unknown == ()
        answers = {
            ("HeartbeatInterval", "1"): OK,
            ("HeartbeatInterval", "often"): NO,
            ("NumberOfConnectors", "9"): NO,
            ("NoSuchKey", "1"): CommandStatus.NOT_SUPPORTED,
            ("WebSocketPingInterval", "7"): CommandStatus.REBOOT_REQUIRED,
        }
        for (key, value), wanted in answers.items():
            assert await status(csms, ask.ChangeConfiguration(key=key, value=value)) is wanted, key
        await until(lambda: csms.of(ocpp.HeartbeatSent))
        some = ask.GetConfiguration(keys=("WebSocketPingInterval", "HeartbeatInterval", "Nope"))
        before = await command(csms, some)
        assert isinstance(before, ask.ConfigurationReported)
        assert [each.value for each in before.entries] == ["20", "1"]
        assert before.unknown == ("Nope",)
        assert await status(csms, ask.Reset()) is OK
        await until(lambda: len(csms.of(ocpp.StationBooted)) == 2)
        after = await command(csms, some)
        assert isinstance(after, ask.ConfigurationReported)
        assert [each.value for each in after.entries] == ["7", "1"]


async def test_new_firmware_is_fetched_installed_and_booted(tmp_path: Path) -> None:
    async with post(tmp_path) as (csms, _):
        update = ask.UpdateFirmware(
            location="https://firmware.example/tw-2.0", retrieve_ms=int(time.time() * 1000)
        )
        assert await command(csms, update) == ocpp.Acknowledged()
        await until(lambda: len(csms.of(ocpp.FirmwareReported)) == 4)
        states = [each.status for each in csms.of(ocpp.FirmwareReported)]
        assert states == ["Downloading", "Downloaded", "Installing", "Installed"]
        assert [each.firmware for each in csms.of(ocpp.StationBooted)] == ["1.0", "tw-2.0"]
        await command(csms, ask.Trigger(message=ask.TriggerKind.FIRMWARE))
        await until(lambda: csms.of(ocpp.FirmwareReported)[-1].status == "Idle")
        bad = ask.UpdateFirmware(location="nowhere", retrieve_ms=0)
        assert await command(csms, bad) == ocpp.Acknowledged()
        await until(lambda: csms.of(ocpp.FirmwareReported)[-1].status == "DownloadFailed")


async def test_diagnostics_are_uploaded(tmp_path: Path) -> None:
    async with post(tmp_path) as (csms, _):
        promised = await command(csms, ask.GetDiagnostics(location="ftp://files.example/"))
        assert promised == ask.DiagnosticsPromised(file_name="diagnostics.zip")
        await until(lambda: len(csms.of(ocpp.DiagnosticsReported)) == 2)
        assert [each.status for each in csms.of(ocpp.DiagnosticsReported)] == ["Uploading", "Uploaded"]
        assert await status(csms, ask.Trigger(message=ask.TriggerKind.DIAGNOSTICS)) is OK
        await until(lambda: csms.of(ocpp.DiagnosticsReported)[-1].status == "Idle")


async def test_a_connector_that_charges_goes_out_of_service_afterwards(tmp_path: Path) -> None:
    async with post(tmp_path) as (csms, standing):
        await charging(csms, standing)
        off = ask.ChangeAvailability(evse_id=0, operative=False)
        assert await status(csms, off) is CommandStatus.SCHEDULED
        await until(lambda: csms.statuses(2)[-1] == "unavailable")
        assert csms.statuses(1)[-1] != "unavailable"
        await standing.station.press_stop(1)
        await until(lambda: csms.statuses(1)[-1] == "unavailable")
        assert await status(csms, ask.ChangeAvailability(evse_id=0, operative=True)) is OK
        await until(lambda: csms.statuses(2)[-1] == "available")
        assert await status(csms, ask.ChangeAvailability(evse_id=9, operative=True)) is NO


async def test_unlock_cache_and_data(tmp_path: Path) -> None:
    async with post(tmp_path) as (csms, standing):
        await charging(csms, standing)
        assert await status(csms, ask.UnlockConnector(evse_id=1)) is CommandStatus.UNLOCKED
        await until(lambda: csms.of(ocpp.TransactionStopped))
        assert await status(csms, ask.UnlockConnector(evse_id=9)) is CommandStatus.NOT_SUPPORTED
        assert await status(csms, ask.ClearCache()) is OK
        said = {
            ("Tapwatt", "echo"): (ocpp.DataStatus.ACCEPTED, "hello"),
            ("Tapwatt", "other"): (ocpp.DataStatus.UNKNOWN_MESSAGE, ""),
            ("org.other", "echo"): (ocpp.DataStatus.UNKNOWN_VENDOR, ""),
        }
        for (vendor, message), (wanted, data) in said.items():
            asked = ocpp.DataTransferred(vendor_id=vendor, message_id=message, data="hello")
            assert await command(csms, asked) == ocpp.DataAnswered(status=wanted, data=data)
