"""Short names for the events of the pure floor, with the values that most tests share.

One tariff (0.49 EUR/kWh + 19 % tax), one hold (25.00 EUR, at least 5.00 EUR), one station of 350 kW. Times
are seconds here and epoch milliseconds in the events; a station's registers begin at 1000 Wh.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

from tapwatt.core import events as e
from tapwatt.core.effects import Effect
from tapwatt.core.hold import HoldPolicy
from tapwatt.core.payment import Payment
from tapwatt.core.session import Session, decide
from tapwatt.core.tariff import kwh_tariff

TARIFF = kwh_tariff("T1", currency="EUR", kwh_price=Decimal("0.49"), tax_rate_percent=Decimal(19))
HOLD = HoldPolicy(amount_minor=2500, least_minor=500)
SESSION = "S1"
FIRST, SECOND, THIRD, FOURTH = "S1.p1", "S1.p2", "S1.p3", "S1.p4"
"""Keys of the money operations of a session, in order."""
READINGS = (e.Started, e.Metered, e.Stopped)
KEYS_OF_HOLD: dict[str, Any] = {"receipt": "0001", "trace": "000001", "tid": "T0000001"}


def ms(seconds: float) -> int:
    """Seconds of a story as the milliseconds of its events."""
    return round(seconds * 1000)


def offered(*, at: float = 0, plugged: bool = True, **changes: Any) -> e.Offered:
    """A driver stands at connector 1 of station CS1 with terminal T1."""
    values: dict[str, Any] = {
        "session_id": SESSION,
        "operator_id": "op",
        "station_id": "CS1",
        "evse_id": 1,
        "terminal_id": "T1",
        "id_token": "TW-1",
        "reference": "R1",
        "tariff": TARIFF,
        "hold": HOLD,
        "limits": e.Limits(),
        "max_power_w": 350_000,
        "plugged": plugged,
    }
    return e.Offered(at_ms=ms(at), **(values | changes))


def approved(*, at: float = 2, key: str = FIRST, amount: int = 2500) -> e.Approved:
    """The hold is confirmed."""
    return e.Approved(at_ms=ms(at), key=key, amount_minor=amount, approval_code="A1", **KEYS_OF_HOLD)


def found_open(*, at: float = 40, key: str = FIRST, amount: int | None = 2500) -> e.FoundOpen:
    """The silent party has an open hold after all."""
    return e.FoundOpen(at_ms=ms(at), key=key, amount_minor=amount, **KEYS_OF_HOLD)


def outcome(kind: type, *, at: float, key: str, **values: Any) -> Any:
    """Any other answer to a money effect."""
    return kind(at_ms=ms(at), key=key, **values)


def happened(kind: type, *, at: float, **values: Any) -> Any:
    """Anything else that happens; a reading is taken when it is heard of, unless `read_ms` says otherwise."""
    if kind in READINGS:
        values.setdefault("read_ms", ms(at))
    return kind(at_ms=ms(at), **values)


silent = partial(outcome, e.Silent, at=32, key=FIRST, text="no answer")
declined = partial(outcome, e.Declined, at=2, key=FIRST, code="05", text="do not honour")
aborted = partial(outcome, e.Aborted, at=2, key=FIRST, text="aborted at the terminal")
not_sent = partial(outcome, e.NotSent, at=2, key=FIRST, text="terminal unreachable")
found_none = partial(outcome, e.FoundNone, at=40, key=FIRST)
cannot_ask = partial(outcome, e.CannotAsk, at=40, key=FIRST, text="the terminal keeps no list")
captured = partial(outcome, e.Captured, at=125, key=SECOND, amount_minor=487)
already_captured = partial(outcome, e.AlreadyCaptured, at=160, key=SECOND, amount_minor=487)
capture_refused = partial(outcome, e.CaptureRefused, at=125, key=SECOND, code="61", text="over the limit")
released = partial(outcome, e.Released, at=70, key=SECOND)
release_refused = partial(outcome, e.ReleaseRefused, at=70, key=SECOND, code="25", text="not found")
voided = partial(outcome, e.Voided, at=300, key=THIRD)
void_refused = partial(outcome, e.VoidRefused, at=300, key=THIRD, text="after cut-off")
refunded = partial(outcome, e.Refunded, at=300, key=THIRD, amount_minor=100)
refund_refused = partial(outcome, e.RefundRefused, at=300, key=THIRD, text="not allowed")

card = partial(happened, e.CardPresented, at=1, token="tok", brand="visa", last_four="1111")
tag = partial(happened, e.AccountPresented, at=1, account_id="A1", id_token="04A2B3C4")
plugged_in = partial(happened, e.PluggedIn, at=10)
hold_chosen = partial(happened, e.HoldChosen, at=0, amount_minor=4000)
suspended = partial(happened, e.Suspended, at=60)
resumed = partial(happened, e.Resumed, at=60)
unplugged = partial(happened, e.Unplugged, at=10)
start_accepted = partial(happened, e.StartAccepted, at=3)
start_refused = partial(happened, e.StartRefused, at=3, text="connector locked")
start_uncertain = partial(happened, e.StartUncertain, at=35, text="no answer in 30 s")
started = partial(happened, e.Started, at=5, transaction_id="1", register_wh=1000)
metered = partial(happened, e.Metered, at=60, register_wh=3000)
stop_asked = partial(happened, e.StopAsked, at=100, by="driver")
stop_accepted = partial(happened, e.StopAccepted, at=101)
stop_refused = partial(happened, e.StopRefused, at=101, text="unknown transaction")
stopped = partial(happened, e.Stopped, at=120, register_wh=9345, cause="Local")
hold_expiring = partial(happened, e.HoldExpiring, at=500_000)
ticked = partial(happened, e.Ticked, at=100)
decided = partial(happened, e.Decided, at=400, amount_minor=487, by="Ada", why="looked at the meter")
void_wanted = partial(happened, e.VoidWanted, at=200)
refund_wanted = partial(happened, e.RefundWanted, at=200, amount_minor=100)


@dataclass
class Run:
    """What became of a list of events."""

    session: Session
    effects: list[Effect] = field(default_factory=list)
    steps: list[tuple[Session | None, Any, Session, tuple[Effect, ...]]] = field(default_factory=list)

    @property
    def payment(self) -> Payment:
        """The payment of a session that has one."""
        assert self.session.payment is not None
        return self.session.payment

    def all(self, kind: type) -> list[Any]:
        """Every effect of one kind so far."""
        return [effect for effect in self.effects if type(effect) is kind]


def play(events: Iterable[Any]) -> Run:
    """Play events into a new session, from its offer on."""
    session: Session | None = None
    effects: list[Effect] = []
    steps: list[tuple[Session | None, Any, Session, tuple[Effect, ...]]] = []
    for event in events:
        after, asked = decide(session, event)
        steps.append((session, event, after, asked))
        effects += asked
        session = after
    assert session is not None
    return Run(session=session, effects=effects, steps=steps)
