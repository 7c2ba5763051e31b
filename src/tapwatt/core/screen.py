"""What the terminal's screen says to the driver at each step: short lines, price and hold before the tap."""

from tapwatt.core.effects import SendCost, ShowOnTerminal
from tapwatt.core.energy import show_kwh
from tapwatt.core.hold import hold_sentence
from tapwatt.core.money import show
from tapwatt.core.session_state import Make, Reason, Session
from tapwatt.core.tariff.shown import price_sentence

RECEIPTS = "/d/receipts/"
"""Where receipts are, below the platform's public address."""


def offer(session: Session) -> tuple[Make, ...]:
    """Price and hold, before the tap."""
    currency = session.tariff.currency
    site = session.site
    price = price_sentence(
        session.tariff, at_ms=session.opened_ms, time_zone=site.time_zone, evse_kind=site.evse_kind
    )
    hold = hold_sentence(session.hold, currency=currency)
    return _show(session, price, hold, "Tap card")


def plug_in(session: Session) -> tuple[Make, ...]:
    """Paid, but no car yet."""
    return _show(session, "Approved", "Please plug in")


def starting(session: Session) -> tuple[Make, ...]:
    """Paid and connected."""
    return _show(session, "Approved", "Charging starts")


def charging(session: Session) -> tuple[Make, ...]:
    """Power flows."""
    return _show(session, "Charging", f"Connector {session.evse_id}")


def declined(session: Session) -> tuple[Make, ...]:
    """The authorisation was refused, and why in words."""
    return _show(session, "Not approved", session.detail or session.reason, "No charge was made")


def given_back(session: Session, reason: Reason) -> tuple[Make, ...]:
    """Nothing was delivered: nothing is taken."""
    return _show(session, reason.capitalize(), "Your hold is released")


def station_cost(session: Session, amount_minor: int, *, final: bool = False) -> tuple[Make, ...]:
    """The cost for the station's own display, if it has one."""
    meter, transaction_id = session.meter, session.transaction_id
    if not session.site.shows_costs or meter is None or transaction_id is None:
        return ()
    return (
        lambda key: SendCost(
            key=key,
            station_id=session.station_id,
            transaction_id=transaction_id,
            currency=session.tariff.currency,
            amount_minor=amount_minor,
            energy_wh=meter.delivered_wh,
            register_wh=meter.last_wh,
            read_ms=meter.last_ms,
            final=final,
        ),
    )


def receipt(session: Session) -> tuple[Make, ...]:
    """The end of a paid charge."""
    if session.bill is None or session.meter is None:
        return ()
    paid = show(session.bill.gross_minor, currency=session.bill.currency)
    lines = (f"Paid {paid}", f"{show_kwh(session.meter.delivered_wh)} kWh", "Thank you")
    return _show(session, *lines, with_receipt=True)


def is_receipt_link(line: str) -> bool:
    """Whether a line of a screen is the address of a receipt: a screen that can, draws it as a QR code."""
    return line.startswith(("http://", "https://")) and RECEIPTS in line


def _show(session: Session, *lines: str, with_receipt: bool = False) -> tuple[Make, ...]:
    terminal_id = session.terminal_id
    if terminal_id is None:
        return ()
    return (
        lambda key: ShowOnTerminal(key=key, terminal_id=terminal_id, lines=lines, with_receipt=with_receipt),
    )
