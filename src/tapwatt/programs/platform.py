"""The platform: stations on one listener, edges on another, the console and the API on a third, one
database."""

import asyncio
import contextlib
import secrets
from functools import partial
from typing import Any, TypeVar

import msgspec

from tapwatt.core.events import Limits
from tapwatt.core.hold import DerivedHold, HoldPolicy
from tapwatt.core.session import Session
from tapwatt.engine import Engine
from tapwatt.ocpp import commands
from tapwatt.ocpp import messages as ocpp
from tapwatt.ocpp.link import StationServer
from tapwatt.platform import places, receipts, seed
from tapwatt.platform.figures import edges
from tapwatt.platform.performers import NoAnswer, Performers, Unreachable
from tapwatt.platform.sessions import SESSIONS, record
from tapwatt.platform.stations import Stations
from tapwatt.platform.tables import METADATA, TRACES
from tapwatt.platform.terminals import Terminals
from tapwatt.platform.wire_traces import EdgeTraces, PlatformWires, owner
from tapwatt.programs.health import told
from tapwatt.programs.http import serve_http
from tapwatt.programs.metrics import page
from tapwatt.programs.platform_wires import EdgeWire, StationWire
from tapwatt.programs.runtime import Runtime, UnableToStart, now_ms, run_program
from tapwatt.programs.tracing import recorder
from tapwatt.programs.watching import Watch, say_step
from tapwatt.programs.webhooks import WebhookSender
from tapwatt.rpc.messages import Candidate, Refusal
from tapwatt.settings import Settings, is_loopback
from tapwatt.store import Database
from tapwatt.traces import Wire
from tapwatt.uplink.link import EdgeServer
from tapwatt.uplink.messages import (
    Accepted,
    FromEdge,
    Traced,
)
from tapwatt.web.app import build_app
from tapwatt.web.chart.hosts import HOSTS, HostTraces

T = TypeVar("T")
STATUS_AFTER_S = 2.0
"""A station that booted tells its connectors by itself; this asks those that only reconnected."""


def terms_of(settings: Settings) -> places.Terms:
    """What every session is offered with."""
    hold: HoldPolicy | DerivedHold = HoldPolicy(
        amount_minor=settings.hold_minor, least_minor=settings.hold_least_minor
    )
    if settings.hold_rule == "derived":
        hold = DerivedHold(
            expected_wh=settings.hold_expected_wh,
            floor_minor=settings.hold_floor_minor,
            cap_minor=settings.hold_cap_minor,
            plastic_minor=settings.hold_plastic_minor,
            least_minor=settings.hold_least_minor,
        )
    return places.Terms(
        hold=hold,
        choices_minor=settings.hold_choices(),
        step_minor=settings.hold_step_minor,
        most_minor=settings.hold_most_minor,
        limits=Limits(
            authorise_ms=round(2 * settings.terminal_timeout_s * 1000),
            plug_in_ms=round(settings.plug_in_s * 1000),
            start_ms=round(settings.start_s * 1000),
            stop_ms=round(settings.stop_s * 1000),
            reading_ms=round(settings.reading_s * 1000),
            hold_ms=settings.hold_days * places.DAY_MS,
        ),
    )


def _host_addresses(settings: Settings) -> dict[str, str]:
    """The HTTP sides of the hosts; one on a port that only it knows cannot be asked."""
    ports = {host: getattr(settings, f"{host}_http_port") for host in HOSTS}
    return {host: f"http://{settings.host}:{port}" for host, port in ports.items() if port}


class Platform:
    """The platform's parts, joined."""

    def __init__(self, runtime: Runtime, database: Database) -> None:
        self.runtime = runtime
        self.database = database
        settings = runtime.settings
        self.public_url = settings.public_url
        terms = terms_of(settings)
        self.traces = recorder(runtime, database, TRACES, owner=owner)
        wires = PlatformWires(self.traces, now_ms=now_ms)
        self.edge_traces = EdgeTraces(database, rows=settings.trace_rows)
        self.edge_server = EdgeServer(
            handler=self._from_edge,
            on_closed=self._edge_gone,
            witness=partial(wires.saw, Wire.UPLINK),
        )
        self.station_server = StationServer(
            handler=self._from_station,
            admit=self._admit,
            on_opened=self._came,
            on_closed=self._went,
            witness=partial(wires.saw, Wire.OCPP),
        )
        self.station_wire = StationWire(self.station_server, settings.ocpp_timeout_s)
        self.engine = Engine(
            database,
            SESSIONS,
            perform=Performers(
                database=database,
                edges=EdgeWire(self.edge_server, database, settings.edge_timeout_s),
                stations=self.station_wire,
                load=self._load,
                screen=self._remember_screen,
                now_ms=now_ms,
                receipt_link=self._receipt_link,
            ),
            now_ms=now_ms,
            inline=partial(record, chance=secrets.token_bytes),
        )
        self._edges: frozenset[str] = frozenset()
        self.watch = Watch(
            runtime,
            database,
            self.traces,
            connected=lambda: (len(self.station_server.connected), self.edge_server.connected),
            known_edges=lambda: self._edges,
        )
        common: dict[str, Any] = {
            "engine": self.engine,
            "terms": terms,
            "chance": secrets.token_bytes,
            "now_ms": now_ms,
        }
        self.terminals = Terminals(**common)
        self.stations = Stations(
            **common,
            open_admission=settings.ocpp_admission == "open",
            heartbeat_s=round(settings.ocpp_heartbeat_s),
        )

    async def start(self) -> None:
        """Recover what was open, then listen."""
        runtime, settings = self.runtime, self.runtime.settings
        await self.database.write(lambda tx: seed.sow(tx, seed.sandbox(), now_ms=now_ms()))
        await self.database.write(lambda tx: tx.run(places.ALL_GONE))
        self._edges = await self.database.read(edges)
        self.engine.subscribe(self.watch.tally.followed)
        self.engine.subscribe(say_step)
        await self.engine.start(settle_s=settings.settle_s)
        runtime.closing.push_async_callback(self.engine.stop)
        port = await self.station_server.start(host=settings.host, port=settings.ocpp_port)
        runtime.listening("ocpp", port)
        runtime.closing.push_async_callback(self.station_server.stop)
        port = await self.edge_server.start(host=settings.host, port=settings.edge_port)
        runtime.listening("edge", port)
        runtime.closing.push_async_callback(self.edge_server.stop)
        if runtime.serves_http:
            sender = WebhookSender(self.database, now_ms=now_ms, inside=is_loopback(settings.host))
            self.engine.subscribe(sender.wake)
            runtime.spawn(sender.run(), name="webhooks")
            await self._serve_console()

    async def _serve_console(self) -> None:
        settings = self.runtime.settings
        forecourt = ("Forecourt", f"http://{settings.host}:{settings.forecourt_port}/")
        console = build_app(
            database=self.database,
            engine=self.engine,
            operator_id=seed.SANDBOX_OPERATOR,
            now_ms=now_ms,
            chance=secrets.token_bytes,
            public_url=lambda: self.public_url,
            health=lambda: told(self.runtime, self.watch.parts(), self._present())[1],
            metrics=self._metrics,
            send=self.station_wire.send,
            hosts=HostTraces(_host_addresses(self.runtime.settings)),
            terms=terms_of(self.runtime.settings),
            four_eyes_minor=settings.four_eyes_minor,
            links=(forecourt,) if settings.forecourt_link else (),
        )
        host = settings.http_host or settings.host
        if not await console.look() and not is_loopback(host):
            raise UnableToStart(
                f"TAPWATT_HTTP_HOST is {host}, outside loopback, and there is no administrator yet: "
                "first let one in with tapwatt people add."
            )
        port = await serve_http(self.runtime, console, settings.http_port, host=host)
        self.public_url = settings.public_url or f"http://{settings.host}:{port}"
        self.runtime.closing.callback(console.close)

    async def _receipt_link(self, session_id: str) -> str | None:
        """Where a driver's phone finds the receipt; nowhere while no console is served."""
        state, url = await self._load(session_id), self.public_url
        if state is None or not url:
            return None
        owner = state.operator_id
        return await self.database.read(
            lambda tx: receipts.link_of(tx, operator_id=owner, session_id=session_id, public_url=url)
        )

    def _present(self) -> dict[str, object]:
        """Who is connected."""
        return {
            "stations": list(self.station_server.connected),
            "edges": list(self.edge_server.connected),
        }

    async def _metrics(self) -> str:
        return page(await self.watch.figures())

    async def _from_edge(self, edge_id: str, message: FromEdge) -> Accepted:
        if isinstance(message, Traced):
            return await self.edge_traces.told(edge_id, message)
        return await self.terminals.handle(edge_id, message)

    async def _from_station(self, received: ocpp.Received) -> ocpp.Answer:
        return await self.stations.handle(received)

    async def _admit(self, candidate: Candidate) -> Refusal | None:
        reason = await self.stations.admit(candidate.identity)
        return None if reason is None else Refusal(status=404, reason=reason)

    async def _came(self, station_id: str) -> None:
        await self.stations.seen(station_id, connected=True)
        self.runtime.spawn(self._ask_status(station_id), name=f"status of {station_id}")

    async def _ask_status(self, station_id: str) -> None:
        """What happened at its connectors while it was away is not in our rows: have them told again."""
        await asyncio.sleep(STATUS_AFTER_S)
        with contextlib.suppress(Unreachable, NoAnswer):
            await self.station_wire.trigger(station_id, commands.TriggerKind.STATUS)

    async def _went(self, station_id: str) -> None:
        await self.stations.seen(station_id, connected=False)

    async def _edge_gone(self, edge_id: str) -> None:
        await self.terminals.edge_gone(edge_id)

    async def _load(self, session_id: str) -> Session | None:
        return await self.engine.load(session_id)

    async def _remember_screen(self, terminal_id: str, lines: tuple[str, ...]) -> None:
        screen = msgspec.json.encode(lines).decode()
        await self.database.write(lambda tx: tx.run(places.SET_SCREEN, terminal=terminal_id, screen=screen))


async def start(runtime: Runtime) -> None:
    """Start the platform in a runtime."""
    database = await runtime.database(METADATA, migrations="tapwatt.platform.migrations")
    await Platform(runtime, database).start()


def main() -> int:
    """Run the platform until it is told to stop."""
    return run_program("platform", start)
