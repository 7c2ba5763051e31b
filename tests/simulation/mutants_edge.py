"""Money bugs of the edge, and of the engine under it and under everybody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.simulation.mutant import Mutant

from tapwatt.edge import decide as edge
from tapwatt.edge import journal, rows
from tapwatt.edge.money import Money
from tapwatt.edge.operation import Asked, Listed, Silent, State
from tapwatt.engine import steps
from tapwatt.engine.loop import Engine

HOLD, FINISH = edge.Family.HOLD, edge.Family.FINISH


def _done(operation: Any, event: Any) -> Any:
    return rows._ends(operation, State.DONE, event.at_ms, amount_minor=operation.asked.amount_minor)


def _declined(operation: Any, event: Any) -> Any:
    return rows._ends(operation, State.DECLINED, event.at_ms, reason="no answer")


def _again_blindly(operation: Any, event: Any) -> Any:
    return replace(operation, state=State.QUEUED, at_ms=event.at_ms), ()


def _gone_means_lost(operation: Any, event: Any) -> Any:
    if event.receipt is None:
        return rows._ends(operation, State.NOT_FOUND, event.at_ms, amount_minor=0)
    return rows.finish_listed(operation, event)


def _open_means_done(operation: Any, event: Any) -> Any:
    return rows._ends(operation, State.DONE, event.at_ms, amount_minor=operation.asked.amount_minor)


def _keeps_nothing(money: Any, operation: Any, told: Any, *, cures: bool) -> Any:
    async def keep(outcome: Any, final: bool) -> None:
        return

    return keep


async def _nothing(*_arguments: Any, **_options: Any) -> None:
    return


async def _done_before_performed(engine: Any, outgoing: Any) -> None:
    effect = engine.machine.effect(outgoing.kind, outgoing.body)
    await engine._database.write(lambda tx: engine._finish(tx, outgoing, None))
    try:
        answer = await engine._perform(outgoing.machine_id, effect, outgoing.repeated)
        if answer is not None:
            await engine.handle(outgoing.machine_id, answer)
    except Exception:
        return


def _nothing_undone(tx: Any, *, tables: Any) -> list[Any]:
    return []


ALL = (
    Mutant(
        name="a silent capture taken for done",
        patches=((edge.TABLE, (FINISH, State.SENT, Silent), _done),),
    ),
    Mutant(
        name="a silent hold taken for declined",
        patches=((edge.TABLE, (HOLD, State.SENT, Silent), _declined),),
    ),
    Mutant(
        name="a hold asked for again blindly",
        patches=((edge.TABLE, (HOLD, State.SENT, Silent), _again_blindly),),
    ),
    Mutant(
        name="a capture found done taken for lost",
        patches=((edge.TABLE, (FINISH, State.UNKNOWN, Listed), _gone_means_lost),),
    ),
    Mutant(
        name="a capture found open taken for done",
        patches=((edge.TABLE, (FINISH, State.UNKNOWN, Listed), _open_means_done),),
    ),
    Mutant(
        name="a fence that lets a late authorisation in",
        patches=((edge.TABLE, (edge.Family.FENCE, State.FENCED, Asked), rows.begin_hold),),
    ),
    Mutant(
        name="keys acknowledged before they are durable",
        patches=((Money, "_keeper", _keeps_nothing),),
    ),
    Mutant(
        name="an outcome that could not be stored forgotten",
        patches=((journal.Journal, "cut_off", _nothing),),
    ),
    Mutant(
        name="a stranger's hold left alone",
        patches=((Money, "_release_stranger", _nothing),),
    ),
    Mutant(
        name="an effect marked done before it is performed",
        patches=((Engine, "_attempt", _done_before_performed),),
    ),
    Mutant(
        name="an outbox forgotten by a restart",
        patches=((steps, "undone", _nothing_undone),),
    ),
)
