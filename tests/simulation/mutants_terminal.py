"""Money bugs of the payment terminal: they show what the other parties' books make of a bad device."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.simulation.mutant import CUT, LATE, SITE, Mutant
from tests.simulation.mutants_hosts import new_trace

from tapwatt.edge import decide as edge
from tapwatt.edge.operation import Silent, State
from tapwatt.rails.forward import Done, next_step
from tapwatt.sim import books, forwarder
from tapwatt.sim.terminal_money import TerminalMoney
from tapwatt.sim.world.faults import CALM


def _forgets(tx: Any, *, now_ms: int) -> int:
    return 0


def _declined_by_silence(tx: Any, payment_id: int, *, now_ms: int) -> None:
    books.ended(tx, payment_id, books.PaymentState.DECLINED, code="91", now_ms=now_ms)


def _silence_is_the_end(**asked: Any) -> Any:
    return Done(code="00") if asked["answer"] is None else next_step(**asked)


def _takes_a_cent_more(tx: Any, payment: Any, *, amount_minor: int, now_ms: int) -> str:
    return str(_CAPTURE(tx, payment, amount_minor=payment.authorised_minor + 1, now_ms=now_ms))


_CAPTURE = books.capture


def _takes_the_rest(dialogue_capture: Any) -> Any:
    async def capture(money: Any, dialogue: Any) -> None:
        await money._capture(dialogue, lambda hold_minor: dialogue.message.number("amount_minor"))

    return capture


def _knows_no_repeat(self: Any, payment: Any, asked: Any) -> int | None:
    return None if payment is not None else _UNFIT(self, payment, asked)


_UNFIT = TerminalMoney._unfit


def _again_blindly(operation: Any, event: Any) -> Any:
    return replace(operation, state=State.QUEUED, at_ms=event.at_ms), ()


def _keeps_no_approval(tx: Any, payment_id: int, **asked: Any) -> None:
    _APPROVED(tx, payment_id, **{**asked, "amount_minor": books._payment(tx, payment_id).asked_minor})


_APPROVED = books.approved


ALL = (
    Mutant(
        name="a terminal that forgets what had no answer",
        patches=((books, "recover", _forgets),),
        seed=18,
        visits=4,
        seen_by="no_hold_stays_open",
    ),
    Mutant(
        name="a timeout read as a decline at the terminal",
        patches=((books, "silent", _declined_by_silence),),
        seed=29,
        visits=4,
        rough=LATE,
        seen_by="no_hold_stays_open",
    ),
    Mutant(
        name="a reversal not repeated by the terminal",
        patches=((forwarder, "next_step", _silence_is_the_end),),
        seed=4,
        visits=5,
        rough=CUT,
        seen_by="all_parties_agree",
    ),
    Mutant(
        name="a new trace number on the terminal's repeat",
        patches=((forwarder, "repeat", new_trace),),
        seed=1,
        visits=5,
        rough=CUT,
        seen_by="a_repeat_is_the_same_message",
    ),
    Mutant(
        name="a capture above the hold",
        patches=((books, "capture", _takes_a_cent_more),),
        seed=1,
        visits=3,
        rough=CALM,
        seen_by="all_parties_agree",
    ),
    Mutant(
        name="the rest of the hold taken and the bill given back",
        patches=((TerminalMoney, "capture", _takes_the_rest(None)),),
        seed=1,
        visits=3,
        rough=CALM,
        seen_by="all_parties_agree",
    ),
    Mutant(
        name="a repeated capture acted on twice",
        patches=(
            (edge.TABLE, (edge.Family.FINISH, State.SENT, Silent), _again_blindly),
            (TerminalMoney, "_unfit", _knows_no_repeat),
        ),
        seed=2,
        visits=4,
        rough=SITE,
        seen_by="a_repeat_is_the_same_message",
    ),
    Mutant(
        name="a partial approval taken for the whole by the terminal",
        patches=((books, "approved", _keeps_no_approval),),
        seed=3,
        visits=5,
        rough=CALM,
        seen_by="all_parties_agree",
    ),
)
