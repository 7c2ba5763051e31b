"""A whole site of real programs for the journeys: started as the demo starts it, driven by hand, killed at
will."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tapwatt.cli.demo.agreement import AMOUNTS, Visit
from tapwatt.cli.demo.command import environment_of, start_programs, with_free_ports
from tapwatt.cli.demo.parties import Parties
from tapwatt.cli.demo.supervisor import Supervisor
from tapwatt.cli.demo.wiring import wiring
from tapwatt.platform.places import CONNECTED
from tapwatt.settings import Settings

Json = dict[str, Any]
PATIENCE_S = 60.0
# Strictly nested as ever, and short: a test that waits for a time-out should not wait for 45 seconds.
TIMERS = {
    "terminal_timeout_s": 9.0,
    "gateway_timeout_s": 7.0,
    "acquirer_timeout_s": 5.0,
    "scheme_timeout_s": 3.0,
    "start_s": 6.0,
    "settle_s": 10.0,
    "stop_s": 5.0,
    "plug_in_s": 8.0,
    "forward_first_retry_s": 0.3,
}


class World:
    """The site and its parties."""

    def __init__(self, settings: Settings, supervisor: Supervisor, client: httpx.AsyncClient) -> None:
        self.settings = settings
        self.supervisor = supervisor
        self.client = client
        self.parties = Parties(settings, client)

    async def order(self, **order: Any) -> Json:
        """Tell the simulated site what happens in it; True or a reason comes back."""
        url = f"http://{self.settings.host}:{self.settings.forecourt_port}/api/v1/control"
        response = await self.client.post(url, json=order, timeout=70.0)
        assert response.status_code == 200, response.text
        answer: Json = response.json()
        return answer

    async def issuer(self, path: str, **order: Any) -> None:
        """Tell the issuer's sandbox how to behave."""
        url = f"http://{self.settings.host}:{self.settings.issuer_http_port}{path}"
        response = await self.client.post(url, json=order)
        assert response.status_code == 200, response.text

    async def newest(self) -> Json:
        """The newest session, or an empty one."""
        sessions = await self.parties.sessions()
        return sessions[0] if sessions else {"state": "", "session_id": "", "payment_state": None}

    async def until(
        self, read: Callable[[], Awaitable[Any]], wanted: Callable[[Any], bool], what: str
    ) -> Any:
        """Look until it is so. Fails with what was seen last."""
        seen: Any = None
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    try:
                        seen = await read()
                        if wanted(seen):
                            return seen
                    except httpx.HTTPError as error:
                        seen = error
                    await asyncio.sleep(0.03)
        except TimeoutError:
            raise AssertionError(f"never {what}; last seen: {seen}") from None

    async def session(self, *states: str, after: str = "") -> Json:
        """The newest session in one of these states; `after` is an older session's name."""

        def wanted(session: Json) -> bool:
            return session["state"] in states and session["session_id"] != after

        found: Json = await self.until(self.newest, wanted, f"a session {' or '.join(states)}")
        return found

    async def ended(self, session_id: str) -> Json:
        """This session at its end, whatever came after it: a site that is started again tells of the car that
        is still there, and is offered another."""
        page: Json = await self.until(
            lambda: self.parties.session(session_id),
            lambda session: session["state"] in ("closed", "failed"),
            f"an end of {session_id}",
        )
        return page

    async def ready_to_read(self) -> None:
        """Wait until the terminal waits for a card."""

        async def terminal() -> Json:
            state: Json = await self.parties.get("site", "/api/v1/state")
            return state

        await self.until(terminal, lambda state: bool(state["terminal"]["reading"]), "reading cards")

    async def plug(self, **car: int) -> Json:
        """A car is plugged in at connector 1, and a session is offered there. The last car has left for good:
        the platform has heard so, whatever was down meanwhile."""
        await self.until(self.taken, lambda taken: 1 not in taken, "connector 1 free")
        before = await self.newest()
        assert (await self.order(do="plug", evse_id=1, **car))["done"]
        return await self.session("offered", after=before["session_id"])

    async def taken(self) -> set[int]:
        """The connectors at which the platform knows a car."""
        board = await self.parties.get("platform", "/api/v1/board")
        connectors = (each for station in board["stations"] for each in station["connectors"])
        return {each["evse_id"] for each in connectors if each["status"] in CONNECTED}

    async def tap(self, card: str) -> None:
        """A card is held to the terminal until something happens; a driver tries again."""
        for _ in range(4):
            await self.ready_to_read()
            assert (await self.order(do="tap", card=card, within_s=20))["done"]
            for _ in range(80):
                if (await self.newest())["state"] != "offered":
                    return
                await asyncio.sleep(0.05)
        raise AssertionError(f"nobody took the card {card}")

    async def power(self, least_wh: int) -> Json:
        """Wait until this much has been delivered."""
        flowing: Json = await self.until(
            self.newest, lambda session: session["energy_wh"] >= least_wh, f"{least_wh} Wh delivered"
        )
        return flowing

    async def unplug(self) -> None:
        """The driver takes the plug and leaves."""
        await self.order(do="unplug", evse_id=1)

    async def books(self, session_id: str) -> Visit:
        """What every party states about a session."""
        page = await self.parties.session(session_id)
        told = {
            "references": [page["reference"]],
            "transaction_ids": [],
            "station_id": page["station_id"],
            "evse_id": page["evse_id"],
            "outcome": page["state"],
            "started_ms": None,
            "ended_ms": None,
        }
        return await self.parties.visit(told, await self.parties.sessions())

    async def all_agree(self, session_id: str) -> tuple[int, int, int]:
        """Wait until every party states the same and no hold is open; returns authorised, captured,
        released."""

        async def look() -> tuple[Visit, int]:
            return await self.books(session_id), max((await self.parties.open_holds()).values())

        visit, _ = await self.until(
            look, lambda seen: seen[0].agree and seen[1] == 0, "agreed by all parties"
        )
        own = visit.parties["session"]
        assert own is not None
        authorised, captured, released = (own[amount] for amount in AMOUNTS)
        return authorised, captured, released

    def kill(self, name: str) -> None:
        """SIGKILL one program; the supervisor starts it again."""
        os.kill(self.supervisor.pids()[name], signal.SIGKILL)

    async def timeline(self, session_id: str) -> list[str]:
        """The names of a session's events, in order."""
        page = await self.parties.session(session_id)
        return [event["kind"] for event in page["events"]]


@asynccontextmanager
async def world(data: Path, **settings: object) -> AsyncIterator[World]:
    """Start all programs on free ports; no visits come by themselves."""
    async with _world(data, settings, cabled=False) as running:
        yield running


@asynccontextmanager
async def cabled_world(data: Path, **settings: object) -> AsyncIterator[World]:
    """As the demo starts them, with a cable in every line."""
    async with _world(data, settings, cabled=True) as running:
        yield running


@asynccontextmanager
async def _world(data: Path, settings: dict[str, object], *, cabled: bool) -> AsyncIterator[World]:
    ports = {name: 0 for name in Settings.model_fields if name.endswith("_port")}
    chosen = with_free_ports(Settings.read(data=data, **{**ports, **TIMERS, **settings}))
    said: list[str] = []
    supervisor = Supervisor(environment=environment_of(chosen), data=data, say=said.append)
    try:
        cables = wiring(chosen) if cabled else None
        await start_programs(supervisor, cables)
        around = {} if cables is None else cables.around("site")
        await supervisor.start("site", "sim", "site", "--visits", "0", around=around)
        async with httpx.AsyncClient(timeout=10.0) as client:
            yield World(chosen, supervisor, client)
    finally:
        await supervisor.stop()
