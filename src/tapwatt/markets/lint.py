"""The linter of tariffs: everything suspicious or unlawful in one, worst first."""

from collections.abc import Iterable, Iterator

from tapwatt.core.tariff.model import Tariff
from tapwatt.markets import structure
from tapwatt.markets.boxes import TooManyPieces
from tapwatt.markets.findings import Finding, Where
from tapwatt.markets.jurisdictions import Severity
from tapwatt.markets.lawful import law
from tapwatt.markets.reach import survey

ORDER = (Severity.ERROR, Severity.WARNING, Severity.NOTE)
FINDINGS_MAX = 200


def lint(tariff: Tariff, places: Iterable[Where]) -> tuple[Finding, ...]:
    """What is to be said about a tariff at the places where it is to be used; the same finding once."""
    by_place = [dict.fromkeys(_at(tariff, where)) for where in places]
    rare = set.intersection(*({_what(one) for one in each} for each in by_place)) if by_place else set()
    found = dict.fromkeys(
        one for each in by_place for one in each if one.rule not in structure.EVERYWHERE or _what(one) in rare
    )
    return tuple(sorted(found, key=lambda one: ORDER.index(one.severity)))[:FINDINGS_MAX]


def _what(one: Finding) -> tuple[str, str]:
    return one.rule, one.place.partition(".")[0]


def _at(tariff: Tariff, where: Where) -> Iterator[Finding]:
    try:
        seen = survey(tariff, day=where.day, power_w=where.power_w, evse_kind=where.evse_kind)
    except TooManyPieces:
        text = "the restrictions cut each other into more pieces than are looked at; nothing was checked"
        yield Finding(severity=Severity.WARNING, rule="too-many-pieces", text=text, place="elements")
        return
    for check in structure.CHECKS:
        yield from check(tariff, seen, where)
    yield from law(tariff, seen, where)
