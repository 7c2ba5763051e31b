"""Asks each party, at its own port, what it has in its books for a visit. Nobody is waited for long."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import httpx

from tapwatt.settings import Settings, shown_token
from tapwatt.sim.forecourt.facts import Json, Stated, Stay, Told

WITHIN_S: Final = 2.0
SESSIONS: Final = 20
EARLIER_MS: Final = 1_500
"""A session of a visit may be opened a little before the visit was noted."""
HOSTS: Final = ("issuer", "scheme", "acquirer", "gateway")
AMOUNTS: Final = ("authorised_minor", "captured_minor", "released_minor")


class Parties:
    """The HTTP sides of platform, hosts and cables."""

    def __init__(self, settings: Settings, client: httpx.AsyncClient) -> None:
        self._client = client
        ports = {
            "platform": settings.http_port,
            "cables": settings.cables_port,
            **{name: getattr(settings, f"{name}_http_port") for name in HOSTS},
        }
        self._urls = {name: f"http://{settings.host}:{port}" for name, port in ports.items()}
        self._headers = {"platform": shown_token()}

    async def get(self, party: str, path: str, **query: str) -> Any:
        """One JSON answer; None when there is none."""
        try:
            url, headers = self._urls[party] + path, self._headers.get(party)
            answer = await self._client.get(url, params=query, headers=headers, timeout=WITHIN_S)
            return answer.json() if answer.is_success else None
        except (httpx.HTTPError, ValueError):
            return None

    async def post(self, party: str, path: str, order: Json) -> bool:
        """An order to a sandbox switch; whether it was taken."""
        try:
            answer = await self._client.post(self._urls[party] + path, json=order, timeout=WITHIN_S)
            return answer.is_success
        except httpx.HTTPError:
            return False

    async def told(self, stay: Stay | None, *, station_id: str, reversing: bool) -> Told:
        """What everybody says of a visit."""
        listed = await self.get("platform", "/api/v1/sessions", limit=str(SESSIONS))
        if listed is None:
            return Told(sessions=None)
        sessions = tuple(listed["sessions"])
        known = None if stay is None else session_of(stay, sessions, station_id=station_id)
        if known is None:
            return Told(sessions=sessions)
        page = await self.get("platform", f"/api/v1/sessions/{known['session_id']}")
        parties: dict[str, Stated | None] = {
            "ledger": None if page is None else _stated([page["ledger"]]),
            "session": _stated([known]),
        }
        if known["leader"] != "account" and known["payment_state"] is not None:
            parties |= await self._hosts(str(known["reference"]))
        return Told(sessions=sessions, session=known, parties=parties, reversing=reversing)

    async def _hosts(self, reference: str) -> Mapping[str, Stated | None]:
        rows = await asyncio.gather(
            *(self.get(host, "/api/v1/transactions", reference=reference) for host in HOSTS)
        )
        return {
            host: None if found is None else _stated(found) for host, found in zip(HOSTS, rows, strict=True)
        }


def session_of(stay: Stay, sessions: tuple[Json, ...], *, station_id: str) -> Json | None:
    """The newest session at the visit's connector since it began; sessions come newest first."""
    for session in sessions:
        if (session["station_id"], session["evse_id"]) != (station_id, stay.evse_id):
            continue
        return session if session["opened_ms"] >= stay.since_ms - EARLIER_MS else None
    return None


def _stated(rows: list[Json]) -> Stated:
    sums = {name: sum(int(row[name]) for row in rows) for name in AMOUNTS}
    return Stated(**sums)
