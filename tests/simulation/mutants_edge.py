"""Money bugs of the edge, and of the engine under it and under everybody."""

from __future__ import annotations

from typing import Any

from tests.simulation.mutant import DEVICE, FULL, SITE, Mutant

from tapwatt.edge import decide as edge
from tapwatt.edge import journal, rows
from tapwatt.edge.money import Money
from tapwatt.edge.operation import Listed, Silent, State
from tapwatt.engine import steps
from tapwatt.engine.loop import Engine

HOLD, FINISH = edge.Family.HOLD, edge.Family.FINISH


def _done(operation: Any, event: Any) -> Any:
    return rows._ends(operation, State.DONE, event.at_ms, amount_minor=operation.asked.amount_minor)


def _declined(operation: Any, event: Any) -> Any:
    return rows._ends(operation, State.DECLINED, event.at_ms, reason="no answer")


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
        seed=16,
        visits=4,
        rough=SITE,
        seen_by="all_parties_agree",
    ),
    Mutant(
        name="a capture found done taken for lost",
        patches=((edge.TABLE, (FINISH, State.UNKNOWN, Listed), _gone_means_lost),),
        seed=6,
        visits=4,
        rough=SITE,
        seen_by="all_parties_agree",
    ),
    Mutant(
        name="a capture found open taken for done",
        patches=((edge.TABLE, (FINISH, State.UNKNOWN, Listed), _open_means_done),),
        seed=22,
        visits=4,
        rough=SITE,
        seen_by="all_parties_agree",
    ),
    Mutant(
        name="keys acknowledged before they are durable",
        patches=((Money, "_keeper", _keeps_nothing),),
        seed=1,
        visits=4,
        rough=DEVICE,
        seen_by="what_was_acknowledged_is_kept",
    ),
    Mutant(
        name="an outcome that could not be stored forgotten",
        patches=((journal.Journal, "cut_off", _nothing),),
        seed=6,
        visits=4,
        rough=FULL,
        seen_by="each_hold_ends_once",
    ),
    Mutant(
        name="an effect marked done before it is performed",
        patches=((Engine, "_attempt", _done_before_performed),),
        seed=4,
        visits=4,
        seen_by="all_parties_agree",
    ),
    Mutant(
        name="an outbox forgotten by a restart",
        patches=((steps, "undone", _nothing_undone),),
        seed=8,
        visits=4,
        seen_by="all_parties_agree",
    ),
    Mutant(
        name="a silent hold forgotten",
        patches=(
            (edge.TABLE, (HOLD, State.SENT, Silent), _declined),
            (Money, "_release_stranger", _nothing),
        ),
        seed=1,
        visits=4,
        rough=DEVICE,
        seen_by="no_hold_stays_open",
    ),
)
