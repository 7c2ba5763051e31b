"""Operations as the golden commands, and operations that make no sense."""

from __future__ import annotations

import pytest
from tests.terminals.zvt.wire import HOLD, Wire

from tapwatt.terminals.messages import (
    Abort,
    BookTotal,
    Capture,
    CloseCardSession,
    CloseDay,
    Diagnose,
    DiagnosisKind,
    Display,
    OpenAuthorisations,
    Operation,
    Preauthorise,
    ReadCard,
    Register,
    Release,
    Status,
)
from tapwatt.terminals.zvt.codec import encode
from tapwatt.terminals.zvt.commands import command_of
from tapwatt.terminals.zvt.protocol import (
    EcrSettings,
)
from tapwatt.terminals.zvt.values import UnableToEncode


@pytest.fixture
def wire() -> Wire:
    return Wire()


# --- commands are the bytes of production -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "data"),
    [
        (Register(), "060006123456de0978"),
        (HOLD, "06221e1940490978040000000025000610e90e1f620241431f6306333834484832"),
        (Release(receipt="0231", currency="EUR"), "0625081940870231490978"),
        (
            Capture(receipt="0491", hold_minor=2500, amount_minor=1205, currency="EUR", reference="MF2246"),
            "0623211940870491490978040000000012950610e90e1f620241431f63064d4632323436",
        ),
        (OpenAuthorisations(), "06230387ffff"),
        (ReadCard(timeout_s=15), "06c00f0f1910fc0206081f1501d01f600107"),
        (Status(), "050103123456"),
        (Abort(), "06b000"),
        (
            BookTotal(receipt="0491", amount_minor=1205, currency="EUR", reference="MF2246"),
            "0624211940870491490978040000000012050610e90e1f620241431f63064d4632323436",
        ),
        (
            BookTotal(receipt="0491", amount_minor=1205, currency="EUR", authorisation_id="750711"),
            "0624181940870491490978040000000012053b3735303731310000",
        ),
        (CloseDay(), "065003123456"),
        (Diagnose(), "06700506031b0101"),
        (Diagnose(kind=DiagnosisKind.EMV_CONFIGURATION), "06700506031b0104"),
        (CloseCardSession(), "06c500"),
        (Display(lines=("Price", "0.59"), seconds=5), "06e011f005f1f0f55072696365f2f0f4302e3539"),
    ],
)
def test_operations_are_the_golden_commands(operation: Operation, data: str) -> None:
    settings = EcrSettings(password="123456", reference_prefix="AC")
    assert encode(command_of(operation, settings)).hex() == data


@pytest.mark.parametrize(
    "operation",
    [
        Capture(receipt="0231", hold_minor=2500, amount_minor=0, currency="EUR"),
        Capture(receipt="0231", hold_minor=2500, amount_minor=2501, currency="EUR"),
        Preauthorise(amount_minor=0, currency="EUR", reference="A"),
        BookTotal(receipt="0231", amount_minor=0, currency="EUR"),
        Display(lines=()),
        Display(lines=("x",) * 9),
        Release(receipt="12", currency="EUR"),
    ],
)
def test_senseless_operations_start_nothing(wire: Wire, operation: Operation) -> None:
    with pytest.raises(UnableToEncode):
        wire.ecr.start(operation, 0)
    assert wire.ecr.ready
