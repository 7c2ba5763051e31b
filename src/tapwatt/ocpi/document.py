"""JSON as OCPI parties send it: read exactly and strictly, with the path of whatever is wrong.

Numbers become integers and decimals, never floats; a name that stands twice in an object is refused, since
readers would disagree on which of the two counts. Each field is asked for with its type; fields nobody asks
for are left alone (OCPI 2.2.1 and 2.3.0, transport and format: unknown fields are allowed). Null is absent.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, NoReturn, TypeVar

import msgspec

SIZE_MAX = 4_000_000
"""Characters of a document."""
WHOLE_DIGITS_MAX, DECIMALS_MAX, DIGITS_MAX = 12, 24, 28
"""Of a number: before the point, after it (what a binary float prints has up to 20), and in all."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)?", re.ASCII
)
Value = TypeVar("Value")
Choice = TypeVar("Choice", bound=Enum)


class UnableToRead(ValueError):
    """What is wrong with a document: where (a JSON path) and why."""

    def __init__(self, path: str, reason: str) -> None:
        """The text is `path: reason`."""
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


class UnableToWrite(ValueError):
    """What a version of OCPI cannot say: which part of our value, and why."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a document and where it stands. `error` is what is raised when it is not as it must be."""

    value: Any
    path: str = "$"
    error: type[UnableToRead] = UnableToRead

    def wrong(self, reason: str) -> NoReturn:
        """Refuse this value."""
        raise self.error(self.path, reason)

    def has(self, name: str) -> bool:
        """Whether a field is given."""
        return self.object().get(name) is not None

    def field(self, name: str) -> "Node":
        """A field of an object that must be there."""
        found = self.maybe(name)
        return (
            found if found is not None else Node(None, f"{self.path}.{name}", self.error).wrong("is missing")
        )

    def maybe(self, name: str) -> "Node | None":
        """A field of an object, if it is there."""
        value = self.object().get(name)
        return None if value is None else Node(value, f"{self.path}.{name}", self.error)

    def get(self, name: str, read: Callable[["Node"], Value]) -> Value | None:
        """What a reader makes of a field, if it is there."""
        found = self.maybe(name)
        return None if found is None else read(found)

    def object(self) -> Mapping[str, Any]:
        """An object."""
        if not isinstance(self.value, dict):
            self.wrong("must be an object")
        return self.value

    def items(self, *, most: int, least: int = 1) -> Iterator["Node"]:
        """The members of a list."""
        if not isinstance(self.value, list):
            self.wrong("must be a list")
        if not least <= len(self.value) <= most:
            self.wrong(f"has {len(self.value)} members; from {least} to {most} are allowed")
        for place, value in enumerate(self.value):
            yield Node(value, f"{self.path}[{place}]", self.error)

    def text(self, *, most: int, least: int = 1) -> str:
        """A text of printable characters."""
        if not isinstance(self.value, str):
            self.wrong("must be a text")
        if not least <= len(self.value) <= most:
            self.wrong(f"has {len(self.value)} characters; from {least} to {most} are allowed")
        if not self.value.isprintable():
            self.wrong("has characters that cannot be printed")
        return self.value

    def matching(self, pattern: re.Pattern[str], like: str) -> str:
        """A text of a certain form."""
        text = self.text(most=255)
        return text if pattern.fullmatch(text) else self.wrong(f"must be like {like}")

    def choice(self, of: type[Choice]) -> Choice:
        """One word out of an enumeration."""
        for one in of:
            if self.value == one.value:
                return one
        return self.wrong(f"must be one of {', '.join(str(one.value) for one in of)}")

    def number(self, *, least: Decimal | None = None, most: Decimal | None = None) -> Decimal:
        """An exact number."""
        value = self.value
        if isinstance(value, float):
            self.wrong("was read as a binary float; numbers must be read exactly")
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            self.wrong("must be a number")
        number = Decimal(value)
        if not number.is_finite() or len(number.as_tuple().digits) > 2 * DIGITS_MAX:
            self.wrong("must be a number of a few digits")
        number = _plain(number)
        if number.adjusted() >= WHOLE_DIGITS_MAX:
            self.wrong(f"has more than {WHOLE_DIGITS_MAX} digits before the point")
        if -_exponent(number) > DECIMALS_MAX or len(number.as_tuple().digits) > DIGITS_MAX:
            self.wrong(f"has more than {DECIMALS_MAX} decimals or {DIGITS_MAX} digits")
        if (least is not None and number < least) or (most is not None and number > most):
            self.wrong(_allowed(least, most))
        return number

    def whole(self, *, least: int, most: int) -> int:
        """A whole number."""
        number = self.number(least=Decimal(least), most=Decimal(most))
        return int(number) if number == number.to_integral_value() else self.wrong("must be a whole number")

    def moment_ms(self) -> int:
        """A moment (RFC 3339, in UTC where no offset is given), as epoch milliseconds, finer parts cut."""
        found = MOMENT.fullmatch(self.text(most=40))
        if found is None:
            self.wrong("must be a moment like 2026-07-24T10:11:12Z")
        numbers = [int(part) for part in found.groups()[:6]]
        try:
            moment = datetime(*numbers, tzinfo=UTC)  # type: ignore[misc, arg-type]
        except ValueError as impossible:
            self.wrong(f"is no moment: {impossible}")
        thousandths = int((found[7] or "").ljust(3, "0")[:3])
        return (moment - EPOCH) // timedelta(milliseconds=1) + thousandths - _offset_ms(found[8])


def _offset_ms(zone: str | None) -> int:
    if zone in (None, "Z"):
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[4:6])
    return (-minutes if zone[0] == "-" else minutes) * 60_000


def _plain(number: Decimal) -> Decimal:
    """Without needless zeros, so that what was read equals what was meant: 0.250 is 0.25, and -0 is 0."""
    if not number:
        return Decimal(0)
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        return number
    while exponent < 0 and digits[-1] == 0:
        digits, exponent = digits[:-1], exponent + 1
    return Decimal((sign, digits, exponent))


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _allowed(least: Decimal | None, most: Decimal | None) -> str:
    if most is None:
        return f"must be {least} or more"
    return f"must be {most} or less" if least is None else f"must be from {least} to {most}"


class _Twice:
    """Stands where a name was given a second time, until its path is known."""


def parse(text: str | bytes, error: type[UnableToRead] = UnableToRead) -> Any:
    """A document out of its text, numbers exact. Raises what `error` says."""
    if len(text) > SIZE_MAX:
        raise error("$", f"is longer than {SIZE_MAX} characters")
    repeated: list[str] = []  # names; where they stand is looked for afterwards

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                repeated.append(name)
            found[name] = _Twice() if name in found else value
        return found

    def no_number(name: str) -> NoReturn:
        raise error("$", f"{name} is no number in JSON")

    try:
        value = json.loads(text, parse_float=Decimal, object_pairs_hook=once, parse_constant=no_number)
        twice = next(_repeated(value, "$"), "$") if repeated else ""
    except UnableToRead:
        raise
    except RecursionError:
        raise error("$", "is nested too deep") from None
    except ValueError as wrong:
        raise error("$", f"is not JSON: {wrong}") from None
    if twice:
        raise error(twice, "stands twice in one object")
    return value


def _repeated(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, _Twice):
        yield path
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for name, member in members:
        yield from _repeated(member, f"{path}[{name}]" if isinstance(name, int) else f"{path}.{name}")


ENCODER = msgspec.json.Encoder(decimal_format="number")


def as_text(document: object) -> str:
    """The JSON of a document, decimals as exact numbers."""
    return ENCODER.encode(document).decode()


def as_moment(at_ms: int) -> str:
    """Epoch milliseconds as OCPI writes moments: in UTC, milliseconds only where there are any."""
    moment = EPOCH + timedelta(milliseconds=at_ms)
    return moment.isoformat(timespec="milliseconds" if at_ms % 1000 else "seconds").replace("+00:00", "Z")
