"""The composition root of the simulated site: settings → station, terminal, driver → wires.

`tapwatt sim site` starts all of it; `sim station` and `sim terminal` start one side of one wire, for other
people's software.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import httpx
import structlog
from starlette.routing import Route

from tapwatt.pages.guard import Guard
from tapwatt.pages.layout import HEADERS
from tapwatt.programs.http import json_app, serve_http
from tapwatt.programs.runtime import Runtime, UnableToStart, now_ms, unable_to_listen
from tapwatt.rails.forward import RetryRules
from tapwatt.rails.keys import PanCipher
from tapwatt.rails.link import HostClient
from tapwatt.rails.mux import Unmatched
from tapwatt.rails.sandbox import Network, network, pan_keys
from tapwatt.settings import Settings
from tapwatt.sim import books
from tapwatt.sim.bell import Bell
from tapwatt.sim.card import Reader
from tapwatt.sim.control import Control
from tapwatt.sim.driver import Driver
from tapwatt.sim.faults import Faults
from tapwatt.sim.forecourt.board import Board
from tapwatt.sim.forecourt.page import Forecourt
from tapwatt.sim.forecourt.parties import Parties
from tapwatt.sim.forecourt.visitor import Visitor
from tapwatt.sim.forecourt.witness import Witness
from tapwatt.sim.forwarder import Forwarder
from tapwatt.sim.station import Station
from tapwatt.sim.tables import METADATA
from tapwatt.sim.terminal import Terminal
from tapwatt.sim.terminal_money import TerminalMoney
from tapwatt.sim.visits import Visits
from tapwatt.store import Database
from tapwatt.terminals.address import SerialAddress, TcpAddress
from tapwatt.terminals.profiles import Profile, load_profile
from tapwatt.terminals.zvt.link import TerminalLink, open_port, open_pty

STATION_ID: Final = "CS1"
EVSES: Final = (1, 2)
TERMINAL_TID: Final = "52523535"
PROFILE: Final = "ingenico-self-4000-zvt"

log = structlog.get_logger("tapwatt.sim")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the user asked of `sim site`. `visits` None: until it is stopped; 0: only by hand."""

    run_id: str
    visits: int | None = None
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A payment terminal and its two wires."""

    terminal: Terminal
    money: TerminalMoney
    reader: Reader
    link: TerminalLink
    gateway: HostClient
    forwarder: Forwarder


@dataclass(slots=True, kw_only=True)
class Site:
    """What is simulated here; a part that is missing is None."""

    database: Database
    bell: Bell
    faults: Faults
    now_ms: Callable[[], int] = now_ms
    station: Station | None = None
    device: Device | None = None
    visits: Visits | None = None


def build_device(
    site: Site,
    settings: Settings,
    *,
    gateway_port: int,
    tid: str = TERMINAL_TID,
    profile: Profile | None = None,
    sandbox: Network | None = None,
) -> Device:
    """A payment terminal, put together and not yet started."""
    chosen = sandbox or network()
    keys = pan_keys("terminal")
    cipher = PanCipher(keys.aes, keys.hash, random=os.urandom)
    reader = Reader(site.bell)
    gateway = HostClient(
        settings.host, gateway_port, forwarder_id=tid, on_late=_late, observe=_observe, backoff_s=(0.1, 2.0)
    )
    money = TerminalMoney(
        site.database,
        gateway,
        tid=tid,
        network=chosen,
        profile=profile or load_profile(PROFILE),
        cipher=cipher,
        bell=site.bell,
        timeout_s=settings.terminal_timeout_s,
        chance=os.urandom,
        now_ms=site.now_ms,
    )
    terminal = Terminal(
        tid=tid,
        network=chosen,
        money=money,
        reader=reader,
        cipher=cipher,
        faults=site.faults,
        bell=site.bell,
    )
    link = TerminalLink(terminal.serve, on_connection=lambda _up: site.bell.ring())
    terminal.cut = link.disconnect
    forwarder = Forwarder(
        site.database,
        gateway,
        bell=site.bell,
        rules=RetryRules(
            first_ms=round(settings.forward_first_retry_s * 1000),
            most_ms=round(settings.forward_longest_retry_s * 1000),
        ),
        timeout_s=settings.terminal_timeout_s,
        chance=random.random,
        now_ms=site.now_ms,
    )
    return Device(
        terminal=terminal, money=money, reader=reader, link=link, gateway=gateway, forwarder=forwarder
    )


async def open_site(runtime: Runtime, faults: Faults | None = None) -> Site:
    """An empty site on this program's own database."""
    database = await runtime.database(METADATA, migrations="tapwatt.sim.migrations")
    return Site(database=database, bell=Bell(), faults=faults or Faults())


async def start_device(
    runtime: Runtime, site: Site, *, listen: TcpAddress | SerialAddress | None, profile: Profile | None = None
) -> Device:
    """Start a terminal: what has no outcome is reversed, then the gateway is dialled and the edge waited
    for, at a TCP port, on a serial line, or (None) on a pseudo terminal of its own."""
    gateway_port = runtime.settings.port_to_dial("gateway_port")
    device = build_device(site, runtime.settings, gateway_port=gateway_port, profile=profile)
    site.device = device
    lost = await site.database.write(lambda tx: books.recover(tx, now_ms=site.now_ms()))
    if lost:
        log.warning("holds without outcome are taken back", number=lost)
    await device.gateway.start()
    runtime.closing.push_async_callback(device.gateway.stop)
    runtime.spawn(device.forwarder.run(), name="terminal's store-and-forward")
    await _listen(runtime, device, listen)
    runtime.closing.push_async_callback(device.link.close)
    return device


async def _listen(runtime: Runtime, device: Device, listen: TcpAddress | SerialAddress | None) -> None:
    if isinstance(listen, TcpAddress):
        try:
            taken = await device.link.listen(host=listen.host, port=listen.port)
        except OSError as error:
            raise unable_to_listen(listen.host, listen.port, error, purpose="the payment terminal") from error
        runtime.listening("zvt", taken)
        return
    try:
        port = open_pty() if listen is None else open_port(listen)
    except OSError as error:
        place = "a pseudo terminal" if listen is None else listen.path
        raise UnableToStart(f"unable to open {place} (the payment terminal): {error}.") from error
    device.link.attach(port)
    runtime.attached("zvt", port.path)


async def start_station(
    runtime: Runtime, site: Site, *, url: str, station_id: str, evses: tuple[int, ...]
) -> Station:
    """Start a station; `url` is the CSMS up to and including `/ocpp`."""
    station = Station(
        site.database,
        url=url,
        station_id=station_id,
        evses=evses,
        faults=site.faults,
        bell=site.bell,
        now_ms=site.now_ms,
    )
    site.station = station
    await station.start()
    runtime.closing.push_async_callback(station.stop)
    return station


async def serve_control(runtime: Runtime, site: Site, pages: Sequence[Route] = ()) -> None:
    """Open the HTTP side: what the site says of itself, hands to drive it with, and pages for people."""
    control = Control(site)
    app = json_app(runtime, health=lambda: _health(site), views=control.views, actions=control.actions)
    app.router.routes.extend(pages)
    guarded = Guard(app, headers=HEADERS)
    await serve_http(runtime, guarded, runtime.settings.forecourt_port, name="forecourt")


async def serve_forecourt(
    runtime: Runtime, site: Site, *, station: Station, device: Device, visits: Visits
) -> None:
    """Open the HTTP side with the page that visitors see."""
    settings = runtime.settings
    client = httpx.AsyncClient(trust_env=False)
    runtime.closing.push_async_callback(client.aclose)
    parties = Parties(settings, client)
    visitor, board = Visitor(site, station, device, visits), Board(site, settings, parties)
    witness = Witness(site, station, device, parties=parties, visitor=visitor, board=board)
    forecourt = Forecourt(
        witness,
        visitor,
        board,
        console=f"http://{settings.host}:{settings.http_port}/",
        evses=EVSES,
        bell=site.bell,
    )
    await serve_control(runtime, site, forecourt.routes())
    runtime.closing.push_async_callback(board.close)
    runtime.closing.callback(forecourt.live.close)
    runtime.spawn(forecourt.pass_on_news(), name="forecourt's news")


async def start_site(
    runtime: Runtime,
    asked: Asked,
    faults: Faults | None = None,
    witness: Callable[[str], None] | None = None,
) -> None:
    """Start the whole site and its drivers in a runtime; `witness` hears of holds that were acknowledged."""
    settings = runtime.settings
    site = await open_site(runtime, faults)
    address = TcpAddress(host=settings.host, port=settings.terminal_port)
    device = await start_device(runtime, site, listen=address)
    device.terminal.witness = witness
    station = await start_station(
        runtime,
        site,
        url=f"ws://{settings.host}:{settings.port_to_dial('ocpp_port')}/ocpp",
        station_id=STATION_ID,
        evses=EVSES,
    )
    driver = Driver(
        site.database,
        station,
        device.terminal,
        device.reader,
        bell=site.bell,
        ready=lambda: _ready(station, device),
        now_ms=site.now_ms,
    )
    site.visits = Visits(
        site.database,
        driver,
        run_id=asked.run_id,
        asked=asked.visits,
        seed=asked.seed,
        evses=EVSES,
        now_ms=site.now_ms,
    )
    await site.visits.prepare()
    if runtime.serves_http:
        await serve_forecourt(runtime, site, station=station, device=device, visits=site.visits)
    runtime.spawn(site.visits.carry_out(), name="visits")


def _ready(station: Station, device: Device) -> bool:
    return (
        station.line.connected
        and device.link.connected
        and device.terminal.registered
        and device.gateway.connected
    )


def _health(site: Site) -> dict[str, object]:
    health: dict[str, object] = {}
    if site.station is not None:
        health["station"] = site.station.line.connected
    if site.device is not None:
        health["edge"], health["gateway"] = site.device.link.connected, site.device.gateway.connected
    return health


def _observe(happened: str, /, **details: object) -> None:
    log.info("gateway line", happened=happened, **{name: str(value) for name, value in details.items()})


async def _late(unmatched: Unmatched) -> None:
    """Whatever it says, the hold is being taken back already (reference/rails.md section 2.4, flow 7)."""
    log.warning("an answer came too late", answer=repr(unmatched.message), reason=unmatched.reason)
