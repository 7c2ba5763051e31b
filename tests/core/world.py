"""A small world around one session: it keeps what was asked of it and answers, honestly or not.

`choose` makes every choice, so hypothesis can drive the world and shrink what it finds. Answers go only to
effects that are open, each once: what an engine with honest performers would do. `noise` is what anybody may
still say, with keys right and wrong.
"""

from collections.abc import Callable, Sequence
from typing import Any

from tests.core import samples as s

from tapwatt.core import effects as f
from tapwatt.core import events as e
from tapwatt.core.events import Limits
from tapwatt.core.session import Session, UnableToDecide, decide

Choose = Callable[[Sequence[Any]], Any]
ANSWERED = (*f.MONEY, f.StartCharging, f.StopCharging)
AMOUNTS = (0, 1, 499, 500, 2499, 2500, 2501, 99_999)
TAPS = (s.card(), s.tag())


class World:
    """Plays one session step by step and remembers everything."""

    def __init__(self, choose: Choose, *, silent: bool, tags: bool) -> None:
        self.choose = choose
        self.silent = silent
        self.tags = tags
        self.now_s = 0.0
        self.register_wh = 1000
        self.session: Session | None = None
        self.effects: list[f.Effect] = []
        self.open: list[Any] = []
        self.told: list[Any] = []
        self.unable: list[str] = []

    def tell(self, event: Any) -> None:
        """Let something happen; a pair without a row is remembered and changes nothing."""
        self.told.append(event)
        try:
            after, effects = decide(self.session, event)
        except UnableToDecide as unable:
            self.unable.append(str(unable))
            return
        self.session = after
        self.effects += effects
        self.open += [effect for effect in effects if isinstance(effect, ANSWERED)]

    def later(self) -> float:
        """The next moment."""
        self.now_s += self.choose((0.0, 1.0, 30.0, 600.0))
        return self.now_s

    def begin(self) -> None:
        """An offer and a tap."""
        limits = Limits(offer_ms=600_000)
        self.tell(s.offered(plugged=self.choose((True, False)), limits=limits))
        self.tell(self.choose(TAPS if self.tags else TAPS[:1]))

    def step(self) -> None:
        """An answer to an open effect, or news from the station."""
        if self.open and self.choose((True, True, False)):
            effect = self.choose(self.open)
            self.open.remove(effect)
            self.tell(self.choose(self.answers(effect)))
        else:
            self.tell(self.choose(self.news()))

    def answers(self, effect: Any) -> list[Any]:
        """Everything a performer may answer to an effect; the honest and simple answer comes first."""
        at, key = self.later(), effect.key
        if isinstance(effect, f.StartCharging):
            return [s.start_accepted(at=at), s.start_refused(at=at), s.start_uncertain(at=at)]
        if isinstance(effect, f.StopCharging):
            return [s.stop_accepted(at=at), s.stop_refused(at=at)]
        if isinstance(effect, f.Ask):
            return self.findings(effect, at=at)
        slow = [s.silent(at=at, key=key)] if self.silent else []
        not_sent = s.not_sent(at=at, key=key)
        amount = effect.amount_minor
        if isinstance(effect, f.Authorise):
            less = self.choose((amount, amount, 400, amount // 2))
            return [
                s.approved(at=at, key=key, amount=less), s.declined(at=at, key=key),
                s.aborted(at=at, key=key), not_sent, *slow,
            ]  # fmt: skip
        if isinstance(effect, f.Capture):
            return [
                s.captured(at=at, key=key, amount_minor=amount),
                s.already_captured(at=at, key=key, amount_minor=amount),
                s.capture_refused(at=at, key=key), not_sent, *slow,
            ]  # fmt: skip
        if isinstance(effect, f.Release):
            return [s.released(at=at, key=key), s.release_refused(at=at, key=key), not_sent, *slow]
        if isinstance(effect, f.Void):
            return [s.voided(at=at, key=key), s.void_refused(at=at, key=key), *slow]
        return [s.refunded(at=at, key=key, amount_minor=amount), s.refund_refused(at=at, key=key), *slow]

    def findings(self, ask: f.Ask, *, at: float) -> list[Any]:
        """What asking may bring to light about the operation with the question's key."""
        about = next(effect for effect in self.effects if effect.key == ask.key)
        cannot, none = s.cannot_ask(at=at, key=ask.key), s.found_none(at=at, key=ask.key)
        still_open = s.found_open(at=at, key=ask.key)
        if isinstance(about, f.Capture):
            done = s.already_captured(at=at, key=ask.key, amount_minor=about.amount_minor)
            return [done, still_open, cannot]
        if isinstance(about, f.Release):
            return [none, still_open, cannot]
        if isinstance(about, f.Void):
            return [s.voided(at=at, key=ask.key), s.void_refused(at=at, key=ask.key)]
        if isinstance(about, f.Refund):
            return [s.refunded(at=at, key=ask.key, amount_minor=about.amount_minor)]
        return [still_open, none, s.found_open(at=at, key=ask.key, amount=None), cannot]

    def news(self) -> list[Any]:
        """What the station, the driver, an operator or the clock may say next."""
        session = self.session
        assert session is not None
        at = self.later()
        heard: list[Any] = [s.plugged_in(at=at), s.unplugged(at=at), s.stop_asked(at=at)]
        if session.payment and session.payment.authorised_minor:
            heard.append(s.hold_expiring(at=at))
        if session.deadline_ms is not None:
            heard.append(self.tick())
        told_to_start = any(isinstance(effect, f.StartCharging) for effect in self.effects)
        if session.transaction_id is None and (told_to_start or not session.remote):
            heard += [s.started(at=at, register_wh=self.register_wh)] * 3
        elif session.transaction_id and session.stopped_ms is None:
            self.register_wh += self.choose((0, 10, 2000, 40_000))
            heard += [s.metered(at=at, register_wh=self.register_wh), self.stop(at=at)] * 3
        if session.state == "closed" and session.payment and session.payment.state == "captured":
            heard += [s.refund_wanted(at=at, amount_minor=1), s.void_wanted(at=at)]
        return heard

    def tick(self) -> e.Ticked:
        """The session's own time comes."""
        assert self.session
        assert self.session.deadline_ms is not None
        self.now_s = max(self.now_s, self.session.deadline_ms / 1000)
        return e.Ticked(at_ms=s.ms(self.now_s))

    def stop(self, *, at: float) -> Any:
        """The station's last word."""
        return s.stopped(at=at, register_wh=self.register_wh, proved=self.choose((True, True, True, False)))

    def noise(self) -> Any:
        """Any outcome or news at all, with any key and amount."""
        at, key = self.later(), self.choose(("S1.p1", "S1.p2", "S1.p3", "S1.s1", ""))
        kind = self.choose(e.EVENTS)
        if kind is e.Offered:
            return s.offered(at=at)
        values: dict[str, Any] = {"at_ms": s.ms(at)}
        fields = kind.__dataclass_fields__
        if "key" in fields:
            values["key"] = key
        if "amount_minor" in fields:
            values["amount_minor"] = self.choose(AMOUNTS)
        if "read_ms" in fields:
            values |= {"read_ms": self.choose((0, s.ms(at), 10**9)), "register_wh": self.choose(AMOUNTS)}
        if kind is e.Started:
            values["transaction_id"] = "1"
        if "by" in fields:
            values["by"] = "driver"
        if kind is e.Decided:
            values["why"] = "because"
        if kind is e.AccountPresented:
            values |= {"account_id": "A1", "id_token": "04A2B3C4"}
        return kind(**values)

    def finish(self) -> None:
        """Answer everything that is open, honestly and simply, until nobody waits for anything."""
        for _ in range(60):
            session = self.session
            assert session is not None
            running = session.transaction_id and session.stopped_ms is None
            if self.open:
                self.tell(self.answers(self.open.pop(0))[0])
            elif running and session.state != "charging":
                self.tell(s.stopped(at=self.later(), register_wh=self.register_wh))
                if self.session == session:
                    return
            elif session.deadline_ms is not None:
                self.tell(self.tick())
            else:
                return
