"""One ISO 8583 message as a frozen value: message type and fields by number.

Numeric and text fields are `str` of their full length, binary fields are `bytes`. Its repr is masked by
the type of the field, so that a card number cannot leak through a log line nobody reviewed (design.md law
7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tapwatt.rails.iso8583.masking import masked

Value = str | bytes


class MissingField(LookupError):
    """The message lacks a field that its reader cannot do without."""

    def __init__(self, field: int) -> None:
        super().__init__(f"field {field} is missing")
        self.field = field


@dataclass(frozen=True, slots=True, repr=False)
class Message:
    """A card message: `mti` is the four-digit message type, `fields` maps field numbers to values."""

    mti: str
    fields: Mapping[int, Value]

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", MappingProxyType(dict(self.fields)))

    def __hash__(self) -> int:
        return hash((self.mti, frozenset(self.fields.items())))

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{number}: {masked(number, self.fields[number])}" for number in sorted(self.fields)
        )
        return f"Message({self.mti} {{{shown}}})"

    def __contains__(self, number: object) -> bool:
        return number in self.fields

    def get(self, number: int) -> Value | None:
        """The value of a field, None when the message does not carry it."""
        return self.fields.get(number)

    def text(self, number: int) -> str:
        """The value of a text or numeric field; MissingField when it is absent (or binary)."""
        value = self.fields.get(number)
        if not isinstance(value, str):
            raise MissingField(number)
        return value

    def data(self, number: int) -> bytes:
        """The value of a binary field; MissingField when it is absent (or text)."""
        value = self.fields.get(number)
        if not isinstance(value, bytes):
            raise MissingField(number)
        return value

    def replace(self, changes: Mapping[int, Value | None], *, mti: str | None = None) -> Message:
        """The same message with some fields changed; None takes a field out."""
        merged = {**self.fields, **changes}
        kept = {number: value for number, value in merged.items() if value is not None}
        return Message(self.mti if mti is None else mti, kept)

    def without(self, *numbers: int) -> Message:
        """The same message without these fields."""
        return self.replace(dict.fromkeys(numbers))

    def only(self, *numbers: int) -> Message:
        """The same message with nothing but these fields (those of them that it has)."""
        return Message(self.mti, {number: self.fields[number] for number in numbers if number in self.fields})


_SET_MTI, _SET_FIELDS = (Message.__dict__[slot].__set__ for slot in ("mti", "fields"))


def message_of(mti: str, fields: dict[int, Value]) -> Message:
    """A message from a mapping that nobody else holds: the codec's own, made without copying it."""
    message = object.__new__(Message)
    _SET_MTI(message, mti)
    _SET_FIELDS(message, MappingProxyType(fields))
    return message
