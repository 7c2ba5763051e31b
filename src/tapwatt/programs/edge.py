"""The edge: dials the platform and the site's terminals, and keeps its journal in one database."""

from __future__ import annotations

import asyncio
import secrets
from importlib.metadata import version

from tapwatt.edge import tables
from tapwatt.edge.agent import Agent
from tapwatt.edge.driver import Driver
from tapwatt.edge.journal import Journal
from tapwatt.edge.patience import Patience
from tapwatt.edge.tables import Site, TerminalPlace
from tapwatt.edge.teller import Teller
from tapwatt.programs.runtime import Runtime, UnableToStart, now_ms, run_program
from tapwatt.settings import Settings
from tapwatt.terminals.address import Address, TcpAddress, UnableToReadAddress, read_address
from tapwatt.terminals.profiles import Profile, UnableToLoadProfile, load_profile
from tapwatt.terminals.zvt.events import Timings
from tapwatt.terminals.zvt.link import EcrLink
from tapwatt.terminals.zvt.protocol import EcrSettings
from tapwatt.uplink.link import EdgeClient
from tapwatt.uplink.messages import Accepted, FromPlatform

CARD_MARGIN_S = 30.0
"""How much longer than its wait for the host a terminal may take: the driver has to find the card."""


async def start(runtime: Runtime) -> None:
    """Read who we are, begin to dial both ways, and take up what the last run left."""
    database = await runtime.database(tables.METADATA, migrations="tapwatt.edge.migrations")
    site = await database.write(lambda tx: tables.sow(tx, tables.sandbox()))
    profiles = {place.terminal_id: _profile(place) for place in site.terminals}
    settings = runtime.settings

    client = EdgeClient(
        url=f"ws://{settings.host}:{settings.port_to_dial('edge_port')}",
        edge_id=site.edge_id,
        handler=lambda message: handle(message),
        on_opened=lambda: greet(),
        backoff_max_s=5.0,
    )
    teller = Teller(client, timeout_s=settings.edge_timeout_s)
    journal = Journal(database, tell=teller.outcome, now_ms=now_ms)
    drivers = _drivers(site, settings, journal, teller)
    agent = Agent(
        site.edge_id,
        software=f"tapwatt {version('tapwatt')}",
        journal=journal,
        drivers=drivers,
        can=lambda terminal_id, operation: profiles[terminal_id].can(operation),
    )

    async def handle(message: FromPlatform) -> Accepted:
        return await agent.handle(message)

    async def greet() -> None:
        teller.news(agent.hello())

    runtime.closing.push_async_callback(client.stop)
    runtime.closing.push_async_callback(teller.stop)
    runtime.closing.push_async_callback(journal.stop)
    await journal.start()
    for driver in drivers.values():
        runtime.closing.push_async_callback(driver.stop)
        runtime.spawn(_watch(driver.start()), name=f"watch over terminal {driver.place.terminal_id}")
    await client.start()


def main() -> int:
    """Run the edge until it is told to stop; returns the exit code."""
    return run_program("edge", start)


async def _watch(loop: asyncio.Task[None]) -> None:
    """Let a failed loop stop the program, without being cut by its stop: the loop ends by itself."""
    await asyncio.wait({loop})
    if not loop.cancelled():
        loop.result()


def _drivers(site: Site, settings: Settings, journal: Journal, teller: Teller) -> dict[str, Driver]:
    patience = Patience(dialogue_s=settings.terminal_timeout_s + CARD_MARGIN_S)
    return {
        place.terminal_id: Driver(
            place,
            link=_link(place, settings, patience),
            journal=journal,
            teller=teller,
            now_ms=now_ms,
            chance=secrets.token_bytes,
            patience=patience,
        )
        for place in site.terminals
    }


def _link(place: TerminalPlace, settings: Settings, patience: Patience) -> EcrLink:
    return EcrLink(
        address=terminal_address(place, settings),
        settings=EcrSettings(currency=place.currency, password=place.password),
        timings=Timings(dialogue_ms=round(patience.dialogue_s * 4000)),
    )


def terminal_address(place: TerminalPlace, settings: Settings) -> Address:
    """Where a terminal is, by its row and the settings. Raises UnableToStart."""
    if not place.address:
        port = place.port if place.port is not None else settings.port_to_dial("terminal_port")
        return TcpAddress(host=place.host, port=port)
    try:
        return read_address(place.address)
    except UnableToReadAddress as problem:
        raise UnableToStart(f"terminal {place.terminal_id}: {problem}.") from problem


def _profile(place: TerminalPlace) -> Profile:
    try:
        profile = load_profile(place.profile)
    except UnableToLoadProfile as problem:
        raise UnableToStart(f"terminal {place.terminal_id}: {problem}.") from problem
    if profile.protocol != "zvt":
        raise UnableToStart(
            f"terminal {place.terminal_id} speaks {profile.protocol}, which no driver here does."
        )
    return profile
