"""Asks each party, at its own port, what it has in its books."""

import asyncio
from typing import Any

import httpx

from tapwatt.cli.demo.agreement import AMOUNTS, PARTIES, Stated, Visit, total
from tapwatt.settings import TOKEN, Settings, shown_token

Json = dict[str, Any]
MISSING = dict.fromkeys(AMOUNTS, 0)
RAILS = ("gateway", "acquirer", "issuer")
REPORTED_OUTCOMES: dict[str, str] = {"captured": "charged", "reversed": "released", "declined": "declined"}


class NotLetIn(Exception):
    """People log in at the platform, and it does not know us."""


class Parties:
    """The programs' HTTP sides. Raises httpx.HTTPError when one does not answer, NotLetIn when the platform
    wants to know who asks."""

    def __init__(self, settings: Settings, client: httpx.AsyncClient) -> None:
        self._client = client
        self._base = {
            "platform": settings.http_port,
            "site": settings.forecourt_port,
            "gateway": settings.gateway_http_port,
            "acquirer": settings.acquirer_http_port,
            "issuer": settings.issuer_http_port,
        }
        self._host = settings.host
        self._headers = {"platform": shown_token()}

    async def get(self, party: str, path: str, **query: object) -> Any:
        """One JSON answer of a party."""
        url = f"http://{self._host}:{self._base[party]}{path}"
        params = {name: str(value) for name, value in query.items()}
        response = await self._client.get(url, params=params, headers=self._headers.get(party))
        if response.status_code in (401, 403):
            raise NotLetIn(
                f"people log in at this {party}: give {TOKEN} a token that may read (tapwatt token add demo "
                "--scope read), or begin with another --data or --from-scratch"
            )
        response.raise_for_status()
        return response.json()

    async def visits(self, run: str) -> Json:
        """The visits of a run, as the site's driver knows them."""
        answer: Json = await self.get("site", "/api/v1/visits", run=run)
        return answer

    async def sessions(self) -> list[Json]:
        """The platform's newest sessions."""
        answer: list[Json] = (await self.get("platform", "/api/v1/sessions", limit=200))["sessions"]
        return answer

    async def session(self, session_id: str) -> Json:
        """One session of the platform, with its events."""
        page: Json = await self.get("platform", f"/api/v1/sessions/{session_id}")
        return page

    async def open_holds(self) -> dict[str, int]:
        """How many holds each party still has open."""
        return {party: summary["open_holds"] for party, summary in (await self._summaries()).items()}

    async def unsettled(self) -> tuple[int, int]:
        """The most holds that a party has open, and how many messages about money are still under way."""
        summaries = (await self._summaries()).values()
        return max(each["open_holds"] for each in summaries), sum(
            each.get("waiting", 0) for each in summaries
        )

    async def _summaries(self) -> dict[str, Json]:
        parties = ("issuer", "acquirer", "gateway", "site", "platform")
        answers = await asyncio.gather(*(self.get(party, "/api/v1/summary") for party in parties))
        return dict(zip(parties, answers, strict=True))

    async def visit(self, told: Json, sessions: list[Json]) -> Visit:
        """One visit, each column from that party's own port."""
        session = _session_of(told, sessions)
        if session is None:
            return await self._without_session(told)
        page = await self.session(session["session_id"])
        parties: dict[str, Stated] = {
            "session": {amount: page[amount] for amount in AMOUNTS},
            "terminal": None,
            "platform_ledger": {amount: page["ledger"][amount] for amount in AMOUNTS},
            **dict.fromkeys(RAILS),
        }
        if page["leader"] in (None, "terminal"):
            parties |= _totals(await self._paid([page["reference"]]))
        return Visit(
            session=page["session_id"],
            outcome=REPORTED_OUTCOMES.get(page["payment_state"] or "", str(page["state"])),
            currency=page["currency"],
            parties=parties,
        )

    async def _without_session(self, told: Json) -> Visit:
        """A visit that the platform knows nothing of: whatever was paid in it, it has missed."""
        rows = await self._paid(told["references"])
        currency = next((row["currency"] for row in rows["terminal"]), "")
        missed = dict.fromkeys(("session", "platform_ledger"), MISSING)
        return Visit(
            session=None,
            outcome=told["outcome"] or "none",
            currency=currency,
            parties={**missed, **_totals(rows)} if currency else dict.fromkeys(PARTIES),
        )

    async def _paid(self, references: list[str]) -> dict[str, list[Json]]:
        """The rows of the terminal and of each party of the rails for these references."""
        asked = [
            (party, self.get(server, "/api/v1/transactions", reference=reference))
            for party, server in (("terminal", "site"), *((name, name) for name in RAILS))
            for reference in references
        ]
        answers = await asyncio.gather(*(question for _, question in asked))
        rows: dict[str, list[Json]] = {"terminal": [], **{name: [] for name in RAILS}}
        for (party, _), answer in zip(asked, answers, strict=True):
            rows[party] += answer
        return rows


def _totals(rows: dict[str, list[Json]]) -> dict[str, Stated]:
    return {party: total(found) for party, found in rows.items()}


def _session_of(told: Json, sessions: list[Json]) -> Json | None:
    """The platform's session of a visit: by payment reference, else by the station's transaction."""
    for session in sessions:
        if session["reference"] in told["references"]:
            return session
    for session in sessions:
        at = (session["station_id"], session["transaction_id"])
        if session["transaction_id"] and at in {
            (told["station_id"], str(n)) for n in told["transaction_ids"]
        }:
            return session
    for session in sessions:
        # Declined before a reference reached the terminal: the session opened at that connector in that time.
        if (session["station_id"], session["evse_id"]) != (told["station_id"], told["evse_id"]):
            continue
        if told["started_ms"] and told["started_ms"] - 2_000 <= session["opened_ms"] <= (
            told["ended_ms"] or 0
        ):
            return session
    return None
