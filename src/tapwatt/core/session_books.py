"""What a step of a session writes into the books: postings from what changed, and the driver's receipt."""

from tapwatt.core import ledger
from tapwatt.core.bill import limited
from tapwatt.core.effects import Effect, Post
from tapwatt.core.receipt import Card, Purchase
from tapwatt.core.session_state import Make, Session, number


def driver_receipt(session: Session) -> Purchase | None:
    """What a receipt says of a billed session; None when nothing was metered or billed. Seller, place and
    number are not the session's to know."""
    meter, bill, paid = session.meter, session.bill, session.payment
    if meter is None or bill is None or paid is None:
        return None
    periods = session.usage.periods if session.usage else ()
    return Purchase(
        session_id=session.session_id,
        station_id=session.station_id,
        evse_id=session.evse_id,
        time_zone=session.site.time_zone,
        started_ms=meter.first_ms,
        ended_ms=meter.last_ms,
        charging_ms=sum(period.charging_ms for period in periods),
        idle_ms=sum(period.idle_ms for period in periods),
        register_begin_wh=meter.first_wh,
        register_end_wh=meter.last_wh,
        energy_wh=meter.delivered_wh,
        bill=bill,
        hold_minor=paid.authorised_minor,
        captured_minor=paid.captured_minor,
        released_minor=paid.released_minor,
        card=Card(
            scheme=paid.brand, last_four=paid.last_four, approval_code=paid.approval_code, tid=paid.tid
        ),
        account_id=paid.account_id,
    )


def book(before: Session | None, after: Session) -> tuple[Session, tuple[Effect, ...]]:
    """The postings of a step, from what changed: what moved in the payment moves in the ledger."""
    old, new, currency = before and before.payment, after.payment, after.tariff.currency
    postings: list[ledger.Posting] = []
    if new is not None:
        held = new.authorised_minor - (old.authorised_minor if old else 0)
        taken = new.captured_minor - (old.captured_minor if old else 0)
        released = new.released_minor - (old.released_minor if old else 0)
        refunded = new.refunded_minor - (old.refunded_minor if old else 0)
        if held:
            postings.append(ledger.hold(held, currency=currency))
        if taken:
            postings.append(_capture_posting(after, taken))
        if released:
            postings.append(ledger.release(released, currency=currency))
        if refunded:
            postings.append(_refund_posting(after, refunded))
    lost = after.lost_minor - (before.lost_minor if before else 0)
    if lost:
        postings.append(ledger.loss(lost, currency=currency))
    return number(after, *(_post(posting) for posting in postings))


def _post(posting: ledger.Posting) -> Make:
    return lambda key: Post(key=key, posting=posting)


def _capture_posting(session: Session, taken_minor: int) -> ledger.Posting:
    bill = session.bill and limited(session.bill, abs(taken_minor))
    tax_minor = (bill.tax_minor if bill else 0) * (1 if taken_minor > 0 else -1)
    return ledger.capture(
        net_minor=taken_minor - tax_minor,
        tax_minor=tax_minor,
        leader=session.payment.leader if session.payment else "none",
        currency=session.tariff.currency,
    )


def _refund_posting(session: Session, refunded_minor: int) -> ledger.Posting:
    bill = session.bill and limited(session.bill, refunded_minor)
    tax_minor = bill.tax_minor if bill else 0
    return ledger.refund(
        net_minor=refunded_minor - tax_minor,
        tax_minor=tax_minor,
        leader=session.payment.leader if session.payment else "none",
        currency=session.tariff.currency,
    )
