"""ZVT messages as values: a control field and named fields in wire order.

One shape for every command in both directions, so that bytes and values convert without loss and a client's
own field order survives. Names come from `fields.py`. terminals.md sections 4.1 to 4.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum


class Command(IntEnum):
    """Control fields (class and instruction byte) this room knows by name."""

    SET_DATE_AND_TIME = 0x0401
    STATUS_INFORMATION = 0x040F
    INTERMEDIATE_STATUS = 0x04FF
    STATUS_ENQUIRY = 0x0501
    REGISTRATION = 0x0600
    AUTHORISATION = 0x0601
    LOG_OFF = 0x0602
    COMPLETION = 0x060F
    TOTALS = 0x0610
    RESET = 0x0618
    PRINT_CONFIGURATION = 0x061A
    SET_TERMINAL_ID = 0x061B
    ABORTED = 0x061E
    REPEAT_RECEIPT = 0x0620
    PREAUTHORISATION = 0x0622
    PARTIAL_REVERSAL = 0x0623
    BOOK_TOTAL = 0x0624
    PREAUTHORISATION_REVERSAL = 0x0625
    REVERSAL = 0x0630
    REFUND = 0x0631
    END_OF_DAY = 0x0650
    DIAGNOSIS = 0x0670
    SELF_TEST = 0x0679
    INITIALISATION = 0x0693
    ABORT = 0x06B0
    READ_CARD = 0x06C0
    CLOSE_CARD_SESSION = 0x06C5
    PRINT_LINE = 0x06D1
    PRINT_TEXT_BLOCK = 0x06D3
    DISPLAY_TEXT = 0x06E0
    SELECT_LANGUAGE = 0x0830
    POSITIVE = 0x8000
    NEGATIVE = 0x8400


class Ends(IntEnum):
    """Which frame closes the dialogue a command opens."""

    ACKNOWLEDGEMENT = 1
    STATUS = 2
    COMPLETION = 3


# EVerest's sequences end 06C0 with the 040F itself; 06B0, 06E0 and 06C5 have nothing to report after the
# 800000.
ENDS: Mapping[int, Ends] = {
    Command.ABORT: Ends.ACKNOWLEDGEMENT,
    Command.CLOSE_CARD_SESSION: Ends.ACKNOWLEDGEMENT,
    Command.DISPLAY_TEXT: Ends.ACKNOWLEDGEMENT,
    Command.LOG_OFF: Ends.ACKNOWLEDGEMENT,
    Command.READ_CARD: Ends.STATUS,
    Command.SELECT_LANGUAGE: Ends.ACKNOWLEDGEMENT,
}

FROM_TERMINAL = frozenset(
    {
        Command.SET_DATE_AND_TIME,
        Command.STATUS_INFORMATION,
        Command.INTERMEDIATE_STATUS,
        Command.COMPLETION,
        Command.ABORTED,
        Command.PRINT_LINE,
        Command.PRINT_TEXT_BLOCK,
    }
)
ACKNOWLEDGEMENTS = frozenset({Command.POSITIVE, Command.NEGATIVE})
FROM_ECR = frozenset(Command) - FROM_TERMINAL - ACKNOWLEDGEMENTS

OPEN_LIST_RECEIPT = "FFFF"

Value = int | str | tuple["Field", ...]
Given = int | str | Mapping[str, "Given"] | list["Given"]

HIDDEN_NAMES = frozenset({"password"})
_LOOKS_LIKE_PAN = re.compile(r"\d(?:[ -]?\d){12,18}")


def scrub(text: str) -> str:
    """Hide any run of 13 to 19 digits in a text that is about to be shown or logged (law 7)."""
    return _LOOKS_LIKE_PAN.sub("…", text)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Field:
    """One named value: an integer, a text (digits and binary data too, the latter as hex) or a group of
    fields."""

    name: str
    value: Value

    def __repr__(self) -> str:
        """Print without what a log must not hold: passwords, and bytes nobody here can read."""
        shown = "…" if self.hidden else repr(self.value)
        return f"{self.name}={shown if isinstance(self.value, tuple) else scrub(shown)}"

    @property
    def hidden(self) -> bool:
        """Whether the value stays out of logs and screens."""
        return self.name in HIDDEN_NAMES or self.name.startswith(("bmp_", "tlv_", "unread"))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Message:
    """One application message. `rest` are bytes at the end nobody could read, `faults` what was wrong with
    the form; `torn` says a value itself (not only an outer length) was cut."""

    control: int
    fields: tuple[Field, ...] = ()
    rest: bytes = b""
    faults: tuple[str, ...] = ()
    torn: bool = False

    def __repr__(self) -> str:
        """Print name and fields; unreadable bytes only by their number."""
        rest = f" rest={len(self.rest)} bytes" if self.rest else ""
        return f"<{self.name} {' '.join(map(repr, self.fields))}{rest}>"

    @property
    def name(self) -> str:
        """The command's name, or its control field in hex."""
        return control_name(self.control)

    def find(self, name: str) -> Iterator[Value]:
        """Yield every value called `name`, outermost and first first, groups included."""
        return _find(self.fields, name)

    def number(self, name: str) -> int | None:
        """Give the first integer called `name`."""
        return next((value for value in self.find(name) if isinstance(value, int)), None)

    def text(self, name: str) -> str:
        """Give the first text called `name`, "" when there is none."""
        return next((value for value in self.find(name) if isinstance(value, str)), "")

    def texts(self, name: str) -> tuple[str, ...]:
        """Give all texts called `name`, in order."""
        return tuple(value for value in self.find(name) if isinstance(value, str))


def control_name(control: int) -> str:
    """Name a control field: `preauthorisation`, or its four hex digits when unknown."""
    known = Command._value2member_map_.get(control)
    return known.name.lower() if known is not None else f"{control:04X}"


def _find(fields: Iterable[Field], name: str) -> Iterator[Value]:
    inner: list[tuple[Field, ...]] = []
    for field in fields:
        if field.name == name:
            yield field.value
        if isinstance(field.value, tuple):
            inner.append(field.value)
    for group in inner:
        yield from _find(group, name)


def compose(control: int, /, **values: Given) -> Message:
    """Build a message from names in wire order; a mapping becomes a group, a list a repeated field.

    `compose(Command.PREAUTHORISATION, payment_type=0x40, currency="EUR", amount_minor=2500, tlv={})`
    """
    return Message(control=control, fields=_fields(values))


def _fields(values: Mapping[str, Given]) -> tuple[Field, ...]:
    made: list[Field] = []
    for name, given in values.items():
        for value in given if isinstance(given, list) else [given]:
            if isinstance(value, list):
                raise TypeError(f"{name}: a list inside a list")
            made.append(Field(name=name, value=_fields(value) if isinstance(value, Mapping) else value))
    return tuple(made)


def positive() -> Message:
    """The answer `800000`: understood, go on."""
    return Message(control=Command.POSITIVE)


def negative(code: int) -> Message:
    """The answer `84cc00`: not done, because of `code`."""
    return compose(Command.NEGATIVE, error_code=code)
