"""The code tables: every row has a meaning, and what has no row still gets one."""

from __future__ import annotations

import pytest

from tapwatt.terminals.messages import ResultKind
from tapwatt.terminals.zvt import codes


@pytest.mark.parametrize("code", range(256))
def test_every_code_means_something(code: int) -> None:
    result = codes.result(code)
    assert (result.code, bool(result.name), bool(result.text)) == (code, True, True)
    assert (result.kind is ResultKind.OK) == (code == 0)
    assert codes.intermediate_text(code)
    assert codes.state(code).ready == (code == 0)


def test_codes_of_the_reference_are_there() -> None:
    listed = "00 05 33 3D 41 64 65 66 6A 6B 6C 6E 6F 77 78 7A 83 85 9A 9B 9C A0 A1 A3 A5 B1 B2 B4 B5 B7 B8"
    listed += " C2 C3 C5 C6 C8 CC E0 E2 E3 E4 F0 FF"
    assert {int(code, 16) for code in listed.split()} <= set(codes.RESULTS)
    assert {
        int(code, 16) for code in ["00", "51", "62", "9C", "C2", "CC", "DF", "E0", "E2", "E4", "F0", "F6"]
    } == set(codes.STATES)


def test_remove_card_variants() -> None:
    assert codes.intermediate_text(0x4A) == "insert or hold your card, remove your card"
    assert codes.intermediate_text(0x5D) == "declined, remove your card"
    assert codes.intermediate_text(0x5E) == "contactless card read"


@pytest.mark.parametrize(("answer", "code"), [("00", 0), ("05", 5), ("51", 0x33), ("62", 0x3E), ("Z3", 0xFF)])
def test_host_answers_become_results(answer: str, code: int) -> None:
    assert codes.host_result(answer) == code
