"""Every listener is fed nonsense: it answers with its protocol's own error or hangs up, and goes on working.

The programs are started once. Whatever is sent, the same processes are alive afterwards, their health is
answered, their logs hold neither a traceback nor a card number, and the next driver still pays.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
import pytest_asyncio
from tests.journeys.world import World, world
from tests.programs.listeners import (
    HTTP,
    ISO,
    NOON_MS,
    WEBSOCKETS,
    Line,
    answer_of,
    close_code_of,
    come_and_go,
    dial,
    iso,
    iso_messages,
    say,
    sign_on,
)
from tests.programs.nonsense import (
    BODIES,
    FROM_EDGES,
    FROM_STATIONS,
    GARBAGE,
    HTTP_NONSENSE,
    NOT_ISO,
    PAN,
    TEXT_NONSENSE,
    ZVT_NONSENSE,
)
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tapwatt.rails.iso8583 import Message
from tapwatt.rails.messages import network_request, response

pytestmark = [pytest.mark.programs, pytest.mark.asyncio(loop_scope="module")]

HALF_FRAME_ENDS_WITHIN_S = 20.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("abused")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def site(_site: World) -> AsyncIterator[World]:
    before = _site.supervisor.pids()
    assert len(before) == 7
    yield _site
    assert _site.supervisor.pids() == before, "a program died"
    for party, port in HTTP.items():
        health = await _site.client.get(f"http://127.0.0.1:{getattr(_site.settings, port)}/health")
        assert health.json()["status"] == "ok", party
    assert_quiet_logs(_site)


def assert_quiet_logs(site: World) -> None:
    for log in site.settings.data.glob("*.log"):
        text = log.read_text()
        for bad in ("Traceback", "handler failed", "handler_failed", "unhandled in the event loop", PAN):
            assert bad not in text, f"{bad} in {log.name}: {text[-3000:]}"


# --- ISO 8583

ECHO = network_request("301", stan="000002", now_ms=NOON_MS)
PURCHASE = {
    2: PAN,
    3: "000000",
    4: "000000002500",
    7: "1122120000",
    11: "000003",
    37: "632612000003",
    41: "52523536",
    42: "TWDE00000000017",
    49: "978",
}


@pytest.mark.parametrize("nonsense", NOT_ISO)
async def test_iso_8583_nonsense_ends_only_that_line(site: World, nonsense: str) -> None:
    for party in ISO:
        port = getattr(site.settings, f"{party}_port")
        for opening in (b"", sign_on(party)):
            answered, closed = await say(port, opening, NOT_ISO[nonsense])
            assert closed or nonsense == "keep-alives", party
            assert all(answer.mti[2] == "1" or answer.mti == "0800" for answer in iso_messages(answered)), (
                party
            )


@pytest.mark.parametrize("signed_on", [False, True])
async def test_iso_8583_messages_of_the_wrong_kind_get_an_error_or_nothing(
    site: World, signed_on: bool
) -> None:
    request = Message("0100", PURCHASE)
    wrong = [
        iso(response(request, "00")),
        iso(response(request, "00")) * 3,
        iso(Message("0430", {11: "000009", 39: "00"})),
        iso(Message("0810", {11: "000009", 39: "00", 70: "001"})),
        iso(Message("0800", {7: "1122120000", 11: "000004", 70: "999"})),
        iso(Message("0800", {11: "000005"})),
        iso(Message("0100", {11: "000006"})),
        iso(Message("0220", {**PURCHASE, 11: "000007"})) * 2,
        iso(Message("0420", {2: PAN, 11: "000008", 90: "9" * 42})) * 2,
        iso(Message("0100", {**PURCHASE, 4: "000000000000"})),
        iso(request) * 5,
    ]
    for party in ISO:
        line = await Line.dial(getattr(site.settings, f"{party}_port"))
        if signed_on:
            await line.send(sign_on(party))
            assert iso_messages((await line.heard())[0])[0].text(39) == "00"
        for frames in wrong:
            await line.send(frames)
        await line.send(iso(ECHO))
        answered, closed = await line.heard(quiet_s=1.5)
        line.drop()
        answers = iso_messages(answered)
        assert not closed, party
        assert all(answer.mti[2] in "13" for answer in answers), party
        codes = {(answer.mti, answer.text(11)): answer.text(39) for answer in answers}
        assert codes["0810", "000002"] == "00", f"{party} does not echo any more"
        refused = {key: code for key, code in codes.items() if key[0] in ("0110", "0230", "0430")}
        assert "00" not in {code for (mti, _), code in refused.items() if mti == "0110"}, party


async def test_iso_8583_partners_that_come_and_go_leave_room_for_others(site: World) -> None:
    for party in ISO:
        port = getattr(site.settings, f"{party}_port")
        await come_and_go(port, sign_on(party))
        answered, _ = await say(port, sign_on(party), iso(ECHO))
        assert [answer.text(39) for answer in iso_messages(answered)] == ["00", "00"], party


async def test_a_stranger_may_not_sign_on_where_only_one_partner_is_known(site: World) -> None:
    for party in ("acquirer", "scheme", "issuer"):
        stranger = network_request("001", stan="000001", now_ms=NOON_MS, forwarder_id="666666")
        answered, _ = await say(getattr(site.settings, f"{party}_port"), iso(stranger))
        assert iso_messages(answered)[0].text(39) != "00", party


# --- OCPP and the edges' uplink


@pytest.mark.parametrize("nonsense", TEXT_NONSENSE)
@pytest.mark.parametrize("name", WEBSOCKETS)
async def test_a_frame_that_is_no_call_is_refused_and_the_next_one_is_answered(
    site: World, name: str, nonsense: str
) -> None:
    async with await dial(site, name) as socket:
        for _ in range(3):
            await socket.send(TEXT_NONSENSE[nonsense])
        await socket.send('[2, "last", "Nonsense", {}]')
        answers = [await answer_of(socket)]
        while answers[-1][1] != "last":
            answers.append(await answer_of(socket))
    assert [answer[0] for answer in answers if answer[1] == "last"] == [4]
    assert all(answer[0] in (3, 4) for answer in answers)
    assert "InternalError" not in {answer[2] for answer in answers if answer[0] == 4}


async def test_an_unknown_action_is_not_implemented(site: World) -> None:
    for name in WEBSOCKETS:
        async with await dial(site, name) as socket:
            await socket.send('[2, "1", "MakeCoffee", {}]')
            assert (await answer_of(socket))[:3] == [4, "1", "NotImplemented"]


@pytest.mark.parametrize(("action", "payload"), FROM_STATIONS)
async def test_a_station_s_senseless_payload_is_answered(site: World, action: str, payload: object) -> None:
    async with await dial(site, "ocpp") as socket:
        call = json.dumps([2, "1", action, payload])
        await socket.send(call)
        answer = await answer_of(socket)
        assert answer[1] == "1"
        assert answer[0] == 3 or answer[2] != "InternalError", answer
        await socket.send(call)
        assert (await answer_of(socket))[0] == answer[0]


@pytest.mark.parametrize(("action", "payload"), FROM_EDGES)
async def test_a_foreign_edge_is_believed_nothing(site: World, action: str, payload: object) -> None:
    async with await dial(site, "edge") as socket:
        await socket.send(json.dumps([2, "1", action, payload]))
        answer = await answer_of(socket)
        assert answer[0] == 4 or answer[2]["accepted"] is False, answer
        assert answer[0] == 3 or answer[2] != "InternalError", answer


@pytest.mark.parametrize("name", WEBSOCKETS)
async def test_what_a_websocket_may_not_carry_closes_it_with_a_code(site: World, name: str) -> None:
    oversized: str | bytes = "[" + " " * 300_000 + "]"
    for frame, code in ((b"\x00\x01binary", 1003), (oversized, 1009)):
        async with await dial(site, name) as socket:
            with suppress(ConnectionClosed):
                await socket.send(frame)
            assert await close_code_of(socket) == code
    async with await dial(site, name) as socket:
        with suppress(ConnectionClosed):
            for _ in range(60):
                await socket.send("no json")
        assert await close_code_of(socket) == 1008
    async with await dial(site, name, subprotocol="ocpp9.9") as socket:
        assert await close_code_of(socket) == 1002


@pytest.mark.parametrize("path", ["/", "/ocpp/", "/elsewhere/A", "/ocpp/a/b", f"/{PAN}", "/ocpp/%00", "/%ff"])
async def test_an_unknown_path_is_not_found(site: World, path: str) -> None:
    for name in WEBSOCKETS:
        with pytest.raises(InvalidStatus) as refused:
            await dial(site, name, path=path)
        assert refused.value.response.status_code == 404


async def test_what_is_no_websocket_is_refused(site: World) -> None:
    for port, path, _ in WEBSOCKETS.values():
        where = getattr(site.settings, port)
        plain = f"GET {path} HTTP/1.1\r\nHost: x\r\n".encode()
        for piece in (
            GARBAGE,
            plain + b"\r\n",
            plain + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
            b"\x16\x03\x01" * 99 + b"\r\n\r\n",
        ):
            answered, closed = await say(where, piece)
            assert closed
            assert answered == b"" or answered.startswith(b"HTTP/1.1 4"), answered[:80]
        await come_and_go(where, plain)


# --- HTTP


def http_ports(site: World) -> dict[str, int]:
    return {name: getattr(site.settings, port) for name, port in HTTP.items()}


@pytest.mark.parametrize("nonsense", HTTP_NONSENSE)
async def test_http_nonsense_is_refused(site: World, nonsense: str) -> None:
    for party, port in http_ports(site).items():
        answered, closed = await say(port, HTTP_NONSENSE[nonsense])
        assert closed or answered, party
        assert answered == b"" or answered.startswith(b"HTTP/1.1 4"), f"{party}: {answered[:80]!r}"


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        f"/{PAN}",
        "/api/v1/sessions/%00",
        "/api/v1/transactions?limit=-1",
        "/api/v1/transactions?limit=99999999999999999999",
        "/api/v1/transactions?reference=%ff%00%ed%a0%80&limit=5",
        "/api/v1/visits?run=%00",
        "/api/v1/sessions?limit=1e9",
        "/static/..%2f..%2fpyproject.toml",
        "/live/sessions/none",
    ],
)
async def test_a_senseless_question_gets_a_sentence(site: World, path: str) -> None:
    for party, port in http_ports(site).items():
        answer = await site.client.get(f"http://127.0.0.1:{port}{path}")
        assert answer.status_code < 500, f"{party}: {answer.text}"
        assert answer.status_code >= 400 or "/transactions?" in path, party
        assert "Traceback" not in answer.text


ORDERS = {
    "issuer": ("issuer_http_port", "/sandbox/silence"),
    "site": ("forecourt_port", "/api/v1/control"),
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("party", ORDERS)
async def test_a_senseless_order_is_refused_with_a_sentence(site: World, party: str, body: str) -> None:
    port, path = ORDERS[party]
    url = f"http://127.0.0.1:{getattr(site.settings, port)}{path}"
    headers = {"content-type": "application/json"}
    try:
        answer = await site.client.post(url, content=BODIES[body], headers=headers)
    except httpx.TransportError:  # it hung up before it had read it all
        assert body == "too much"
        return
    told = answer.json()
    if answer.status_code == 200:  # a tag may say anything; nobody knows this one
        assert (told["done"], told["status"]) in ((False, None), (True, "invalid"))
    else:
        assert answer.status_code in (400, 413), answer.text
        assert told["error"]


async def test_the_console_takes_no_orders_from_elsewhere_and_no_endless_bodies(site: World) -> None:
    base = f"http://127.0.0.1:{site.settings.http_port}"
    for path in ("/sessions/none/stop", "/api/v1/sessions/none/stop"):
        assert (await site.client.post(base + path)).status_code == 404
        assert (
            await site.client.post(base + path, headers={"origin": "http://evil.test"})
        ).status_code == 403
        with suppress(httpx.TransportError):
            answer = await site.client.post(base + path, content=b"x" * 5_000_000)
            assert 400 <= answer.status_code < 500
    assert (await site.client.get(base + "/", headers={"host": "evil.test"})).status_code == 421


async def test_http_visitors_that_come_and_go_leave_room_for_others(site: World) -> None:
    for port in http_ports(site).values():
        await come_and_go(
            port, b"POST /api/v1/control HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{"
        )
    await come_and_go(site.settings.http_port, b"GET /live/board HTTP/1.1\r\nHost: localhost\r\n\r\n")
    for port in http_ports(site).values():
        answer = await site.client.get(f"http://{site.settings.host}:{port}/health")
        assert answer.status_code == 200


# --- the payment terminal


@pytest.mark.parametrize("nonsense", ZVT_NONSENSE)
async def test_the_terminal_s_port_outlives_nonsense(site: World, nonsense: str) -> None:
    answered, closed = await say(site.settings.terminal_port, ZVT_NONSENSE[nonsense])
    assert closed or answered or nonsense in ("a cut-off frame", "answers nobody asked for")
    assert answered[:1] in (b"", b"\x80", b"\x84", b"\x06", b"\x04")


async def test_the_terminal_s_port_outlives_many_that_come_and_go(site: World) -> None:
    register = b"\x06\x00\x06\x00\x00\x00\xba\x09\x78"
    await come_and_go(site.settings.terminal_port, register)
    answered, _ = await say(site.settings.terminal_port, register)
    assert answered[:1] in (b"\x80", b"\x84")


# --- all of them


async def test_half_a_frame_and_then_silence_is_not_waited_for_for_ever(site: World) -> None:
    halves = {f"{party} iso8583": (f"{party}_port", sign_on(party)[:20]) for party in ISO}
    halves |= {name: (port, b"GET /ocpp/A HTTP/1.1\r\nHo") for name, (port, _, _) in WEBSOCKETS.items()}
    halves["terminal"] = ("terminal_port", b"\x06\x00\x0a\x00\x00")
    halves |= {f"{party} http": (port, b"GET /health HTTP/1.1\r\nHo") for party, port in HTTP.items()}
    order = b"POST /api/v1/control HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    halves["site's order"] = ("forecourt_port", order + b'Content-Length: 50\r\n\r\n{"do":')

    async def took(port: str, half: bytes) -> float | None:
        line = await Line.dial(getattr(site.settings, port))
        await line.send(half)
        seconds = await line.closed_after(HALF_FRAME_ENDS_WITHIN_S)
        line.drop()
        return seconds

    times = await asyncio.gather(*(took(port, half) for port, half in halves.values()))
    waited = dict(zip(halves, times, strict=True))
    assert None not in times, waited


async def test_after_all_that_a_driver_still_pays(site: World) -> None:
    async def up() -> dict[str, Any]:
        health: dict[str, Any] = await site.parties.get("site", "/health")
        return health

    await site.until(up, lambda told: told["station"] and told["edge"] and told["gateway"], "connected")
    session = await site.plug(target_wh=200)
    await site.tap("mastercard-good")
    await site.session("closed")
    authorised, captured, released = await site.all_agree(session["session_id"])
    assert authorised == captured + released == 2500
    assert captured > 0
