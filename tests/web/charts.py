"""Wires for charts: traces as hosts serve them, at a real port, and the platform's own."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Self

import httpx
from tests.web.scenes import NOON_MS, Scene
from tests.web.serving import web_side

from tapwatt.platform.tables import TRACES
from tapwatt.store import Transaction
from tapwatt.traces import Direction, Trace, Wire
from tapwatt.web.chart.hosts import HOSTS, HostTraces

Json = dict[str, Any]
TID, RRN = "52523535", "701512000001"
CYCLE = f"{TID}-{RRN}"
STATUS = "04 0F status information"
NAMES = {
    "0100": "0100 authorisation request",
    "0110": "0110 authorisation response",
    "0220": "0220 completion advice",
    "0230": "0230 completion advice response",
}
CARD = {
    "2": "411111******1111", "3": "000000", "7": "1126181149", "11": "000001", "14": "<4 characters>",
    "18": "5552",
    "19": "276", "22": "072", "25": "06", "32": "100001", "37": RRN, "41": TID, "42": "TWDE00000000017",
    "43": "Sunfield Charging        Berlin       DE", "48": "PA011PC011", "49": "978", "61": "REF",
    "62": CYCLE,
    "55": {"9F02": "000000002500", "9F26": "<8 bytes>", "9F10": "<7 bytes>", "9F36": "0001"},
}  # fmt: skip


def host_rows(
    host: str, mti: str, *, peer: str, direction: str, mark: str = "", at_ms: int = NOON_MS, minor: int = 2500
) -> Json:
    """One row as a host serves it."""
    said = {**CARD, "4": f"{minor:012d}"} | ({"39": "00"} if mti[2] in "13" else {})
    fields = dict(sorted(said.items(), key=lambda field: int(field[0])))
    link = f"{mti[:2]}.{host if direction == 'sent' else peer}"
    return {
        "id": at_ms % 100_000, "at_ms": at_ms, "direction": direction, "wire": "iso8583", "peer": peer,
        "name": NAMES[mti], "amount_minor": minor, "currency": "EUR", "mark": mark, "reference": "REF",
        "life_cycle": CYCLE, "key": "", "link": link if direction != "awaited" else "x", "fields": fields,
    }  # fmt: skip


def told(begin_ms: int = NOON_MS, *mtis: tuple[str, str, int]) -> dict[str, list[Json] | None]:
    """A hold over all hops and back, two milliseconds a hop; more exchanges as (request, answer, amount)."""
    rows: dict[str, list[Json] | None] = {host: [] for host in HOSTS}
    at_ms = begin_ms
    for request, answer, minor in mtis or (("0100", "0110", 2500),):
        for mti, places in ((request, (0, 1, 2, 3)), (answer, (3, 2, 1, 0))):
            for place in places:
                left = ("terminal", *HOSTS)[place]
                right = HOSTS[place]
                ends = (left, right) if mti == request else (right, left)
                for host, direction in ((ends[0], "sent"), (ends[1], "received")):
                    listed = rows.get(host)
                    if listed is not None:
                        peer = ends[1] if direction == "sent" else ends[0]
                        listed.append(
                            host_rows(host, mti, peer=peer, direction=direction, at_ms=at_ms, minor=minor)
                        )
                    at_ms += 2
        at_ms += 40
    return rows


class Wires:
    """All hosts at one port that says what it is given, and the web side that asks there."""

    def __init__(self, scene: Scene, *, answer: bytes | None = None) -> None:
        self.scene, self._answer = scene, answer
        self.rows: dict[str, list[Json] | None] = {host: [] for host in HOSTS}

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.hosts = HostTraces({host: f"http://127.0.0.1:{port}/{host}" for host in HOSTS})
        transport = httpx.ASGITransport(web_side(self.scene, hosts=self.hosts))
        self.web = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080")
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.web.aclose()
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = (await reader.readuntil(b"\r\n\r\n")).decode()
        host = line.split("/")[1]
        body = json.dumps(self.rows[host]).encode() if self._answer is None else self._answer
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    async def tell(self, session_id: str) -> None:
        """What went over the wires in a session of the scene: enough of each wire to fill a chart."""
        page = await self.scene.page(session_id)
        assert page is not None
        begin_ms = page["opened_ms"] + 10_000
        self.rows = told(begin_ms + 1_000, ("0100", "0110", 6000), ("0220", "0230", 1538))
        await self.scene.database.write(lambda tx: _tell(tx, page, begin_ms))


def _tell(tx: Transaction, page: Json, begin_ms: int) -> None:
    session_id, connector = page["session_id"], page["evse_id"]
    here: Json = {"connectorId": connector}
    transaction = {"connectorId": connector, "transactionId": int(page["transaction_id"] or 0)}
    token = next(event["body"]["token"] for event in page["events"] if event["kind"] == "CardPresented")
    hold = {"key": f"{session_id}.p1", "amount_minor": 6000, "currency": "EUR"}
    lines: list[tuple[int, str, Wire, str, str, Json]] = [
        (-9_900, "received", Wire.OCPP, "CS1", "StatusNotification", here | {"status": "Preparing"}),
        (-9_890, "sent", Wire.OCPP, "CS1", "StatusNotification.conf", {}),
        (-1_200, "sent", Wire.ZVT, "T1", "06 C0 read card", {"timeout_s": 60}),
        (-1_000, "received", Wire.ZVT, "T1", STATUS, {"result_code": 0, "masked_pan": "…1111"}),
        (-990, "received", Wire.UPLINK, "EDGE1", "CardPresented", {"token": token, "brand": "visa"}),
        (200, "sent", Wire.UPLINK, "EDGE1", "Operate preauthorise", hold),
        (210, "received", Wire.UPLINK, "EDGE1", "Operate.conf", {"accepted": True, "reason": ""}),
        (400, "sent", Wire.ZVT, "T1", "06 22 preauthorisation", {"payment_type": 64, "amount_minor": 6000}),
        (405, "received", Wire.ZVT, "T1", "80 00 understood", {}),
        (1_100, "received", Wire.ZVT, "T1", STATUS, {"result_code": 0, "receipt": "0231"}),
        (1_110, "received", Wire.UPLINK, "EDGE1", "Outcome preauthorise", {**hold, "result": "approved"}),
        (1_200, "sent", Wire.OCPP, "CS1", "RemoteStartTransaction", here | {"idTag": "TW"}),
        (1_900, "received", Wire.OCPP, "CS1", "StartTransaction", here | {"meterStart": 1204330}),
        *((2_000 + n * 5, "received", Wire.OCPP, "CS1", "MeterValues", transaction) for n in range(8)),
    ]  # fmt: skip
    for number, (after_ms, direction, wire, peer, name, fields) in enumerate(lines):
        paid = name.startswith(("Operate", "Outcome", "06 22", "80 00")) or (
            after_ms > 0 and wire is Wire.ZVT
        )
        trace = Trace(
            at_ms=begin_ms + after_ms,
            direction=Direction(direction),
            wire=wire,
            peer=peer,
            name=name,
            amount_minor=fields.get("amount_minor"),
            currency="EUR" if "amount_minor" in fields else "",
            key=f"{session_id}.p1" if paid else "",
            link=f"m{number - 1 if name.endswith('.conf') else number}",
            fields=fields,
        )
        TRACES.add(tx, trace, owner="demo")
