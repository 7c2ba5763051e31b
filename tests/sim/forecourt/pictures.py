"""Moments worth a picture in the documents."""

from typing import Final

from tests.sim.forecourt.scenes import FREE, HOLD, charging, facts, session, stated, stay

from tapwatt.sim.forecourt.facts import Bay, Device, Facts, Stated, Told

PARTIES: Final = ("issuer", "scheme", "acquirer", "gateway", "ledger", "session")


def everybody(books: Stated) -> dict[str, Stated | None]:
    """All six parties with the same in their books."""
    return dict.fromkeys(PARTIES, books)


def screen(*lines: str, doing: str = "read_card") -> Device:
    """The terminal in order, showing this."""
    return Device(screen=lines, reading=doing == "read_card", doing=doing, edge=True, gateway=True)


LINK: Final = "http://127.0.0.1:8080/d/receipts/7Q2M0FZ4T8K6W1XJ5N3RB9VDCE"
FULL: Final = Bay(
    evse_id=1, status="finishing", plugged=True, charging=False, target_wh=2_000, delivered_wh=2_000
)
WAITING: Final = Bay(evse_id=1, status="preparing", plugged=True, target_wh=2_000)
MOMENTS: Final[dict[str, Facts]] = {
    "forecourt": facts(
        Told(
            session=session("charging", authorised_minor=HOLD, cost="0.63 EUR"),
            parties=everybody(stated(HOLD)),
        ),
        stay=stay(),
        bays=charging(1_080),
        device=screen("Charging", "Connector 1"),
    ),
    "forecourt-silent-issuer-dark": facts(
        Told(
            session=session("failed", reason="payment declined", cost="0.00 EUR", energy_wh=0),
            parties={
                **everybody(stated(0)),
                "issuer": stated(HOLD, 0, HOLD),
            },
        ),
        stay=stay("visa-good", "silence-issuer"),
        bays=(WAITING, FREE[1]),
        on=frozenset({"silence-issuer"}),
        device=screen("Not approved", "Your bank cannot be reached. Please try again", "No charge was made"),
    ),
    "forecourt-phone": facts(
        Told(
            session=session("closed", authorised_minor=HOLD, captured_minor=117, released_minor=2_383),
            parties=everybody(stated(HOLD, 117, 2_383)),
        ),
        stay=stay(),
        bays=(FULL, FREE[1]),
        device=screen("Paid 1.17 EUR", "2.000 kWh", "Thank you", LINK),
    ),
    "forecourt-phone-dark": facts(
        Told(
            session=session(
                "failed",
                reason="payment declined",
                detail="Card could not be verified. Please use another card",
                cost="0.00 EUR",
                energy_wh=0,
            ),
            parties=everybody(stated(0)),
        ),
        stay=stay("visa-forged"),
        bays=(WAITING, FREE[1]),
        device=screen(
            "Not approved", "Card could not be verified. Please use another card", "No charge was made"
        ),
    ),
}
