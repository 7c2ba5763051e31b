"""Money bugs of the accounts behind tags: no terminal, no rails, only the platform's own balances."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, update
from tests.simulation.mutant import Mutant

from tapwatt.core.events import Captured
from tapwatt.platform import accounts
from tapwatt.platform.tables import ACCOUNT
from tapwatt.sim.world.faults import CALM


def _end(change: Any) -> Any:
    """An end of a hold after which the balance changes by this much of (held, captured)."""

    def end(tx: Any, operator_id: str, hold: Any, state: str, captured_minor: int) -> None:
        ended = {"owner": operator_id, "payment": hold.payment_id, "state": state}
        tx.run(accounts.END_HOLD, captured_minor=captured_minor, **ended)
        back_minor = change(hold.held_minor, captured_minor)
        tx.run(accounts.CHANGE_BALANCE, owner=operator_id, account=hold.account_id, change_minor=back_minor)

    return end


def _captures_the_hold(tx: Any, operator_id: str, effect: Any, hold: Any, now_ms: int) -> Any:
    accounts._end(tx, operator_id, hold, accounts.CAPTURED, hold.held_minor)
    return Captured(at_ms=now_ms, key=effect.key, amount_minor=effect.amount_minor)


_EVERYBODYS_BALANCE = (
    update(ACCOUNT)
    .where(ACCOUNT.c.account_id == bindparam("account"), bindparam("owner", "") != "")
    .values(balance_minor=ACCOUNT.c.balance_minor + bindparam("change_minor"))
)

ALL = (
    Mutant(
        name="an account that keeps the rest",
        patches=((accounts, "_end", _end(lambda held, captured: 0)),),
        seed=7,
        visits=5,
        rough=CALM,
        seen_by="each_database_is_consistent",
    ),
    Mutant(
        name="an account that gives everything back",
        patches=((accounts, "_end", _end(lambda held, captured: held)),),
        seed=7,
        visits=5,
        rough=CALM,
        seen_by="each_database_is_consistent",
    ),
    Mutant(
        name="an account charged the hold",
        patches=((accounts, "_capture", _captures_the_hold),),
        seed=7,
        visits=5,
        rough=CALM,
        seen_by="all_parties_agree",
    ),
    Mutant(
        name="one operator's balance moved with another's",
        patches=((accounts, "CHANGE_BALANCE", _EVERYBODYS_BALANCE),),
        seed=7,
        visits=5,
        rough=CALM,
        seen_by="each_database_is_consistent",
    ),
)
