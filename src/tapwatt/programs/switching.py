"""How the three hosts that pass payments on are put together; each program says what is its own.

Also the small things all four hosts share: the observer of their lines, the cipher for card numbers, the JSON
views.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy import MetaData

from tapwatt.engine import MachineTables
from tapwatt.hosts.relaying import RelayHost
from tapwatt.hosts.traffic import MOST_SHOWN, USUALLY_SHOWN, RelayTraffic, TrafficFigures
from tapwatt.programs.health import Part
from tapwatt.programs.http import BadQuery, View, json_app, serve_http
from tapwatt.programs.metrics import (
    AnswerFigures,
    Family,
    Histogram,
    age_s,
    counter,
    gauge,
    gauges,
    own_figures,
)
from tapwatt.programs.runtime import Runtime, now_ms, unable_to_listen
from tapwatt.programs.tracing import observer, recorder, traces_view, witness
from tapwatt.rails.forward import RetryRules
from tapwatt.rails.iso8583 import Message
from tapwatt.rails.keys import PanCipher
from tapwatt.rails.link import HostClient, HostServer
from tapwatt.rails.partner import Handler, Partner
from tapwatt.rails.relay_messages import Hop, Verdict
from tapwatt.rails.responses import ResponseCode
from tapwatt.rails.sandbox import pan_keys
from tapwatt.store import Database, Transaction
from tapwatt.traces import Recorder, TraceTable

CONCURRENCY: Final = 1024
"""Requests in work on one line: a silent issuer must not stop the reversals behind its authorisations."""

log = structlog.get_logger("tapwatt.line")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRules:
    """A company's own checks, from its own tables."""

    machine_id: Callable[[Message], str]
    check: Callable[[Transaction, Message, Hop], Verdict]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """A next party: its name in the rules, its role on the rails and the port it listens on."""

    name: str
    role: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """What is one company's own about a host that passes payments on."""

    metadata: MetaData
    migrations: str
    tables: MachineTables
    traces: TraceTable
    seed: Callable[[Transaction], None]
    rules: OwnRules
    institution_id: str  # field 33 towards the next party
    downstream: str  # who asks here
    upstream: Upstream
    timeout_s: float
    port: int
    http_port: int
    accept_sign_on: Callable[[Message], str]


async def start_switch(runtime: Runtime, switch: Switch) -> RelayHost:
    """Start a host that passes payments on: database, line to the next party, engine, listeners."""
    database = await runtime.database(switch.metadata, migrations=switch.migrations)
    await database.write(switch.seed)
    traces, figures = recorder(runtime, database, switch.traces), AnswerFigures()
    client = HostClient(
        runtime.settings.host,
        switch.upstream.port,
        forwarder_id=switch.institution_id,
        observe=observer(traces, switch.upstream.role, LineLog(switch.upstream.name)),
        witness=witness(traces, switch.upstream.role),
    )
    host = RelayHost(
        database,
        switch.rules,
        forwarder_id=switch.institution_id,
        cipher=cipher(runtime.name),
        upstreams={switch.upstream.name: client},
        timeout_s=switch.timeout_s,
        now_ms=now_ms,
        retries=retry_rules(runtime),
    )
    await client.start()
    runtime.closing.push_async_callback(client.stop)
    await host.start()
    runtime.closing.push_async_callback(host.stop)
    await listen(
        runtime,
        host.handle,
        switch.port,
        accept_sign_on=switch.accept_sign_on,
        traces=traces,
        partner=switch.downstream,
        figures=figures,
    )
    await _serve_views(runtime, switch, database, client, traces, figures)
    return host


async def _serve_views(
    runtime: Runtime,
    switch: Switch,
    database: Database,
    client: HostClient,
    traces: Recorder,
    answers: AnswerFigures,
) -> None:
    traffic = RelayTraffic(switch.tables)

    async def summary(_query: Mapping[str, str]) -> object:
        return await database.read(lambda tx: traffic.summary(tx, unmatched=client.late_answers))

    async def figures() -> list[Family | Histogram]:
        books = await database.read(lambda tx: traffic.figures(tx, unmatched=client.late_answers))
        lines = {switch.upstream.role: int(client.connected)}
        return [
            *own_figures(runtime, traces),
            *answers.families(),
            *_book_families(books),
            gauges("line_up", "Whether the line to the next party is signed on.", "party", lines),
        ]

    def parts() -> list[Part]:
        away = "" if client.connected else f"no line to the {switch.upstream.role}"
        return [Part(name=f"line to {switch.upstream.role}", reason=away)]

    app = json_app(
        runtime,
        health=lambda: {"lines": {switch.upstream.name: client.connected}},
        parts=parts,
        figures=figures,
        views={
            "/api/v1/transactions": transactions_view(database, traffic.transactions),
            "/api/v1/summary": summary,
            "/api/v1/traces": traces_view(database, switch.traces),
        },
    )
    await serve_http(runtime, app, switch.http_port)


def _book_families(books: TrafficFigures) -> list[Family | Histogram]:
    """A relaying host's books as figures."""
    return [
        gauges("transactions", "Life cycles by where they stand.", "status", books.by_status),
        gauge("open_holds", "Holds that are neither captured nor given back.", books.open_holds),
        gauge("oldest_open_hold_seconds", "Age of the oldest of them.", age_s(books.oldest_open_ms)),
        gauge("store_and_forward_waiting", "Advices that wait for the next party.", books.waiting),
        gauge("store_and_forward_parked", "Advices that wait for a person.", books.parked),
        counter("unmatched_answers", "Answers that fitted no question.", {(): books.unmatched}),
    ]


async def listen(
    runtime: Runtime,
    handle: Handler,
    port: int,
    *,
    accept_sign_on: Callable[[Message], str],
    traces: Recorder,
    partner: str,
    figures: AnswerFigures,
) -> None:
    """Listen for partners until the program stops; UnableToStart when the port is taken."""
    server = HostServer(
        handle,
        host=runtime.settings.host,
        port=port,
        accept_sign_on=accept_sign_on,
        concurrency=CONCURRENCY,
        observe=observer(traces, partner, LineLog("partner")),
        witness=witness(traces, partner, figures),
    )
    try:
        await server.start()
    except OSError as error:
        purpose = f"{runtime.name}'s iso8583"
        raise unable_to_listen(runtime.settings.host, port, error, purpose=purpose) from error
    runtime.closing.push_async_callback(server.stop)
    runtime.listening("iso8583", server.port)


def transactions_view(database: Database, read: Callable[..., list[dict[str, Any]]]) -> View:
    """`GET /api/v1/transactions?reference=&limit=`: life cycles from the rows, newest first."""

    async def view(query: Mapping[str, str]) -> object:
        reference, limit = query.get("reference", ""), _limit(query)
        return await database.read(lambda tx: read(tx, reference=reference, limit=limit))

    return view


def _limit(query: Mapping[str, str]) -> int:
    text = query.get("limit", str(USUALLY_SHOWN))
    if not (text.isascii() and text.isdigit() and 1 <= len(text) <= 6 and 1 <= int(text) <= MOST_SHOWN):
        raise BadQuery(f"limit is a number from 1 to {MOST_SHOWN}")
    return int(text)


def cipher(program: str) -> PanCipher:
    """The program's own keys for card numbers at rest: the sandbox's, until there is a vault."""
    keys = pan_keys(program)
    return PanCipher(keys.aes, keys.hash, random=os.urandom)


def retry_rules(runtime: Runtime) -> RetryRules:
    """Store-and-forward as the settings have it."""
    return RetryRules(
        first_ms=round(runtime.settings.forward_first_retry_s * 1000),
        most_ms=round(runtime.settings.forward_longest_retry_s * 1000),
    )


def accept_only(*institution_ids: str) -> Callable[[Message], str]:
    """Let only these institutions (field 33) sign on."""
    known = frozenset(institution_ids)

    def accept(sign_on: Message) -> str:
        welcome = sign_on.get(33) in known
        return ResponseCode.APPROVED if welcome else ResponseCode.NOT_PERMITTED_TO_TERMINAL

    return accept


class LineLog:
    """Hears what happens on lines and logs what a person would want to know, each state once."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._down = False

    def __call__(self, happened: str, /, **details: object) -> None:
        """A rails HostObserver."""
        if happened == "dial_failed":
            if not self._down:
                log.info("nobody answers, dialling on", line=self._line)
            self._down = True
            return
        self._down = False
        partner = details.get("partner")
        said = {name: str(value) for name, value in details.items() if name != "partner"}
        if isinstance(partner, Partner):
            said |= {"address": partner.address, "partner": partner.forwarder_id}
        write = log.info if happened in ("signed_on", "down") else log.warning
        write(happened.replace("_", " "), line=self._line, **said)
