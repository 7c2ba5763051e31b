"""Money bugs with names, each put in the place of a shipped row or function while a world runs.

A mutant says what it breaks and in which world (seed, visits) an invariant sees it. The same worlds pass
without it (test_mutants). Nothing in src/ knows these names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from tapwatt.core import energy as core_energy
from tapwatt.core import events as core_events
from tapwatt.core import (
    payment,
    payment_steps,
    session,
    session_books,
    session_ends,
    session_moves,
    session_steps,
)
from tapwatt.core.effects import Capture, Post, Release
from tapwatt.core.payment import PaymentState
from tapwatt.core.session import SessionState
from tapwatt.edge import decide as edge
from tapwatt.edge import journal as edge_journal
from tapwatt.edge import rows as edge_rows
from tapwatt.edge.money import Money
from tapwatt.edge.operation import Silent as EdgeSilent
from tapwatt.edge.operation import State as EdgeState
from tapwatt.engine.loop import Engine
from tapwatt.hosts import forwarding
from tapwatt.hosts.issuer import decide as issuer
from tapwatt.hosts.issuer import tables as issuer_tables
from tapwatt.hosts.relaying import RelayHost
from tapwatt.platform import accounts, sessions
from tapwatt.rails import relay
from tapwatt.rails import relay_states as states
from tapwatt.rails.forward import Done, next_step
from tapwatt.rails.messages import repeat
from tapwatt.sim import books as terminal_books

Patch = tuple[Any, Any, Any]
"""Owner, name or key, and what stands there instead."""
P, S, R = PaymentState, SessionState, states.RelayStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A money bug: its name, where it is put, and the world that shows it; seed 0: none is known yet."""

    name: str
    patches: Callable[[], list[Patch]]
    seed: int = 0
    visits: int = 12


@contextmanager
def bred(mutant: Mutant) -> Iterator[None]:
    """The bug stands in the shipped code until the block ends."""
    with ExitStack() as undo:
        for owner, name, instead in mutant.patches():
            if isinstance(owner, dict):
                undo.callback(owner.__setitem__, name, owner[name])
                owner[name] = instead
            else:
                undo.callback(setattr, owner, name, getattr(owner, name))
                setattr(owner, name, instead)
        yield


# --- the platform's payment and session


def _capture_hold(paid: Any, event: Any) -> Any:
    amount = paid.authorised_minor
    return payment_steps.ask_for(Capture, replace(paid, capture_minor=amount), P.CAPTURING, amount)


def _use_asked_amount(paid: Any, event: Any) -> Any:
    after, effects = payment_steps.approved(paid, event)
    return replace(after, authorised_minor=paid.asked_minor), effects


def _release_after_capture(paid: Any, event: Any) -> Any:
    after, _ = payment_steps.captured(paid, event)
    return payment_steps.ask_for(Release, after, P.REVERSING, after.authorised_minor)


def _twice_rounded(charged: Any) -> Any:
    bill = _BILLED(charged)
    tax = int(bill.net_minor * bill.taxes[0].rate_percent / 100) + 1
    return replace(bill, tax_minor=tax, gross_minor=bill.net_minor + tax)


_BILLED = session_moves.billed


def _receipt_of_hold(charged: Any) -> Any:
    receipt = _RECEIPT(charged)
    return None if receipt is None else replace(receipt, captured_minor=receipt.hold_minor)


_RECEIPT = session_books.driver_receipt


def _no_last_reading(charged: Any, event: Any) -> Any:
    if isinstance(event, core_events.Stopped):
        return charged
    return _READING(charged, event)


_READING = session_moves.take_reading


def _booked_without_rest(before: Any, after: Any) -> Any:
    kept = replace(after.payment, released_minor=0) if after.payment else None
    booked, effects = _BOOK(before, replace(after, payment=kept))
    return replace(booked, payment=after.payment), effects


_BOOK = session_books.book


def _posted_twice(tx: Any, step: Any, **given: Any) -> Any:
    written = _RECORD(tx, step, **given)
    for effect in step.effects:
        if isinstance(effect, Post) and effect.posting.kind == "captured":
            sessions._post(tx, step, replace(effect, key=f"{effect.key}b"))
    return written


_RECORD = sessions.record


def _account_keeps_rest(tx: Any, operator_id: str, hold: Any, state: str, captured_minor: int) -> None:
    tx.run(
        accounts.END_HOLD,
        owner=operator_id,
        payment=hold.payment_id,
        state=state,
        captured_minor=captured_minor,
    )


# --- hosts


def _host_declines_silence(state: Any, event: Any) -> Any:
    declined = replace(state, status=R.DECLINED, response_code="91", reason="no answer")
    return relay.Outcome(state=declined)


def _without_effects(row: Any) -> Any:
    return lambda state, event: replace(row(state, event), effects=())


def _give_up_on_silence(**asked: Any) -> Any:
    return Done(code="00") if asked["answer"] is None else _NEXT(**asked)


_NEXT = next_step


def _new_trace(message: Any) -> Any:
    again = repeat(message)
    fields = dict(again.fields)
    fields[11] = f"{(int(str(fields[11])) + 500_000) % 1_000_000:06d}"
    return replace(again, fields=fields)


async def _restart_means_declined(host: Any, machine_id: str, repeated: bool) -> Any:
    if repeated:
        return states.NotSent(reason="restarted", at_ms=host._now_ms())
    return await _SEND(host, machine_id, repeated)


_SEND = RelayHost._send_request


def _post_hold(tx: Any, authorisation_id: str, effect: Any) -> None:
    if isinstance(effect, issuer.Post):
        held = issuer_tables.held_minor(tx, authorisation_id)
        effect = replace(effect, amount_minor=held)
    _MOVE(tx, authorisation_id, effect)


_MOVE = issuer_tables.move


# --- engine and edge


async def _done_before_performed(engine: Any, outgoing: Any) -> None:
    effect = engine.machine.effect(outgoing.kind, outgoing.body)
    await engine._database.write(lambda tx: engine._finish(tx, outgoing, None))
    try:
        answer = await engine._perform(outgoing.machine_id, effect, outgoing.repeated)
        if answer is not None:
            await engine.handle(outgoing.machine_id, answer)
    except Exception:
        return


def _effects_forgotten(tx: Any, *, tables: Any) -> list[Any]:
    return []


def _silence_is_done(operation: Any, event: Any) -> Any:
    return edge_rows._ends(operation, EdgeState.DONE, event.at_ms, amount_minor=operation.asked.amount_minor)


def _silence_is_declined(operation: Any, event: Any) -> Any:
    return edge_rows._ends(operation, EdgeState.DECLINED, event.at_ms, reason="no answer")


def _keeps_nothing(money: Any, operation: Any, told: Any, *, cures: bool) -> Any:
    async def keep(outcome: Any, final: bool) -> None:
        return

    return keep


def _same(state: Any, event: Any) -> Any:
    return state, ()


def _forgets(tx: Any, *, now_ms: int) -> int:
    return 0


def _cut_off_nothing(journal: Any, terminal_id: str, *, reason: str) -> Any:
    async def nothing() -> None:
        return

    return nothing()


ALL = (
    Mutant(
        name="a timeout read as a decline at a host",
        seed=5002,
        patches=lambda: [(relay.TABLE, (R.RECEIVED, states.Silent), _host_declines_silence)],
    ),
    Mutant(
        name="a late approval used by a host",
        seed=5001,
        patches=lambda: [(relay.TABLE, (R.REVERSING, states.Approved), relay._approve)],
    ),
    Mutant(
        name="a reversal never sent on",
        seed=5001,
        patches=lambda: [
            (relay.TABLE, (R.RECEIVED, states.Silent), _without_effects(relay._reverse_unknown))
        ],
    ),
    Mutant(
        name="an advice not repeated after silence",
        seed=5002,
        patches=lambda: [(forwarding, "next_step", _give_up_on_silence)],
    ),
    Mutant(
        name="a completion never sent on",
        seed=5001,
        patches=lambda: [
            (relay.TABLE, (R.APPROVED, states.CompletionReceived), _without_effects(relay._complete))
        ],
    ),
    Mutant(name="a new trace number on a repeat", patches=lambda: [(forwarding, "repeat", _new_trace)]),
    Mutant(
        name="a restart taken for never sent",
        patches=lambda: [(RelayHost, "_send_request", _restart_means_declined)],
    ),
    Mutant(
        name="a reversal that leaves the hold",
        seed=5001,
        patches=lambda: [
            (
                issuer.TABLE,
                (issuer.Status.APPROVED, issuer.ReversalReceived),
                _without_effects(issuer._reverse),
            )
        ],
    ),
    Mutant(
        name="the hold posted instead of the final amount",
        seed=5001,
        patches=lambda: [_everywhere_move()],
    ),
    Mutant(
        name="the hold captured instead of the bill",
        seed=5001,
        patches=lambda: [(payment.TABLE, (P.AUTHORISED, core_events.CaptureWanted), _capture_hold)],
    ),
    Mutant(
        name="a partial approval taken for the whole",
        patches=lambda: [(payment.TABLE, (P.AUTHORISING, core_events.Approved), _use_asked_amount)],
    ),
    Mutant(
        name="release after capture",
        seed=5001,
        patches=lambda: [(payment.TABLE, (P.CAPTURING, core_events.Captured), _release_after_capture)],
    ),
    Mutant(
        name="an approval used when nobody waits",
        patches=lambda: [
            (payment.TABLE, (P.AUTHORISING, core_events.GivenUp), payment_steps.same),
            (payment.TABLE, (P.UNKNOWN, core_events.GivenUp), payment_steps.same),
        ],
    ),
    Mutant(
        name="tax and net rounded apart",
        patches=lambda: [(session_moves, "billed", _twice_rounded)],
    ),
    Mutant(
        name="a receipt that shows the hold",
        seed=5001,
        patches=lambda: [(session_ends, "driver_receipt", _receipt_of_hold)],
    ),
    Mutant(
        name="the last reading left out of the bill",
        patches=lambda: [(session_moves, "take_reading", _no_last_reading)],
    ),
    Mutant(
        name="the rest of the hold not posted back",
        seed=5001,
        patches=lambda: [(session, "book", _booked_without_rest)],
    ),
    Mutant(name="a capture posted twice", patches=lambda: [_everywhere_record()]),
    Mutant(
        name="the energy of a late stop forgotten",
        patches=lambda: [
            (session.TABLE, (state, core_events.Stopped), session_steps.same) for state in session.ENDING
        ],
    ),
    Mutant(
        name="a late start ignored",
        patches=lambda: [
            (session.TABLE, (state, core_events.Started), session_steps.same) for state in session.ENDING
        ],
    ),
    Mutant(name="an account that keeps the rest", patches=lambda: [(accounts, "_end", _account_keeps_rest)]),
    Mutant(
        name="an effect marked done before it is performed",
        patches=lambda: [(Engine, "_attempt", _done_before_performed)],
    ),
    Mutant(
        name="an outbox forgotten by a restart",
        patches=lambda: [(_steps(), "undone", _effects_forgotten)],
    ),
    Mutant(
        name="a silent capture taken for done",
        patches=lambda: [(edge.TABLE, (edge.Family.FINISH, EdgeState.SENT, EdgeSilent), _silence_is_done)],
    ),
    Mutant(
        name="a silent hold taken for declined",
        patches=lambda: [(edge.TABLE, (edge.Family.HOLD, EdgeState.SENT, EdgeSilent), _silence_is_declined)],
    ),
    Mutant(
        name="keys acknowledged before they are durable", patches=lambda: [(Money, "_keeper", _keeps_nothing)]
    ),
    Mutant(
        name="an outcome that could not be stored forgotten",
        patches=lambda: [(edge_journal.Journal, "cut_off", _cut_off_nothing)],
    ),
    Mutant(
        name="a terminal that forgets what had no answer",
        patches=lambda: [(terminal_books, "recover", _forgets)],
    ),
    Mutant(
        name="a register that begins at zero",
        patches=lambda: [(session_moves, "begin", _begins_at_zero)],
    ),
)


def _begins_at_zero(register_wh: int, *, at_ms: int, doubt: str = "") -> Any:
    return core_energy.begin(max(register_wh - 100, 0), at_ms=at_ms, doubt=doubt)


def _steps() -> Any:
    from tapwatt.engine import steps

    return steps


def _everywhere_move() -> Patch:
    from tapwatt.hosts.issuer import desk

    return (desk, "move", _post_hold) if hasattr(desk, "move") else (issuer_tables, "move", _post_hold)


def _everywhere_record() -> Patch:
    from tapwatt.programs import platform

    return (platform, "record", _posted_twice)
