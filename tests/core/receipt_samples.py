"""Receipts for tests: a plain one, and one on which everything is known."""

from dataclasses import replace
from decimal import Decimal

from tapwatt.core.bill import PER_TOTAL, limited
from tapwatt.core.receipt import Buyer, Card, Fiscal, Place, Purchase, Receipt, Seller
from tapwatt.core.tariff.model import Component, Dimension, Element, Tariff, Tax
from tapwatt.core.tariff.pricing import price
from tapwatt.core.tariff.usage import Period, Usage

START_MS = 1_795_003_440_000  # 18 Nov 2026, 12:44 in Berlin
VAT = (Tax(name="VAT", rate_percent=Decimal(19)),)
TARIFF = Tariff(
    tariff_id="DC",
    currency="EUR",
    elements=(
        Element(
            components=(
                Component(dimension=Dimension.ENERGY, price=Decimal("0.4900"), taxes=VAT),
                Component(dimension=Dimension.PARKING_TIME, price=Decimal(6), taxes=VAT),
                Component(dimension=Dimension.FLAT, price=Decimal(1), taxes=VAT),
            )
        ),
    ),
)
CHARGED, IDLED = 24 * 60_000 + 30_000, 10 * 60_000
USAGE = Usage(
    started_ms=START_MS,
    periods=(
        Period(
            started_ms=START_MS,
            ended_ms=START_MS + CHARGED,
            energy_wh=Decimal(22_901),
            charging_ms=CHARGED,
        ),
        Period(started_ms=START_MS + CHARGED, ended_ms=START_MS + CHARGED + IDLED, idle_ms=IDLED),
    ),
    time_zone="Europe/Berlin",
    evse_kind="DC",
)


def plain(tariff: Tariff = TARIFF, usage: Usage = USAGE) -> Receipt:
    """What the sandbox can know today."""
    bill = price(tariff, usage, PER_TOTAL)
    return Receipt(
        number="R-2026-000042",
        issued_ms=START_MS + CHARGED + IDLED + 21_000,
        language="en",
        seller=Seller(
            legal_name="Demo Charging Ltd",
            address=("Sandbox Road 1", "00000 Nowhere"),
            country="DE",
            vat_id="SANDBOX-1",
            helpline="+49 30 000000",
        ),
        place=Place(name="Forecourt", address=("Sandbox Road 2",), country="DE", evse_name="DE*TST*ECS1*1"),
        purchase=Purchase(
            session_id="S1A2B3C4D5E6F7G8",
            station_id="CS1",
            evse_id=1,
            time_zone="Europe/Berlin",
            started_ms=START_MS,
            ended_ms=START_MS + CHARGED + IDLED,
            charging_ms=CHARGED,
            idle_ms=IDLED,
            register_begin_wh=1_204_330,
            register_end_wh=1_227_231,
            energy_wh=22_901,
            bill=bill,
            hold_minor=6000,
            captured_minor=bill.gross_minor,
            released_minor=6000 - bill.gross_minor,
            card=Card(scheme="visa", last_four="1111", approval_code="831274", tid="52523535"),
        ),
    )


def whole() -> Receipt:
    """Everything that a receipt can say."""
    receipt = plain()
    bought = receipt.purchase
    return replace(
        receipt,
        language="de",
        seller=replace(
            receipt.seller,
            tax_scheme="MwSt",
            complaints="ombud@demo.example",
            verification="demo.example/ocmf",
        ),
        place=replace(receipt.place, meter_serial="M-77"),
        purchase=replace(
            bought,
            bill=limited(bought.bill, 1400),
            hold_minor=1400,
            captured_minor=1400,
            released_minor=0,
            card=replace(
                bought.card,
                entry_mode="contactless",
                aid="A0000000031010",
                mid="000000000123456",
                acquirer_reference="74123456789012345678901",
            ),
            signed_data="demo.example/s/1",
            public_key="3059301306072A8648CE3D020106082A8648CE3D03010703420004",
        ),
        fiscal=Fiscal(fiscal_id="F-9", qr="F-9", signature="SIG"),
        buyer=Buyer(name="Fleet GmbH", vat_id="DE000000000"),
    )
