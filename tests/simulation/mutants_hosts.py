"""Money bugs of gateway, acquirer, scheme and issuer, and of the wire between them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.simulation.mutant import CUT, GIVEN_UP, HOSTS, LATE, SLOW, Mutant, without_effects

from tapwatt.engine import TryAgain
from tapwatt.hosts import forwarding
from tapwatt.hosts.issuer import decide as issuer
from tapwatt.hosts.issuer import tables as issuer_tables
from tapwatt.hosts.relaying import RelayHost
from tapwatt.rails import relay
from tapwatt.rails import relay_states as states
from tapwatt.rails.forward import Done, next_step
from tapwatt.rails.iso8583 import Message
from tapwatt.rails.messages import repeat
from tapwatt.rails.mux import Mux
from tapwatt.sim.world.faults import CALM

R, ISSUER = states.RelayStatus, issuer.Status


def _declines_silence(state: Any, event: Any) -> Any:
    declined = replace(state, status=R.DECLINED, response_code="91", reason="no answer")
    return relay.Outcome(state=declined)


def _silence_is_the_end(**asked: Any) -> Any:
    return Done(code="00") if asked["answer"] is None else next_step(**asked)


def new_trace(message: Message) -> Message:
    """The message again, under a trace number of its own."""
    again = repeat(message)
    fields = dict(again.fields)
    fields[11] = f"{(int(str(fields[11])) + 500_000) % 1_000_000:06d}"
    return replace(again, fields=fields)


async def _attempted_without_line(self: Any, *asked: Any) -> Any:
    try:
        return await _ATTEMPT(self, *asked)
    except TryAgain:
        return Done(code="00")


_ATTEMPT = forwarding.Forwarder._attempt


async def _restart_means_declined(host: Any, machine_id: str, repeated: bool) -> Any:
    if repeated:
        return states.NotSent(reason="restarted", at_ms=host._now_ms())
    return await _SEND(host, machine_id, repeated)


_SEND = RelayHost._send_request


def _takes_the_asked_amount(state: Any, event: Any) -> Any:
    return relay._approve(state, replace(event, amount_minor=state.identity.amount_minor))


def _a_cent_more(state: Any, event: Any) -> Any:
    done: Any = relay._complete(state, event)
    effects = tuple(replace(each, amount_minor=each.amount_minor + 1) for each in done.effects)
    return replace(done, effects=effects)


def _rounded_to_ten(state: Any, event: Any) -> Any:
    done = relay._complete(state, event)
    amount_minor = done.state.captured_minor // 10 * 10
    return replace(done, state=replace(done.state, captured_minor=amount_minor))


def _by_order(self: Mux, message: Message, *, now_ms: int) -> Any:
    fits = (key for key in self._pending if key[0] == message.mti)
    key = next(fits, None)
    return _RECEIVED(self, message, now_ms=now_ms) if key is None else self._pending.pop(key).request


_RECEIVED = Mux.received


def _post_hold(tx: Any, authorisation_id: str, effect: Any) -> None:
    if isinstance(effect, issuer.Post):
        effect = replace(effect, amount_minor=issuer_tables.held_minor(tx, authorisation_id))
    _MOVE(tx, authorisation_id, effect)


def _post_without_paying(tx: Any, authorisation_id: str, effect: Any) -> None:
    _MOVE(tx, authorisation_id, effect)
    if isinstance(effect, issuer.Post):
        hold: Any = issuer_tables.hold_of(tx, authorisation_id)
        tx.run(issuer_tables._PAY, wanted=hold.account_id, amount_minor=-effect.amount_minor)


_MOVE = issuer_tables.move


def _post_again(state: Any, event: Any) -> Any:
    again = issuer.Post(amount_minor=event.identity.amount_minor, at_ms=event.at_ms)
    return replace(issuer._completed_again(state, event), effects=(again,))


def _close_any(tx: Any, authorisation_id: str, at_ms: int) -> str:
    tx.run(issuer_tables._CLOSE, wanted=authorisation_id, at_ms=at_ms)
    hold: Any = issuer_tables.hold_of(tx, authorisation_id)
    return str(hold.account_id)


def _let_through(state: Any, event: Any) -> Any:
    return relay._begin(None, event)


def _authorise_blocked(state: Any, event: Any) -> Any:
    return issuer._authorise(None, event)


def _reversal_of_nothing(state: Any, event: Any) -> Any:
    return relay.Outcome(state=replace(state, status=R.REVERSED), code="00")


ALL = (
    Mutant(
        name="a timeout read as a decline at a host",
        patches=((relay.TABLE, (R.RECEIVED, states.Silent), _declines_silence),),
        seed=4,
        visits=4,
        seen_by="no_hold_stays_open",
    ),
    Mutant(
        name="a late approval used by a host",
        patches=((relay.TABLE, (R.REVERSING, states.Approved), relay._approve),),
        seed=25,
        visits=5,
        rough=LATE,
        seen_by="no_hold_stays_open",
    ),
    Mutant(
        name="a reversal never sent on",
        patches=((relay.TABLE, (R.RECEIVED, states.Silent), without_effects(relay._reverse_unknown)),),
        seed=4,
        visits=4,
        seen_by="no_hold_stays_open",
    ),
    Mutant(
        name="a release that stays at the first host",
        patches=((relay.TABLE, (R.APPROVED, states.ReversalReceived), _reversal_of_nothing),),
        seed=1,
        visits=4,
        seen_by="no_hold_stays_open",
    ),
    Mutant(
        name="a reversal not repeated by a host",
        patches=((forwarding, "next_step", _silence_is_the_end),),
        seed=7,
        visits=4,
        seen_by="all_parties_agree",
    ),
    Mutant(
        name="no line taken for delivered",
        patches=((forwarding.Forwarder, "_attempt", _attempted_without_line),),
        seed=8,
        visits=4,
        seen_by="all_parties_agree",
    ),
    Mutant(
        name="a completion never sent on",
        patches=((relay.TABLE, (R.APPROVED, states.CompletionReceived), without_effects(relay._complete)),),
        seed=1,
        visits=3,
        rough=CALM,
        seen_by="all_parties_agree",
    ),
    Mutant(
        name="a new trace number on a host's repeat",
        patches=((forwarding, "repeat", new_trace),),
        seed=31,
        visits=4,
        seen_by="a_repeat_is_the_same_message",
    ),
    Mutant(
        name="a restart taken for never sent",
        patches=((RelayHost, "_send_request", _restart_means_declined),),
        seed=9,
        visits=4,
        rough=HOSTS,
        seen_by="no_hold_stays_open",
    ),
    Mutant(
        name="a partial approval taken for the whole by a host",
        patches=((relay.TABLE, (R.RECEIVED, states.Approved), _takes_the_asked_amount),),
        seed=3,
        visits=5,
        rough=CALM,
        seen_by="all_parties_saw_one_hold",
    ),
    Mutant(
        name="a cent more passed on",
        patches=((relay.TABLE, (R.APPROVED, states.CompletionReceived), _a_cent_more),),
        seed=1,
        visits=3,
        rough=CALM,
        seen_by="all_parties_agree",
    ),
    Mutant(
        name="an amount kept in tens",
        patches=((relay.TABLE, (R.APPROVED, states.CompletionReceived), _rounded_to_ten),),
        seed=1,
        visits=3,
        rough=CALM,
        seen_by="all_parties_agree",
    ),
    Mutant(
        name="answers matched by order",
        patches=((Mux, "received", _by_order),),
        seed=14,
        visits=6,
        rough=SLOW,
        seen_by="no_hold_stays_open",
    ),
    Mutant(
        name="an original let through after its reversal",
        patches=((relay.TABLE, (R.BLOCKED, states.Asked), _let_through),),
        seed=1,
        visits=6,
        rough=GIVEN_UP,
        seen_by="no_hold_stays_open",
    ),
    Mutant(
        name="an issuer that authorises after the reversal",
        patches=((issuer.TABLE, (ISSUER.BLOCKED, issuer.Asked), _authorise_blocked),),
        seed=1,
        visits=6,
        rough=GIVEN_UP,
        seen_by="no_hold_stays_open",
    ),
    Mutant(
        name="a reversal that leaves the hold",
        patches=(
            (issuer.TABLE, (ISSUER.APPROVED, issuer.ReversalReceived), without_effects(issuer._reverse)),
        ),
        seed=1,
        visits=4,
        seen_by="no_hold_stays_open",
    ),
    Mutant(
        name="the hold posted instead of the final amount",
        patches=((issuer_tables, "move", _post_hold),),
        seed=1,
        visits=3,
        rough=CALM,
        seen_by="all_parties_agree",
    ),
    Mutant(
        name="a posting that no account pays",
        patches=((issuer_tables, "move", _post_without_paying),),
        seed=1,
        visits=3,
        rough=CALM,
        seen_by="each_database_is_consistent",
    ),
    Mutant(
        name="a repeated completion posted again",
        patches=(
            (issuer.TABLE, (ISSUER.COMPLETED, issuer.CompletionReceived), _post_again),
            (issuer_tables, "_close", _close_any),
        ),
        seed=2,
        visits=5,
        rough=CUT,
        seen_by="each_hold_ends_once",
    ),
)
