"""The PyPI `ocpp` library as a station takes an operator's commands from the real platform program: by its
API and by `tapwatt station`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import (
    ConfigurationStatus,
    DataTransferStatus,
    DiagnosticsStatus,
    FirmwareStatus,
    ResetStatus,
    TriggerMessageStatus,
)
from tests.programs.running import Running, running

from tapwatt.cli import main

pytestmark = pytest.mark.programs


class Station(ChargePoint):  # type: ignore[misc]
    """A station of somebody else's making; it notes what it is asked."""

    def __init__(self, station_id: str, connection: Any) -> None:
        super().__init__(station_id, connection)
        self.asked: list[dict[str, Any]] = []

    @on("Reset")  # type: ignore[untyped-decorator]
    async def reset(self, **asked: Any) -> Any:
        self.asked.append(asked)
        return call_result.Reset(status=ResetStatus.accepted)

    @on("ChangeConfiguration")  # type: ignore[untyped-decorator]
    async def change(self, **asked: Any) -> Any:
        self.asked.append(asked)
        known = {"MeterValueSampleInterval": "accepted", "WebSocketPingInterval": "reboot_required"}
        return call_result.ChangeConfiguration(
            status=ConfigurationStatus[known.get(asked["key"], "not_supported")]
        )

    @on("GetConfiguration")  # type: ignore[untyped-decorator]
    async def configuration(self, **asked: Any) -> Any:
        self.asked.append(asked)
        return call_result.GetConfiguration(
            configuration_key=[{"key": "HeartbeatInterval", "readonly": False, "value": "300"}],
            unknown_key=["Nope"],
        )

    @on("TriggerMessage")  # type: ignore[untyped-decorator]
    async def trigger(self, **asked: Any) -> Any:
        if asked["requested_message"] != "StatusNotification":  # the platform asks for it by itself
            self.asked.append(asked)
        return call_result.TriggerMessage(status=TriggerMessageStatus.not_implemented)

    @on("DataTransfer")  # type: ignore[untyped-decorator]
    async def data(self, **asked: Any) -> Any:
        self.asked.append(asked)
        return call_result.DataTransfer(status=DataTransferStatus.accepted, data="back")

    @on("GetDiagnostics")  # type: ignore[untyped-decorator]
    async def diagnostics(self, **asked: Any) -> Any:
        return call_result.GetDiagnostics(file_name="d.zip")

    @on("UpdateFirmware")  # type: ignore[untyped-decorator]
    async def update(self, **asked: Any) -> Any:
        return call_result.UpdateFirmware()


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[Running]:
    async with running("serve", data=tmp_path) as program:
        yield program


@pytest.fixture
async def station(platform: Running) -> AsyncIterator[Station]:
    url = f"ws://{platform.listeners['ocpp']}/ocpp/CS1"
    async with websockets.connect(url, subprotocols=[websockets.Subprotocol("ocpp1.6")]) as socket:
        station = Station("CS1", socket)
        listening = asyncio.create_task(station.start())
        await station.call(call.BootNotification(charge_point_model="X", charge_point_vendor="Other"))
        yield station
        listening.cancel()


@pytest.fixture
async def web(platform: Running) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://{platform.listeners['http']}/api/v1") as web:
        yield web


async def send(web: httpx.AsyncClient, action: str, **payload: Any) -> tuple[int, dict[str, Any]]:
    answer = await web.post("/stations/CS1/commands", json={"action": action, "payload": payload})
    return answer.status_code, answer.json()


async def test_commands_and_what_is_kept_of_them(station: Station, web: httpx.AsyncClient) -> None:
    assert await send(web, "Reset", type="Soft") == (200, {"status": "Accepted"})
    change = {"key": "MeterValueSampleInterval", "value": "30"}
    assert await send(web, "ChangeConfiguration", **change) == (200, {"status": "Accepted"})
    later = {"key": "WebSocketPingInterval", "value": "9"}
    assert await send(web, "ChangeConfiguration", **later) == (200, {"status": "RebootRequired"})
    wrong = {"key": "Unknown", "value": "9"}
    assert await send(web, "ChangeConfiguration", **wrong) == (200, {"status": "NotSupported"})
    code, told = await send(web, "GetConfiguration", key=["HeartbeatInterval", "Nope"])
    assert (code, told["unknownKey"]) == (200, ["Nope"])
    trigger = {"requestedMessage": "MeterValues", "connectorId": 1}
    assert await send(web, "TriggerMessage", **trigger) == (200, {"status": "NotImplemented"})
    data = {"vendorId": "org.other", "messageId": "M", "data": "there"}
    assert await send(web, "DataTransfer", **data) == (200, {"status": "Accepted", "data": "back"})
    assert station.asked[0] == {"type": "Soft"}
    assert station.asked[-1] == {"vendor_id": "org.other", "message_id": "M", "data": "there"}
    kept = (await web.get("/stations/CS1")).json()["configuration"]
    assert {each["key"]: (each["value"], each["state"]) for each in kept} == {
        "HeartbeatInterval": ("300", "told"),
        "MeterValueSampleInterval": ("30", "set"),
        "WebSocketPingInterval": ("9", "after_reboot"),
    }


async def test_transfers_are_followed_and_data_is_answered(station: Station, web: httpx.AsyncClient) -> None:
    assert await send(web, "GetDiagnostics", location="ftp://x/") == (200, {"fileName": "d.zip"})
    update = {"location": "https://x/fw", "retrieveDate": "2026-11-22T12:00:00Z"}
    assert await send(web, "UpdateFirmware", **update) == (200, {})
    shown = (await web.get("/stations/CS1")).json()["transfers"]
    assert [(each["kind"], each["status"]) for each in shown] == [
        ("diagnostics", "Requested"),
        ("firmware", "Requested"),
    ]
    await station.call(call.DiagnosticsStatusNotification(status=DiagnosticsStatus.uploaded))
    await station.call(call.FirmwareStatusNotification(status=FirmwareStatus.downloading))
    shown = (await web.get("/stations/CS1")).json()["transfers"]
    assert [(each["status"], each["location"], each["file_name"]) for each in shown] == [
        ("Uploaded", "ftp://x/", "d.zip"),
        ("Downloading", "https://x/fw", ""),
    ]
    answer = await station.call(call.DataTransfer(vendor_id="org.other", data="x"))
    assert answer.status == "UnknownVendorId"


async def test_what_cannot_be_done_says_why(station: Station, web: httpx.AsyncClient) -> None:
    cases: tuple[tuple[str, dict[str, Any], int, str], ...] = (
        ("Explode", {}, 422, "Explode"),
        ("Reset", {"type": "Warm"}, 422, "$.type"),
        ("Reset", {}, 422, "$.type"),
        ("ClearCache", {}, 502, "error"),
        ("BootNotification", {}, 422, "BootNotification"),
    )
    for action, payload, code, says in cases:
        got, answer = await send(web, action, **payload)
        assert (got, says in answer["error"]) == (code, True), answer
    assert station.asked == []
    assert (await web.get("/stations/CS9")).status_code == 404


Shell = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def tapwatt(capsys: pytest.CaptureFixture[str]) -> Shell:
    """The command, in a thread of this process: exit code, stdout, stderr."""

    def left(arguments: tuple[str, ...]) -> int:
        with pytest.raises(SystemExit) as exit:
            main(arguments)
        return int(exit.value.code or 0)

    async def run(*arguments: str) -> tuple[int, str, str]:
        code = await asyncio.to_thread(left, arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


async def test_from_the_shell(platform: Running, station: Station, tapwatt: Shell) -> None:
    server = ("--server", f"http://{platform.listeners['http']}")
    code, out, err = await tapwatt("station", "send", "CS1", "Reset", '{"type": "Hard"}', *server)
    assert (code, json.loads(out), err) == (0, {"status": "Accepted"}, "")
    assert station.asked == [{"type": "Hard"}]
    change = json.dumps({"key": "Unknown", "value": "1"})
    code, out, _ = await tapwatt("station", "send", "CS1", "ChangeConfiguration", change, *server)
    assert (code, json.loads(out)) == (1, {"status": "NotSupported"})
    await tapwatt("station", "send", "CS1", "GetConfiguration", *server)
    code, out, _ = await tapwatt("station", "show", "CS1", "--json", *server)
    shown = json.loads(out)
    assert (code, shown["station_id"], shown["connected"]) == (0, "CS1", True)
    assert shown["configuration"][0]["key"] == "HeartbeatInterval"
    code, out, _ = await tapwatt("station", "show", "CS1", *server)
    assert "HeartbeatInterval = 300" in out
    code, out, _ = await tapwatt("station", "list", "--json", *server)
    assert [each["station_id"] for each in json.loads(out)["stations"]] == ["CS1"]
    for arguments, wanted, says in (
        (("send", "CS1", "Reset", "{"), 2, "JSON"),
        (("send", "CS1", "Reset", "[]"), 2, "object"),
        (("send", "CS1", "Reset", '{"type": "Warm"}'), 2, "$.type"),
        (("send", "CS9", "Reset", '{"type": "Soft"}'), 1, "CS9"),
        (("show", "CS9"), 1, "CS9"),
    ):
        code, out, err = await tapwatt("station", *arguments, *server)
        assert (code, out, err.count("\n"), says in err) == (wanted, "", 1, True), err


async def test_a_station_that_left_and_a_platform_that_is_not_there(
    platform: Running, tapwatt: Shell
) -> None:
    server = f"http://{platform.listeners['http']}"
    code, _, err = await tapwatt("station", "send", "CS1", "ClearCache", "{}", "--server", server)
    assert (code, "not connected" in err) == (1, True)
    code, _, err = await tapwatt("station", "list", "--server", "http://127.0.0.1:1")
    assert (code, err.count("\n")) == (1, 1)
    code, _, err = await tapwatt("station", "list", "--server", "nonsense")
    assert (code, "--server" in err) == (2, True)
