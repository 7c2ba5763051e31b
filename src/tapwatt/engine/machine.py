"""What a room tells the engine about one kind of durable machine, and what the engine tells it back.

The engine knows no state, event or effect of anybody's: they are plain dataclasses, stored as JSON text
(design.md section 2 and laws 1, 2 and 4).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec

S = TypeVar("S")
E = TypeVar("E")
F = TypeVar("F")


class UnableToDescribe(Exception):
    """A machine's types cannot be stored: a float, two types with one name, a union JSON cannot tell."""


class UnableToRecord(Exception):
    """An event or effect is of a type its machine does not list; a mistake in the room's code."""


class TryAgain(Exception):
    """Raised by a performer: the effect stays in the outbox and is performed again, with `repeated=True`."""

    def __init__(self, reason: str, *, after_s: float) -> None:
        super().__init__(reason)
        self.after_s = after_s


def _never(state: Any) -> int | None:
    return None


def _no_tick(now_ms: int) -> Any:
    raise UnableToDescribe("a machine with due_ms needs a tick")


def _nothing(state: Any) -> dict[str, str]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine(Generic[S, E, F]):
    """One kind of durable machine: how it decides, and how its rows are named, found and woken.

    Raises UnableToDescribe when its types cannot be stored.
    """

    name: str
    """Prefix of its tables: {name}, {name}_event, {name}_effect, {name}_key."""
    decide: Callable[[S | None, E], tuple[S, tuple[F, ...]]]
    """Pure (law 1); `None` is a machine that does not exist yet. Raises where its table has no row (law 2).
    """
    state_type: type[S]
    events: tuple[type, ...]
    effects: tuple[type, ...]
    owner: Callable[[S], str]
    """The operator_id of the rows (law 9); "" at the hosts."""
    status: Callable[[S], str]
    """Short text for the status column."""
    due_ms: Callable[[S], int | None] = _never
    """When to wake the machine with `tick`, in epoch milliseconds; None: never."""
    tick: Callable[[int], E] = _no_tick
    """Makes the event of a timer from the present epoch milliseconds."""
    lane: Callable[[F], str]
    """Which party performs an effect; effects are performed in order per (machine id, lane)."""
    index: Callable[[S], dict[str, str]] = _nothing
    """Names and values a machine can be found by; each (name, value) belongs to one machine."""
    _state_decoder: msgspec.json.Decoder[S] = field(init=False, repr=False, compare=False)
    _event_kinds: frozenset[type] = field(init=False, repr=False, compare=False)
    _effect_decoders: dict[str, msgspec.json.Decoder[Any]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for kinds in (self.events, self.effects):
            if len({kind.__name__ for kind in kinds}) != len(kinds):
                raise UnableToDescribe(f"machine {self.name}: two events or effects have the same name")
        for kind in (self.state_type, *self.events, *self.effects):
            _refuse_floats(kind)
        object.__setattr__(self, "_state_decoder", msgspec.json.Decoder(self.state_type))
        object.__setattr__(self, "_event_kinds", frozenset(self.events))
        object.__setattr__(
            self, "_effect_decoders", {kind.__name__: msgspec.json.Decoder(kind) for kind in self.effects}
        )

    def state(self, text: str) -> S:
        """Read a stored state. Raises msgspec.ValidationError when it is not one of this machine's."""
        return self._state_decoder.decode(text)

    def effect(self, kind: str, body: str) -> F:
        """Read a stored effect. Raises UnableToRecord for a kind this machine does not list."""
        decoder = self._effect_decoders.get(kind)
        if decoder is None:
            raise UnableToRecord(f"machine {self.name} has no effect {kind}")
        effect: F = decoder.decode(body)
        return effect

    def check(self, event: E, effects: tuple[F, ...] = ()) -> None:
        """See that an event and its effects are listed, so that they can be read back. Raises
        UnableToRecord.
        """
        for value, known in ((event, self._event_kinds), *((effect, self.effects) for effect in effects)):
            if type(value) not in known:
                raise UnableToRecord(f"machine {self.name} does not list {type(value).__name__}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One effect in the outbox, to be performed; its body is read when its turn comes."""

    id: int
    machine_id: str
    lane: str
    kind: str
    body: str = field(repr=False)
    due_ms: int
    attempts: int = 0
    repeated: bool = False
    """It may have been performed before: its performer finds out what that means on its wire (law 5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Generic[S, E, F]):
    """One recorded step of a machine. `repeated`: the key was known, so nothing happened and `state` is
    today's.
    """

    machine_id: str
    before: S | None
    state: S
    event: E
    effects: tuple[F, ...]
    repeated: bool
    version: int
    waiting: tuple[Outgoing, ...] = ()
    """The effects put in the outbox: all but those performed inside the commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer or timer for which the machine had no row: kept as evidence, nothing else changed."""

    machine_id: str
    kind: str
    reason: str


def to_text(value: Any) -> str:
    """Write a state, event or effect as JSON text."""
    return msgspec.json.encode(value).decode()


@cache
def _refuse_floats(kind: type) -> None:
    try:
        msgspec.json.Decoder(kind)
        schema = json.dumps(msgspec.json.schema(kind))
    except TypeError as error:
        raise UnableToDescribe(f"{kind.__name__} cannot be stored: {error}") from error
    if '"type": "number"' in schema:
        raise UnableToDescribe(f"{kind.__name__} holds a float: money, energy and time are integers")
