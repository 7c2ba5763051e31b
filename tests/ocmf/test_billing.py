"""May it be billed? Each reason has a row; what is fine has rows too; energy is exact."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ocmf.meter import BEGIN, END, checked, document, payload, public_der, reading, whole

from tapwatt.ocmf.check import Checked, NoKey, check
from tapwatt.ocmf.codec import UnableToReadOcmf
from tapwatt.ocmf.container import read_file
from tapwatt.ocmf.keys import RegisteredKey, read_key
from tapwatt.ocmf.registers import Flow, read_register
from tapwatt.ocmf.rules import Rule

ENERGY_WH = Decimal(12_500)
Readings = tuple[dict[str, Any], ...]
WITHIN = (reading("C", "101", 5), reading("S", "101", 9), reading("T", "105", 15))


def ends(**fields: str | None) -> Readings:
    """Begin and end with the same fields changed in both."""
    return reading("B", "100.25", 0, **fields), reading("E", "112.75", 40, **fields)


FINE: list[tuple[str, Readings]] = [
    ("begin and end", (BEGIN, END)),
    ("readings within", (BEGIN, *WITHIN, END)),
    ("stopped at the station", (BEGIN, reading("L", "112.75", 40))),
    ("stopped from afar", (BEGIN, reading("R", "112.75", 40))),
    ("aborted", (BEGIN, reading("A", "112.75", 40))),
    ("power failed", (BEGIN, reading("P", "112.75", 40))),
    ("relative time", ends(TM="2026-03-01T10:00:00,000+0100 R")),
    ("watt-hours", (reading("B", "100250", 0, RU="Wh"), reading("E", "112750", 40, RU="Wh"))),
    ("units mixed", (reading("B", "100250", 0, RU="Wh"), END)),
    ("a code spelt in full", (BEGIN, reading("E", "112.75", 40, RI="01-00:01.08.00*FF"))),
    ("the total beside a rate", (BEGIN, reading("B", "7", 0, RI="1-0:1.8.1"), END)),
    ("after losses", (*ends(RI="1-0:1.8.0"), *ends(RI="01-00:B1.08.00*FF"))),
    ("losses", (BEGIN, reading("E", "112.75", 40, CL="0.05"))),
    ("losses from zero", (reading("B", "100.25", 0, CL="0"), reading("E", "112.75", 40, CL="0.05"))),
    ("power beside energy", (BEGIN, reading("C", "11", 5, RI="1-0:16.7.0", RU="kW"), END)),
    ("energy fed back beside", (BEGIN, reading("B", "5", 0, RI="1-0:2.8.0"), END)),
]


@pytest.mark.parametrize("readings", [row[1] for row in FINE], ids=[row[0] for row in FINE])
def test_what_is_fine_is_billable(readings: Readings) -> None:
    verdict = whole(*readings).verdict
    assert (verdict.reason, verdict.valid, verdict.billable, verdict.energy_wh) == ("", True, True, ENERGY_WH)


TWO_BEGINS = (BEGIN, reading("B", "101", 1), END)
WRONG: list[tuple[Rule, str, Readings]] = [
    (Rule.REGISTER, "no reading is of a register of energy drawn (RI)", ends(RI="1-0:2.8.0")),
    (Rule.REGISTER, "no reading is of a register of energy drawn (RI)", ends(RI=None)),
    (Rule.REGISTER, "no reading is of a register of energy drawn (RI)", ends(RI="energy")),
    (
        Rule.REGISTER,
        "two registers of energy drawn, and nothing says which one bills",
        (BEGIN, reading("E", "112.75", 40, RI="1-1:1.8.0")),
    ),
    (Rule.COURSE, "no begin reading", (reading("C", "100", 0), END)),
    (Rule.COURSE, "2 begin readings", TWO_BEGINS),
    (Rule.COURSE, "the begin is not the first reading", (reading("C", "100", 0), BEGIN, END)),
    (Rule.COURSE, "no end reading", (BEGIN, reading("C", "112.75", 40))),
    (Rule.COURSE, "2 end readings", (BEGIN, END, reading("R", "112.75", 41))),
    (Rule.COURSE, "the end is not the last reading", (BEGIN, END, reading("C", "112.75", 41))),
    (
        Rule.COURSE,
        "an error while charging (X): from there on time or energy cannot be used",
        (BEGIN, reading("X", "101", 5), END),
    ),
    (Rule.COURSE, "a reading has no place in a transaction (TX = 'Q')", (BEGIN, reading("Q", "101", 5), END)),
    *(
        (Rule.STATUS, f"the meter's status is {code}, not G", (BEGIN, reading("E", "112.75", 40, ST=code)))
        for code in "NTDRMXIOSEF"
    ),
    (Rule.STATUS, "the meter's status is missing, not G", ends(ST=None)),
    (Rule.STATUS, "the meter's status is M, not G", (BEGIN, reading("C", "101", 5, ST="M"), END)),
    (Rule.ERRORS, "energy not usable (EF = E)", (BEGIN, reading("E", "112.75", 40, EF="E"))),
    (Rule.ERRORS, "time not usable (EF = t)", (BEGIN, reading("C", "101", 5, EF="t"), END)),
    (Rule.ERRORS, "energy and time not usable (EF = Et)", (BEGIN, reading("E", "112.75", 40, EF="Et"))),
    (Rule.ERRORS, "a quantity not usable (EF = q)", (BEGIN, reading("E", "112.75", 40, EF="q"))),
    (
        Rule.CLOCK,
        "the time of a reading is informative only (I)",
        (reading("B", "100.25", 0, TM="2026-03-01T10:00:00,000+0100 I"), END),
    ),
    (
        Rule.CLOCK,
        "the time of a reading is not synchronised (U)",
        (BEGIN, reading("E", "112.75", 40, TM="2026-03-01T10:40:00,000+0100 U")),
    ),
    (
        Rule.CLOCK,
        "the time of a reading is of unknown quality (missing)",
        (BEGIN, reading("E", "112.75", 40, TM="2026-03-01T10:40:00,000+0100")),
    ),
    (
        Rule.ORDER,
        "a reading is earlier than the one before it",
        (BEGIN, reading("E", "112.75", 40, TM="2026-03-01T09:59:59,999+0100 S")),
    ),
    (
        Rule.ORDER,
        "the time of a reading cannot be read, or has no zone",
        (BEGIN, reading("E", "112.75", 40, TM="2026-03-01T10:40:00,000 S")),
    ),
    (
        Rule.VALUE,
        "a reading is no amount of energy in Wh or kWh (RV, RU)",
        (BEGIN, reading("E", "112.75", 40, RU="mOhm")),
    ),
    (Rule.VALUE, "a reading is no amount of energy in Wh or kWh (RV, RU)", (BEGIN, reading("E", "many", 40))),
    (Rule.VALUE, "a register is below zero", (reading("B", "-1", 0), END)),
    (Rule.VALUE, "the register falls", (BEGIN, reading("E", "100.2499", 40))),
    (Rule.VALUE, "the register falls", (BEGIN, reading("C", "120", 5), END)),
    (Rule.LOSS, "cable losses are not zero at the begin (CL)", (reading("B", "100.25", 0, CL="0.1"), END)),
    (Rule.LOSS, "cable losses are below zero (CL)", (BEGIN, reading("E", "112.75", 40, CL="-0.1"))),
]


@pytest.mark.parametrize(("rule", "reason", "readings"), WRONG)
def test_each_reason_in_words(rule: Rule, reason: str, readings: Readings) -> None:
    verdict = whole(*readings).verdict
    assert verdict.valid
    assert not verdict.billable
    assert (rule, reason) in [(each.rule, each.reason) for each in verdict.objections]


FIELDS: list[tuple[Rule, str, dict[str, Any]]] = [
    (Rule.METER, "a document names neither meter nor gateway by serial", {"MS": None, "GS": None}),
    (Rule.PAGINATION, "a document is not numbered among its meter's transactions", {"PG": "F12"}),
    (Rule.PAGINATION, "a document is not numbered among its meter's transactions", {"PG": None}),
    (Rule.PAGINATION, "a document is not numbered among its meter's transactions", {"PG": "12"}),
    *(
        (Rule.USER, f"the assignment of the user failed (IL = {level})", {"IL": level})
        for level in ("MISMATCH", "INVALID", "OUTDATED", "UNKNOWN")
    ),
]


@pytest.mark.parametrize(("rule", "reason", "fields"), FIELDS)
def test_each_reason_of_the_document_in_words(rule: Rule, reason: str, fields: dict[str, Any]) -> None:
    verdict = whole(BEGIN, END, **fields).verdict
    assert [each.rule for each in verdict.objections] == [rule]
    assert verdict.reason.startswith(reason)


def two(first: dict[str, Any], second: dict[str, Any], numbers: tuple[int, int] = (12, 13)) -> Checked:
    """Begin and end in a document each, with these fields."""
    return checked(
        document(payload(numbers[0], BEGIN, **first)), document(payload(numbers[1], END, **second))
    )


def test_begin_and_end_in_two_documents_in_any_order() -> None:
    begin, end = document(payload(12, BEGIN)), document(payload(13, END))
    for order in ((begin, end), (end, begin), (begin, end, begin)):
        verdict = checked(*order).verdict
        assert (verdict.reason, verdict.energy_wh, verdict.meter) == ("", ENERGY_WH, "TEST-METER-1")


def test_three_documents_follow_one_another() -> None:
    parts = [document(payload(number, each)) for number, each in ((7, BEGIN), (8, WITHIN[0]), (9, END))]
    assert checked(*parts).verdict.billable
    verdict = checked(parts[0], parts[2]).verdict
    assert (verdict.reason, verdict.energy_wh) == ("documents are missing between T7 and T9", ENERGY_WH)


PAIRS: list[tuple[str, dict[str, Any], dict[str, Any], tuple[int, int]]] = [
    ("the documents name more than one meter", {}, {"MS": "ANOTHER"}, (12, 13)),
    ("the documents name more than one gateway", {"GS": "GW-8"}, {}, (12, 13)),
    ("the documents name more than one charge point", {}, {"CT": "EVSEID", "CI": "E2"}, (12, 13)),
    ("two different documents have number T12", {}, {}, (12, 12)),
    ("documents are missing between T12 and T14", {}, {}, (12, 14)),
    ("a document is not numbered among its meter's transactions", {}, {"PG": "F13"}, (12, 13)),
]


@pytest.mark.parametrize(("reason", "first", "second", "numbers"), PAIRS)
def test_two_documents_that_do_not_belong_together(
    reason: str, first: dict[str, Any], second: dict[str, Any], numbers: tuple[int, int]
) -> None:
    verdict = two(first, second, numbers).verdict
    assert (verdict.valid, verdict.billable) == (True, False)
    assert verdict.reason.startswith(reason)


def test_energy_of_two_meters_is_no_energy() -> None:
    assert two({}, {"MS": "ANOTHER"}).verdict.energy_wh is None


def test_documents_in_reverse_numbers_begin_with_the_end() -> None:
    verdict = two({}, {}, (13, 12)).verdict
    assert "the begin is not the first reading" in verdict.reason
    assert verdict.energy_wh is None


def test_one_changed_document_makes_all_of_it_invalid_and_no_more_is_said() -> None:
    begin, end = document(payload(12, BEGIN)), document(payload(13, END))
    verdict = checked(begin, end.replace(b"112.75", b"912.75")).verdict
    assert (verdict.valid, verdict.billable, verdict.energy_wh) == (False, False, None)
    assert verdict.reason == "document T13: the signature does not fit payload and key"


def test_a_changed_payload_that_is_no_json_is_invalid_and_an_unchanged_one_unreadable() -> None:
    changed = document(payload(12, BEGIN)).replace(b'"RD":', b'"RD";')
    verdict = checked(changed).verdict
    assert (verdict.valid, verdict.meter) == (False, "")
    assert verdict.reason == "the signature does not fit payload and key, and the payload cannot be read"
    with pytest.raises(UnableToReadOcmf, match="payload: is not JSON"):
        checked(document(b"no json"))


def test_a_key_that_came_with_the_document_vouches_for_nobody() -> None:
    signed = document(payload(12, BEGIN, END)) + b"|" + public_der("secp256r1").hex().encode()
    own = check(read_file(signed)).verdict
    assert (own.valid, own.billable, own.energy_wh) == (True, False, ENERGY_WH)
    assert [each.rule for each in own.objections] == [Rule.KEY]
    given_key = read_key(public_der("secp256r1").hex())
    assert check(read_file(signed), key=given_key).verdict.billable
    forged = document(payload(12, BEGIN, END), "secp256k1") + b"|" + public_der("secp256k1").hex().encode()
    assert check(read_file(forged)).verdict.valid
    assert not check(read_file(forged), key=given_key).verdict.valid


def test_the_register_vouches_for_its_keys() -> None:
    signed = read_file(document(payload(12, BEGIN, END)))
    row = RegisteredKey(meter="TEST-METER-1", key=read_key(public_der("secp256r1").hex()), source="label")
    assert check(signed, register=(row,)).verdict.billable
    verdict = check(signed, register=()).verdict
    assert verdict.reason == "document T12: no key is registered for meter TEST-METER-1"
    with pytest.raises(UnableToReadOcmf, match="payload"):
        check(read_file(document(b"no json")), register=(row,))


def test_without_any_key_there_is_no_verdict() -> None:
    with pytest.raises(NoKey):
        check(read_file(document(payload(12, BEGIN))))


def test_every_rule_has_its_words_source_and_certainty() -> None:
    for rule in Rule:
        assert rule.value.sentence
        assert rule.value.source
        assert rule.value.certainty in ("specified", "practice", "ours")


def test_every_rule_is_broken_by_some_row() -> None:
    rows = {row[0] for row in WRONG} | {row[0] for row in FIELDS}
    assert rows | {Rule.SIGNATURE, Rule.KEY} == set(Rule)


@given(
    begin=st.decimals(0, 10**12, allow_nan=False, places=9),
    more=st.decimals(0, 10**6, allow_nan=False, places=12),
)
def test_energy_is_the_exact_difference(begin: Decimal, more: Decimal) -> None:
    first, last = reading("B", f"{begin:f}", 0), reading("E", f"{begin + more:f}", 40)
    assert whole(first, last).verdict.energy_wh == (begin + more) * 1000 - begin * 1000


@pytest.mark.parametrize(
    ("code", "flow"),
    [
        ("1-b:1.8.0", Flow.DRAWN),
        ("1-0:1.8.1", Flow.DRAWN),
        ("1-0:1.8.0*198", Flow.DRAWN),
        ("01-00:01.08.00.FF", Flow.DRAWN),
        ("01-00:98.08.00*FF", Flow.DRAWN),
        ("01-00:9E.08.00*FF", Flow.DRAWN),
        ("01-00:B0.08.00*FF", Flow.DRAWN),
        ("01-00:b3.08.00*ff", Flow.DRAWN),
        ("1-0:2.8.0", Flow.FED_BACK),
        ("01-00:C2.08.00*FF", Flow.FED_BACK),
        ("1-0:16.7.0", Flow.OTHER),
        ("1-0:1.7.0", Flow.OTHER),
        ("01-00:00.08.06", Flow.OTHER),
        ("7-0:1.8.0", Flow.OTHER),
    ],
)
def test_what_a_register_counts(code: str, flow: Flow) -> None:
    register = read_register(code)
    assert register is not None
    assert register.flow is flow


@pytest.mark.parametrize(
    "code", ["", "energy", "1.8.0", "1-0:1.8", "1-0:1.8.0*", "1-0:1.8.0*FFFF", "100-0:1.8.0"]
)
def test_what_is_no_register(code: str) -> None:
    assert read_register(code) is None


def test_one_register_however_it_is_spelt() -> None:
    spelt = ["1-0:1.8.0", "01-00:01.08.00", "1-0:1.8.0*255", "01-00:01.08.00.FF", " 1-0:1.8.0*ff "]
    assert len({read_register(code) for code in spelt}) == 1
    assert read_register("1-0:1.8.0*198") != read_register("1-0:1.8.0")


def test_the_register_closest_to_the_car_is_preferred() -> None:
    codes = ["1-0:1.8.1", "1-0:1.8.0", "1-0:B2.8.0", "1-0:B1.8.0", "1-0:B3.8.0"]
    ranks = [register.rank for code in codes if (register := read_register(code))]
    assert ranks == sorted(set(ranks))
    assert len(ranks) == len(codes)
