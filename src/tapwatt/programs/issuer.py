"""`tapwatt host issuer`: the cardholder's bank, and the sandbox's switch that makes it fall silent."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import partial
from typing import Any

from tapwatt.hosts.issuer import pages, tables
from tapwatt.hosts.issuer.desk import IssuerHost
from tapwatt.hosts.issuer.seed import seed
from tapwatt.hosts.issuer.silence import MOST_S, Silence
from tapwatt.programs.health import Part
from tapwatt.programs.http import BadQuery, json_app, serve_http
from tapwatt.programs.metrics import AnswerFigures, Family, Histogram, age_s, gauge, own_figures
from tapwatt.programs.runtime import Runtime, now_ms, run_program
from tapwatt.programs.switching import accept_only, cipher, listen, transactions_view
from tapwatt.programs.tracing import recorder, traces_view
from tapwatt.rails.sandbox import network
from tapwatt.settings import Settings
from tapwatt.store import Database
from tapwatt.traces import Recorder


async def start(runtime: Runtime, silence: Silence | None = None) -> None:
    """Start the issuer's parts. Only the scheme may sign on. `silence` is the switch, if somebody else has
    it."""
    settings, own_cipher = runtime.settings, cipher("issuer")
    silence = silence or Silence(now_ms)
    database = await runtime.database(tables.METADATA, migrations="tapwatt.hosts.issuer.migrations")
    await database.write(partial(seed, cipher=own_cipher))
    host = IssuerHost(database, cipher=own_cipher, silence=silence, chance=secrets.randbelow, now_ms=now_ms)
    await host.start()
    runtime.closing.push_async_callback(host.stop)
    scheme = network().institutions.scheme
    traces, answers = recorder(runtime, database, tables.TRACES), AnswerFigures()
    await listen(
        runtime,
        host.handle,
        settings.issuer_port,
        accept_sign_on=accept_only(scheme),
        traces=traces,
        partner="scheme",
        figures=answers,
    )
    await _serve_views(runtime, database, silence, traces, answers)


async def _serve_views(
    runtime: Runtime, database: Database, silence: Silence, traces: Recorder, answers: AnswerFigures
) -> None:
    async def summary(_query: Mapping[str, str]) -> object:
        return await database.read(pages.summary)

    async def cards(_query: Mapping[str, str]) -> object:
        return await database.read(pages.cards)

    async def be_silent(wish: dict[str, Any]) -> object:
        seconds, late = wish.get("seconds"), wish.get("late", False)
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float, type(None))):
            raise BadQuery("seconds is a number, or null to end the silence")
        if seconds is not None and not 0 < seconds <= MOST_S:
            raise BadQuery(f"seconds is more than 0 and at most {MOST_S}")
        if not isinstance(late, bool):
            raise BadQuery("late is true or false")
        silence.begin(seconds, late=late)
        return {"silent_ms": silence.left_ms, "late": late}

    async def figures() -> list[Family | Histogram]:
        number, since_ms = await database.read(tables.open_holds_since)
        return [
            *own_figures(runtime, traces),
            *answers.families(),
            gauge("open_holds", "Holds that are neither posted nor given back.", number),
            gauge("oldest_open_hold_seconds", "Age of the oldest of them.", age_s(since_ms)),
        ]

    def parts() -> list[Part]:
        left_ms = silence.left_ms
        reason = f"the sandbox keeps it silent for {left_ms} ms more" if left_ms else ""
        return [Part(name="answers", reason=reason)]

    app = json_app(
        runtime,
        health=lambda: {"silent_ms": silence.left_ms},
        parts=parts,
        figures=figures,
        views={
            "/api/v1/transactions": transactions_view(database, pages.transactions),
            "/api/v1/summary": summary,
            "/api/v1/cards": cards,
            "/api/v1/traces": traces_view(database, tables.TRACES),
        },
        actions={"/sandbox/silence": be_silent},
    )
    await serve_http(runtime, app, runtime.settings.issuer_http_port)


def main(settings: Settings | None = None) -> int:
    """Run in the foreground; the exit code for the shell."""
    return run_program("issuer", start, settings=settings)
