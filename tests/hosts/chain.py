"""All four hosts in one event loop, on loopback, each with its own SQLite file; and a terminal that talks to
them."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx

from tapwatt.programs import acquirer, gateway, issuer, scheme
from tapwatt.programs.runtime import Runtime
from tapwatt.rails import messages
from tapwatt.rails.additional import HOLD_FLAGS
from tapwatt.rails.emv.tap import TapTerms, tap_chip_data
from tapwatt.rails.iso8583 import Message
from tapwatt.rails.link import HostClient
from tapwatt.rails.sandbox import card, chip_card, network
from tapwatt.settings import Program, Settings

STARTS: dict[Program, Callable[[Runtime], Awaitable[None]]] = {
    "issuer": issuer.start,
    "scheme": scheme.start,
    "acquirer": acquirer.start,
    "gateway": gateway.start,
}
TID = "52523535"
Json = dict[str, Any]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Chain:
    """Gateway, acquirer, scheme and issuer; each can be stopped and started again on its files."""

    def __init__(self, data: Path, **chosen: Any) -> None:
        quick = {
            "scheme_timeout_s": 0.4,
            "acquirer_timeout_s": 0.8,
            "gateway_timeout_s": 1.2,
            "terminal_timeout_s": 3.0,
            "forward_first_retry_s": 0.1,
            "forward_longest_retry_s": 0.2,
            **chosen,
        }
        ports: Json = {f"{name}{kind}_port": 0 for name in STARTS for kind in ("", "_http")}
        self.settings = Settings(data=data, **ports, **quick)
        self.running: dict[Program, Runtime] = {}
        self._http = httpx.AsyncClient()

    async def start(self, *names: Program) -> None:
        for name in names or tuple(STARTS):
            runtime = Runtime(name, self.settings)
            self.settings.data.mkdir(exist_ok=True)
            await STARTS[name](runtime)
            self.running[name] = runtime
            # The next start of it, and its client, find it at the same place.
            ports = {
                f"{name}_port": runtime.listeners["iso8583"][1],
                f"{name}_http_port": runtime.listeners["http"][1],
            }
            self.settings = self.settings.model_copy(update=ports)

    async def stop(self, *names: Program) -> None:
        for name in names or tuple(self.running):
            await self.running.pop(name).closing.aclose()

    async def close(self) -> None:
        await self.stop()
        await self._http.aclose()

    async def get(self, name: str, path: str, **query: object) -> Any:
        port = getattr(self.settings, f"{name}_http_port")
        answer = await self._http.get(
            f"http://127.0.0.1:{port}{path}", params={k: str(v) for k, v in query.items()}
        )
        answer.raise_for_status()
        return answer.json()

    async def post(self, name: str, path: str, body: object) -> httpx.Response:
        port = getattr(self.settings, f"{name}_http_port")
        return await self._http.post(f"http://127.0.0.1:{port}{path}", json=body)

    async def transaction(self, name: str, reference: str) -> Json:
        rows = await self.get(name, "/api/v1/transactions", reference=reference)
        assert len(rows) == 1, f"{name} has {len(rows)} life cycles for {reference}"
        row: Json = rows[0]
        return row

    async def money(self, reference: str) -> dict[str, tuple[str, int, int, int]]:
        """State, authorised, captured and released at each host."""
        told = {}
        for name in STARTS:
            row = await self.transaction(name, reference)
            told[str(name)] = (
                row["state"],
                row["authorised_minor"],
                row["captured_minor"],
                row["released_minor"],
            )
        return told

    async def settled(self, within_s: float = 8.0) -> None:
        """Until no host has a hold open or an advice waiting."""

        async def quiet() -> bool:
            sums = [await self.get(name, "/api/v1/summary") for name in self.running]
            return not any(told["open_holds"] or told["waiting"] for told in sums)

        await eventually(quiet, within_s=within_s)


async def eventually(holds: Callable[[], Awaitable[bool]], *, within_s: float = 8.0) -> None:
    """Wait for something that comes by itself."""
    async with asyncio.timeout(within_s):
        while not await holds():  # noqa: ASYNC110
            await asyncio.sleep(0.03)


class SimTerminal:
    """A terminal's host side: taps cards, builds 0100, 0220 and 0420, and remembers what it sent."""

    def __init__(self, settings: Settings, *, tid: str = TID) -> None:
        self.client = HostClient("127.0.0.1", settings.gateway_port)
        self.acceptor = network().acceptor(tid)
        self._numbers = itertools.count(1)
        self._counters: dict[str, int] = {}

    async def start(self) -> None:
        await self.client.start()
        await self.client.wait_connected(5)

    async def stop(self) -> None:
        await self.client.stop()

    def next_counter(self, name: str) -> int:
        if not card(name).counter_stuck or name not in self._counters:
            self._counters[name] = self._counters.get(name, 0) + 1
        return self._counters[name]

    def request(
        self,
        name: str = "visa-good",
        *,
        amount_minor: int = 5000,
        reference: str = "REF1",
        signed_minor: int | None = None,
        pan: str | None = None,
    ) -> Message:
        """0100 of a tap. `signed_minor` is what the card signs, if not the amount."""
        test_card, number = card(name), next(self._numbers)
        terms = TapTerms(
            amount_minor=amount_minor if signed_minor is None else signed_minor,
            currency="978",
            country="276",
            date="261122",
            unpredictable=number.to_bytes(4, "big"),
        )
        chip_data = tap_chip_data(chip_card(test_card), terms, counter=self.next_counter(name))
        rrn = f"632612{number:06d}"
        return messages.authorisation(
            card=messages.CardData(pan=pan or test_card.pan, expiry=test_card.expiry, chip_data=chip_data),
            acceptor=self.acceptor,
            amount_minor=amount_minor,
            currency="978",
            stan=f"{number:06d}",
            rrn=rrn,
            now_ms=now_ms(),
            life_cycle=f"{self.acceptor.terminal_id}-{rrn}",
            payment_reference=reference,
            additional=HOLD_FLAGS,
        )

    def completion(self, request: Message, amount_minor: int, **more: Any) -> Message:
        return messages.completion(
            request, amount_minor=amount_minor, stan=f"{next(self._numbers):06d}", now_ms=now_ms(), **more
        )

    def reversal(self, request: Message, **more: Any) -> Message:
        return messages.reversal(request, stan=f"{next(self._numbers):06d}", now_ms=now_ms(), **more)

    async def send(self, message: Message, *, timeout_s: float = 5.0) -> Message:
        return await self.client.request(message, timeout_s=timeout_s)

    async def code(self, message: Message) -> str:
        return (await self.send(message)).text(39)
