"""May the energy of these documents be billed? If not, every reason in words.

One document with begin and end, or several (begin, intermediate ones, end) of one transaction in any order.
The rules with their sources are in rules.py. Energy is exact: the difference of a register's readings, no
digit lost, and None wherever no begin and end can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Final

from tapwatt.ocmf.messages import EXACT, Reading, Record
from tapwatt.ocmf.registers import Flow, Register, read_register
from tapwatt.ocmf.rules import Rule
from tapwatt.ocmf.verify import Finding

BEGIN: Final = "B"
ENDS: Final = frozenset("ELRAP")
WITHIN: Final = frozenset("CST")
EXCEPTION: Final = "X"
CLOCKS: Final = frozenset("SR")
WORKING: Final = "G"
TRANSACTIONS: Final = "T"
FAILED_USER: Final = frozenset({"MISMATCH", "INVALID", "OUTDATED", "UNKNOWN"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A document's record with what was found of its signature."""

    record: Record
    finding: Finding
    key_known: bool
    """Whether the key came from outside: from a register, or from somebody who vouches for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """Why the energy may not be billed."""

    rule: Rule
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer: whether it is signed, whether it may be billed, the energy, and who measured."""

    valid: bool
    objections: tuple[Objection, ...]
    energy_wh: Decimal | None
    meter: str

    @property
    def billable(self) -> bool:
        """Whether nothing stands against it."""
        return not self.objections

    @property
    def reason(self) -> str:
        """The objections in one line; "" where there is none."""
        return "; ".join(dict.fromkeys(each.reason for each in self.objections))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Course:
    """A transaction laid out: documents by pagination, and the readings of the register that counts it."""

    judged: tuple[Judged, ...]
    records: tuple[Record, ...]
    readings: tuple[Reading, ...]
    """All of them, of all registers."""
    counting: tuple[Reading, ...]
    """Those of the register that counts the energy drawn; none where it cannot be told which that is."""


_Checks = tuple[tuple[Rule, Callable[[_Course], Iterator[str]]], ...]


def judge(documents: Sequence[Judged]) -> Verdict:
    """Judge the documents of one transaction, one at least; a document that comes twice counts once.

    Where a signature does not hold, what the documents say is not judged any further.
    """
    course = _course(documents)
    unsigned = _objections(course, _CHECKS[:1])
    objections = unsigned or _objections(course, _CHECKS[1:])
    comparable = not {each.rule for each in objections} & {
        Rule.SIGNATURE,
        Rule.METER,
        Rule.COURSE,
        Rule.VALUE,
    }
    return Verdict(
        valid=not unsigned,
        objections=objections,
        energy_wh=_energy_wh(course.counting) if comparable else None,
        meter=course.records[0].meter,
    )


def refused(reason: str) -> Verdict:
    """The verdict on documents that are not signed by the key and say nothing that can be read."""
    return Verdict(
        valid=False, objections=(Objection(rule=Rule.SIGNATURE, reason=reason),), energy_wh=None, meter=""
    )


def _objections(course: _Course, checks: _Checks) -> tuple[Objection, ...]:
    return tuple(Objection(rule=rule, reason=reason) for rule, check in checks for reason in check(course))


def _course(documents: Sequence[Judged]) -> _Course:
    ordered = sorted(dict.fromkeys(documents), key=_place)
    records = tuple(each.record for each in ordered)
    readings = tuple(reading for record in records for reading in record.readings)
    register = _counting_register(readings)
    counting = tuple(each for each in readings if register and read_register(each.register) == register)
    return _Course(judged=tuple(ordered), records=records, readings=readings, counting=counting)


def _place(each: Judged) -> tuple[str, int]:
    pagination = each.record.pagination
    return (pagination.context, pagination.number) if pagination else ("", 0)


def _counting_register(readings: Sequence[Reading]) -> Register | None:
    """The register of energy drawn that is closest to the car; None where there is none, or two as close."""
    found = {register for each in readings if (register := read_register(each.register))}
    drawn = [register for register in found if register.flow is Flow.DRAWN]
    if not drawn:
        return None
    highest = max(each.rank for each in drawn)
    best = [register for register in drawn if register.rank == highest]
    return best[0] if len(best) == 1 else None


def _energy_wh(counting: Sequence[Reading]) -> Decimal | None:
    if not counting:
        return None
    begin, end = counting[0].energy_wh, counting[-1].energy_wh
    return None if begin is None or end is None else EXACT.subtract(end, begin)


def _signature(course: _Course) -> Iterator[str]:
    for each in course.judged:
        if not each.finding.valid:
            yield f"document {_name(each.record)}: {each.finding.reason}"


def _key(course: _Course) -> Iterator[str]:
    if not all(each.key_known for each in course.judged):
        yield "the key came with the documents, nobody vouches that it is the meter's"


def _meter(course: _Course) -> Iterator[str]:
    if any(not record.meter for record in course.records):
        yield "a document names neither meter nor gateway by serial"
    for what, values in (
        ("meter", {record.meter_serial for record in course.records}),
        ("gateway", {record.gateway_serial for record in course.records}),
        ("charge point", {(record.charge_point_type, record.charge_point) for record in course.records}),
    ):
        if len(values) > 1:
            yield f"the documents name more than one {what}"


def _pagination(course: _Course) -> Iterator[str]:
    places = [record.pagination for record in course.records]
    if any(place is None or place.context != TRANSACTIONS for place in places):
        yield "a document is not numbered among its meter's transactions (PG is not T and a number)"
        return
    numbers = [place.number for place in places if place]
    for before, after in pairwise(numbers):
        if after == before:
            yield f"two different documents have number T{before}"
        elif after != before + 1:
            yield f"documents are missing between T{before} and T{after}"


def _register(course: _Course) -> Iterator[str]:
    if course.counting:
        return
    drawn = {
        register.groups
        for each in course.readings
        if (register := read_register(each.register)) and register.flow is Flow.DRAWN
    }
    if drawn:
        yield "two registers of energy drawn, and nothing says which one bills"
    else:
        yield "no reading is of a register of energy drawn (RI)"


def _order_of_course(course: _Course) -> Iterator[str]:
    steps = [each.transaction for each in course.counting or course.readings]
    begins, ends = steps.count(BEGIN), sum(step in ENDS for step in steps)
    if begins != 1:
        yield "no begin reading" if not begins else f"{begins} begin readings"
    elif steps[0] != BEGIN:
        yield "the begin is not the first reading"
    if ends != 1:
        yield "no end reading" if not ends else f"{ends} end readings"
    elif steps[-1] not in ENDS:
        yield "the end is not the last reading"
    if any(each.transaction == EXCEPTION for each in course.readings):
        yield "an error while charging (X): from there on time or energy cannot be used"
    known = {BEGIN, EXCEPTION} | ENDS | WITHIN
    for step in dict.fromkeys(each for each in steps if each not in known):
        yield f"a reading has no place in a transaction (TX = {step[:10]!r})"


def _status(course: _Course) -> Iterator[str]:
    for status in dict.fromkeys(each.status for each in course.readings):
        if status != WORKING:
            yield f"the meter's status is {_shown(status)}, not G"


def _errors(course: _Course) -> Iterator[str]:
    for flags in dict.fromkeys(each.error_flags for each in course.readings if each.error_flags):
        what = [name for letter, name in (("E", "energy"), ("t", "time")) if letter in flags]
        yield f"{' and '.join(what) or 'a quantity'} not usable (EF = {_shown(flags)})"


def _clock(course: _Course) -> Iterator[str]:
    words = {"I": "informative only", "U": "not synchronised"}
    for clock in dict.fromkeys(each.clock for each in course.counting or course.readings):
        if clock not in CLOCKS:
            yield f"the time of a reading is {words.get(clock, 'of unknown quality')} ({_shown(clock)})"


def _time_order(course: _Course) -> Iterator[str]:
    times = [each.at_ms for each in course.counting or course.readings]
    if any(at_ms is None for at_ms in times):
        yield "the time of a reading cannot be read, or has no zone"
        return
    known = [at_ms for at_ms in times if at_ms is not None]
    if any(after < before for before, after in pairwise(known)):
        yield "a reading is earlier than the one before it"


def _value(course: _Course) -> Iterator[str]:
    values = [each.energy_wh for each in course.counting]
    if any(value is None for value in values):
        yield "a reading is no amount of energy in Wh or kWh (RV, RU)"
        return
    known = [value for value in values if value is not None]
    if any(value < 0 for value in known):
        yield "a register is below zero"
    if any(after < before for before, after in pairwise(known)):
        yield "the register falls"


def _loss(course: _Course) -> Iterator[str]:
    losses = [(each.transaction, each.loss) for each in course.counting if each.loss is not None]
    if any(step == BEGIN and loss for step, loss in losses):
        yield "cable losses are not zero at the begin (CL)"
    if any(loss < 0 for _, loss in losses):
        yield "cable losses are below zero (CL)"


def _user(course: _Course) -> Iterator[str]:
    for level in dict.fromkeys(record.user_level.strip().upper() for record in course.records):
        if level in FAILED_USER:
            yield f"the assignment of the user failed (IL = {level})"


def _name(record: Record) -> str:
    return str(record.pagination or "without number")


def _shown(code: str) -> str:
    return code[:10] or "missing"


_CHECKS: Final[_Checks] = (
    (Rule.SIGNATURE, _signature),
    (Rule.KEY, _key),
    (Rule.METER, _meter),
    (Rule.PAGINATION, _pagination),
    (Rule.REGISTER, _register),
    (Rule.COURSE, _order_of_course),
    (Rule.STATUS, _status),
    (Rule.ERRORS, _errors),
    (Rule.CLOCK, _clock),
    (Rule.ORDER, _time_order),
    (Rule.VALUE, _value),
    (Rule.LOSS, _loss),
    (Rule.USER, _user),
)
