"""The receipt: its text to the letter, its credit notes to the cent."""

import re
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.receipt_samples import TARIFF, USAGE, plain, whole

from tapwatt.core.bill import Rounding
from tapwatt.core.ids import receipt_token
from tapwatt.core.receipt import Card, Credited, Receipt, Series, UnableToCredit, credit
from tapwatt.core.receipt_shown import amount, exact_amount, moment, shown
from tapwatt.core.receipt_text import COLUMNS, receipt_text, width
from tapwatt.core.receipt_words import LANGUAGES, ROUNDINGS
from tapwatt.core.tariff.model import Component, Dimension, Element, Tariff, Tax
from tapwatt.core.tariff.pricing import price

GOLDEN = Path(__file__).parents[1] / "vectors" / "receipts"


def note(receipt: Receipt, amount_minor: int | None, *earlier: Receipt, why: str = "cable broken") -> Receipt:
    """The credit note as it would be stored."""
    bill = credit(receipt, amount_minor=amount_minor, why=why, earlier=earlier)
    purchase = replace(receipt.purchase, bill=bill)
    return replace(receipt, number="R-2026-000043", credit_of=receipt.number, why=why, purchase=purchase)


def credited(receipt: Receipt, *notes: Receipt) -> Receipt:
    """The receipt as it is shown once notes stand against it."""
    return replace(
        receipt,
        credits=tuple(
            Credited(number=n.number, amount_minor=-n.bill.gross_minor, at_ms=n.issued_ms, why=n.why)
            for n in notes
        ),
    )


@pytest.mark.parametrize(
    ("name", "receipt"),
    [
        ("plain-en", plain()),
        ("plain-de", replace(plain(), language="de-AT")),
        ("everything-de", whole()),
        ("everything-zh", replace(whole(), language="zh-Hans")),
        ("credit-note-part-en", note(plain(), 500)),
        ("credit-note-whole-de", note(whole(), None)),
        ("credited-en", credited(plain(), note(plain(), 500))),
    ],
)
def test_the_text_is_this_one(name: str, receipt: Receipt) -> None:
    text = receipt_text(receipt)
    assert text == (GOLDEN / f"{name}.txt").read_text("utf-8")
    assert max(width(line) for line in text.splitlines()) <= COLUMNS


@given(
    text=st.text(alphabet="aé 收据，한9-", min_size=1, max_size=150),
    language=st.sampled_from(["en", "zh"]),
)
def test_no_line_is_wider_than_the_paper_and_nothing_is_lost(text: str, language: str) -> None:
    receipt = plain()
    named = replace(receipt, language=language, seller=replace(receipt.seller, legal_name=text), why=text)
    lines = receipt_text(named).splitlines()
    assert max(map(width, lines)) <= COLUMNS
    assert re.sub(r"\s", "", "".join(lines)).count(re.sub(r"\s", "", text)) >= 2 or not text.strip()


def test_everything_on_the_model_is_on_the_paper() -> None:
    receipt = whole()
    text = re.sub(r"\s", "", receipt_text(receipt))
    for value in (receipt.seller, receipt.place, receipt.purchase.card, receipt.fiscal, receipt.buyer):
        for field in fields(value):  # type: ignore[arg-type]
            said = getattr(value, field.name)
            for part in said if isinstance(said, tuple) else (said,):
                assert re.sub(r"\s", "", part.capitalize() if field.name == "scheme" else part) in text, field


def test_what_is_not_known_is_not_there() -> None:
    receipt = plain()
    bare = replace(receipt, purchase=replace(receipt.purchase, card=Card(), account_id="A1", idle_ms=0))
    text = receipt_text(bare)
    for word in ("Meter", "AID", "MID", "Acquirer", "Complaints", "10 min", "Card", "device", "None"):
        assert word not in text.partition("-- Price")[0] + text.partition("Rounding")[2], word
    assert "Account" in text


def test_every_language_has_every_word() -> None:
    english = LANGUAGES["en"]
    for language, said in LANGUAGES.items():
        assert said.keys() == english.keys(), language
        assert all(said.values())
        assert re.findall(r"{\w+}", said["tax_on"]) == re.findall(r"{\w+}", english["tax_on"])
    assert set(ROUNDINGS) == set(LANGUAGES) - {"en"}


def test_an_unknown_language_is_english() -> None:
    assert shown(replace(plain(), language="xx")).title == "Receipt"


def test_a_clock_change_is_seen_in_the_offset() -> None:
    before_ms = 1_792_889_940_000  # 25 Oct 2026, 02:59 in Berlin, the first time
    assert moment(before_ms, "Europe/Berlin", "de") == "25.10.2026 02:59:00 UTC+02:00"
    assert moment(before_ms + 60_000, "Europe/Berlin", "de") == "25.10.2026 02:00:00 UTC+01:00"
    assert moment(before_ms, "Europe/Berlin", "zh") == "2026-10-25 02:59:00 UTC+02:00"
    assert moment(before_ms, "America/St_Johns", "en") == "24 Oct 2026 22:29:00 UTC-02:30"


@pytest.mark.parametrize(
    ("minor", "currency", "english", "german"),
    [
        (123_456, "EUR", "1,234.56 EUR", "1.234,56 EUR"),
        (1_200, "JPY", "1,200 JPY", "1.200 JPY"),
        (-1_234_567, "KWD", "-1,234.567 KWD", "-1.234,567 KWD"),
    ],
)
def test_amounts_are_written_as_the_language_does(
    minor: int, currency: str, english: str, german: str
) -> None:
    assert amount(minor, currency, "en") == english
    assert amount(minor, currency, "de-CH") == german


def test_exact_amounts_keep_their_decimals() -> None:
    assert exact_amount(Decimal("13.3535731"), "EUR", "en") == "13.3536"
    assert exact_amount(Decimal("0.49"), "EUR", "de") == "0,49"
    assert exact_amount(Decimal(1500), "JPY", "en") == "1,500"
    assert exact_amount(Decimal(1), "EUR", "en") == "1.00"


def test_numbers_stand_in_a_series_a_year_or_one_for_ever() -> None:
    assert Series().number(2026, 1) == "R-2026-000001"
    assert Series(prefix="AB", yearly=False, digits=4).number(2026, 12) == "AB-0012"


def test_a_link_cannot_be_guessed() -> None:
    assert len(receipt_token(b"\x01" * 17)) * 5 >= 128
    with pytest.raises(ValueError, match="26 symbols need 17 random bytes"):
        receipt_token(b"\x01" * 16)


def test_a_receipt_survives_being_stored() -> None:
    for receipt in (plain(), whole(), credited(plain(), note(plain(), 500))):
        assert msgspec.json.decode(msgspec.json.encode(receipt), type=Receipt) == receipt


def mixed(energy_tax: int, flat_tax: int) -> Tariff:
    """Two taxes in one bill."""
    return replace(
        TARIFF,
        elements=(
            Element(
                components=(
                    Component(
                        dimension=Dimension.ENERGY,
                        price=Decimal("0.4321"),
                        taxes=(Tax(name="VAT", rate_percent=Decimal(energy_tax)),),
                    ),
                    Component(
                        dimension=Dimension.FLAT,
                        price=Decimal("3.33"),
                        taxes=(Tax(name="GST", rate_percent=Decimal(flat_tax)),),
                    ),
                )
            ),
        ),
    )


@given(
    shares=st.lists(st.integers(1, 400), min_size=1, max_size=6),
    rates=st.tuples(st.sampled_from([0, 5, 7, 19]), st.sampled_from([0, 7, 19, 25])),
    by_line=st.booleans(),
)
def test_parts_come_to_the_cent_to_the_whole(
    shares: list[int], rates: tuple[int, int], by_line: bool
) -> None:
    receipt = plain(tariff=mixed(*rates))
    if by_line:
        rounding = Rounding(basis=receipt.bill.rounding.basis.LINE, name="each line, half up")
        bill = price(mixed(*rates), USAGE, rounding)
        receipt = replace(receipt, purchase=replace(receipt.purchase, bill=bill))
    notes: tuple[Receipt, ...] = ()
    for share in (*shares, None):
        left = receipt.bill.gross_minor + sum(each.bill.gross_minor for each in notes)
        if not left:
            break
        notes = (*notes, note(receipt, None if share is None else min(share, left), *notes))
        for each in notes:
            assert each.bill.gross_minor == each.bill.net_minor + each.bill.tax_minor
            assert sum(tax.amount_minor for tax in each.bill.taxes) == each.bill.tax_minor
            assert sum((line.gross for line in each.bill.lines), Decimal(0)) == each.bill.exact_gross
    total = [sum(getattr(each.bill, f"{name}_minor") for each in notes) for name in ("net", "tax", "gross")]
    assert total == [-receipt.bill.net_minor, -receipt.bill.tax_minor, -receipt.bill.gross_minor]
    with pytest.raises(UnableToCredit, match=r"0.00 EUR of R-2026-000042 is left"):
        note(receipt, 1, *notes)


@pytest.mark.parametrize("wanted", [0, -1, 1574, 10**9])
def test_never_more_than_was_billed(wanted: int) -> None:
    receipt = plain()
    assert receipt.bill.gross_minor == 1573
    with pytest.raises(UnableToCredit, match=r"15.73 EUR of R-2026-000042 is left"):
        note(receipt, wanted)


def test_a_credit_note_cannot_be_credited() -> None:
    with pytest.raises(UnableToCredit, match="is a credit note itself"):
        note(note(plain(), 500), 100)


def test_a_whole_credit_takes_every_line_back() -> None:
    receipt = plain()
    taken = note(receipt, None).bill
    assert [line.gross for line in taken.lines] == [-line.gross for line in receipt.bill.lines]
    assert taken.credit_of == receipt.number
