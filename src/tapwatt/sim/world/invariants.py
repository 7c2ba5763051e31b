"""What must be true of every world when it is over, whatever was cut, killed or lost in it.

Each invariant is a plain function: the books of all parties in, one sentence out for every breach. "A person
has it" (review) is an allowed end only where an alarm stands beside it: then the loss has an owner.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from tapwatt.core.payment import OPEN, PaymentState
from tapwatt.core.session import Session, SessionState
from tapwatt.core.tariff import price
from tapwatt.edge.operation import Hold, Operation, State
from tapwatt.hosts.issuer.decide import Status
from tapwatt.platform.accounts import HELD
from tapwatt.rails.relay_states import OPEN_STATUSES, Relay, RelayStatus
from tapwatt.rails.sandbox import cards
from tapwatt.sim.books import AdviceState
from tapwatt.sim.books import PaymentState as SlipState
from tapwatt.sim.station import FIRST_REGISTER_WH
from tapwatt.sim.visits import DONE
from tapwatt.sim.world.evidence import Evidence
from tapwatt.sim.world.neighbour import both
from tapwatt.store import Row
from tapwatt.uplink.messages import OperationKind

Breaches = Iterator[str]
HELD_NOW: Final = (*OPEN, PaymentState.AUTHORISED)
ENDS: Final = (SessionState.CLOSED, SessionState.FAILED, SessionState.REVIEW)


def every_visit_ends(books: Evidence) -> Breaches:
    """Each driver has left and each session has come to an end."""
    for visit in books.visits:
        if visit.state != DONE:
            yield f"visit {visit.number} never ended"
    for session in books.sessions:
        if session.state not in ENDS:
            yield f"session {session.session_id} is still {session.state}"


def no_hold_stays_open(books: Evidence) -> Breaches:
    """Nobody holds a driver's money any more, but where a person has been told."""
    waits = {session.reference for session in books.sessions if books.person_has_it(session)}
    for session in books.sessions:
        paid = session.payment
        if paid is not None and paid.state in HELD_NOW and session.reference not in waits:
            yield f"session {session.session_id}: its payment is still {paid.state}"
    for slip in books.slips:
        if (
            slip.state in (SlipState.SENT, SlipState.OPEN, SlipState.REVERSING)
            and slip.reference not in waits
        ):
            yield f"terminal: receipt {slip.receipt} ({slip.reference}) is still {slip.state}"
    for name, relays in books.relays.items():
        for relay in relays:
            if relay.status in OPEN_STATUSES and relay.identity.reference not in waits:
                yield f"{name}: {_named(relay)} is still {relay.status}"
    for hold in books.issuer:
        if hold.open and hold.authorisation.identity.reference not in waits:
            said = hold.authorisation.identity
            yield f"issuer: {said.life_cycle} ({said.reference}) still holds {hold.held_minor}"
    for row in books.account_holds:
        if row.state == HELD:
            yield f"account {row.account_id}: payment {row.payment_id} still holds {row.held_minor}"


def each_hold_ends_once(books: Evidence) -> Breaches:
    """One capture, one release, or one recorded loss with an owner; and every minor unit is accounted for."""
    for hold in books.issuer:
        said, status = hold.authorisation.identity, hold.authorisation.status
        if len(hold.posted) > 1:
            yield f"issuer: {said.life_cycle} was taken {len(hold.posted)} times: {hold.posted}"
        if bool(hold.posted) != (status is Status.COMPLETED):
            yield f"issuer: {said.life_cycle} is {status} and was taken {len(hold.posted)} times"
        if status is Status.APPROVED and not hold.open:
            yield f"issuer: {said.life_cycle} is approved and holds nothing"
    for slip in books.slips:
        if slip.state in (SlipState.CAPTURED, SlipState.RELEASED) and (
            slip.authorised_minor != slip.captured_minor + slip.released_minor
        ):
            yield f"terminal: receipt {slip.receipt} does not add up"
        ends = [each for each in books.advices if each.payment_id == slip.id]
        if len(ends) > 1:
            yield f"terminal: receipt {slip.receipt} was ended {len(ends)} times"
    for session in books.sessions:
        paid = session.payment
        if paid is None or session.state is SessionState.REVIEW:
            continue
        if paid.authorised_minor != paid.captured_minor + paid.released_minor:
            yield (
                f"session {session.session_id}: of {paid.authorised_minor} held, {paid.captured_minor} taken "
                f"and {paid.released_minor} given back"
            )


def all_parties_agree(books: Evidence) -> Breaches:
    """Session, ledger, terminal, gateway, acquirer, scheme and issuer took the same amount for a payment."""
    known = {session.reference: session for session in books.sessions}
    ledger = books.ledger("captured", "hold_contra")
    accounts = {row.payment_id: row.captured_minor for row in books.account_holds}
    for reference in sorted(books.references()):
        session = known.get(reference)
        if session is not None and session.payment is not None and session.payment.leader == "account":
            said = session.payment.captured_minor, accounts.get(session.session_id, 0)
            if len({*said, ledger[session.session_id]}) > 1:
                yield f"payment {reference}: session and account took {said}, ledger another amount"
        taken = {"terminal": sum(s.captured_minor for s in books.slips if s.reference == reference)}
        for name, relays in books.relays.items():
            taken[name] = sum(r.captured_minor for r in relays if r.identity.reference == reference)
        taken["issuer"] = sum(sum(h.posted) for h in books.issuer_holds(reference))
        if session is None or session.payment is None or session.payment.leader == "terminal":
            taken["session"] = session.payment.captured_minor if session and session.payment else 0
            taken["ledger"] = ledger[session.session_id] if session else 0
        if len(set(taken.values())) > 1:
            yield f"payment {reference}: " + ", ".join(f"{who} took {much}" for who, much in taken.items())


def all_parties_saw_one_hold(books: Evidence) -> Breaches:
    """Where a payment was taken, or is still to be, everybody knows the same hold."""
    known = {session.reference: session.payment for session in books.sessions if session.payment}
    for slip in books.slips:
        paid, taken = known.get(slip.reference), slip.state == SlipState.CAPTURED
        if not taken and not (slip.state == SlipState.OPEN and paid is not None and paid.approval_code):
            continue
        held = {"terminal": slip.authorised_minor}
        if paid is not None:
            held["session"] = paid.authorised_minor
        for name, relays in books.relays.items():
            held[name] = max((r.authorised_minor for r in relays if _is_of(r, slip)), default=0)
        issuer = [each for each in books.issuer_holds(slip.reference) if each.open or each.posted]
        held["issuer"] = sum(hold.held_minor for hold in issuer)
        if len(set(held.values())) > 1:
            yield f"payment {slip.reference}: " + ", ".join(
                f"{who} held {much}" for who, much in held.items()
            )


def bill_and_receipt_say_what_was_taken(books: Evidence) -> Breaches:
    """The bill, the receipt and the ledger of a paid session are one amount."""
    captured = books.ledger("captured", "hold_contra")
    for session in books.sessions:
        paid, receipts = session.payment, books.receipts.get(session.session_id, ())
        if len(receipts) > 1:
            yield f"session {session.session_id} has {len(receipts)} receipts"
        if paid is None or paid.state is not PaymentState.CAPTURED:
            if receipts:
                yield f"session {session.session_id} has a receipt and took nothing"
            continue
        said = {"payment": paid.captured_minor, "ledger": captured[session.session_id]}
        if session.bill is not None:
            said["bill"] = session.bill.gross_minor
        if not receipts and session.state is SessionState.CLOSED:
            yield f"session {session.session_id} took {paid.captured_minor} and gave no receipt"
        for receipt in receipts:
            said |= {"receipt": receipt.purchase.captured_minor, "receipt's bill": receipt.bill.gross_minor}
        if len(set(said.values())) > 1:
            yield f"session {session.session_id}: " + ", ".join(f"{k} says {v}" for k, v in said.items())


def nothing_above_the_hold(books: Evidence) -> Breaches:
    """Nobody took more than the last confirmed hold."""
    for session in books.sessions:
        if session.payment and session.payment.captured_minor > session.payment.authorised_minor:
            yield f"session {session.session_id} took more than was held"
    for slip in books.slips:
        if slip.captured_minor > slip.authorised_minor:
            yield f"terminal: receipt {slip.receipt} took more than was held"
    for name, relays in books.relays.items():
        for relay in relays:
            # A completion that overtook a lost approval finds no amount here; the issuer is asked below.
            if relay.authorised_minor and relay.captured_minor > relay.authorised_minor:
                yield f"{name}: {_named(relay)} took more than was held"
    for hold in books.issuer:
        if sum(hold.posted) > hold.held_minor:
            yield f"issuer: {hold.authorisation.identity.life_cycle} took more than was held"
    for row in books.account_holds:
        if row.captured_minor > row.held_minor:
            yield f"account {row.account_id}: payment {row.payment_id} took more than was held"


def energy_is_billed_lost_or_reviewed(books: Evidence) -> Breaches:
    """What the station delivered is what the session metered, and its price is taken, lost or in review."""
    sessions = {session.session_id: session for session in books.sessions}
    for charge in books.charges:
        if charge.stop_wh is None:
            yield f"station: charge {charge.id} never ended"
            continue
        energy_wh = charge.stop_wh - charge.start_wh
        row = books.transactions.get(charge.transaction_id or "")
        if row is None:
            if energy_wh:
                yield f"station: charge {charge.id}: the platform knows nothing of its {energy_wh} Wh"
            continue
        session = sessions.get(row.session_id or "")
        if session is None:
            if energy_wh and not books.is_told(row.transaction_id, energy_wh):
                yield f"transaction {row.transaction_id}: {energy_wh} Wh belong to no session ({row.verdict})"
            continue
        if books.person_has_it(session):
            continue
        metered_wh = session.meter.delivered_wh if session.meter else 0
        if session.transaction_id != charge.transaction_id:
            if energy_wh:
                yield f"session {session.session_id}: {energy_wh} Wh of {row.transaction_id} not counted"
        elif metered_wh != energy_wh:
            yield f"session {session.session_id} metered {metered_wh} Wh of {energy_wh} Wh delivered"
        else:
            yield from _price_is_accounted_for(session, energy_wh)


def _price_is_accounted_for(session: Session, energy_wh: int) -> Breaches:
    used = session.usage
    if used is None or used.energy_wh != energy_wh:
        yield f"session {session.session_id}: its periods hold {used and used.energy_wh} of {energy_wh} Wh"
        return
    due = price(session.tariff, used, session.site.rounding).gross_minor
    taken = session.payment.captured_minor if session.payment else 0
    if due != taken + (lost := session.lost_minor):
        yield f"session {session.session_id}: {energy_wh} Wh cost {due}, taken {taken} and lost {lost}"


def postings_sum_to_zero(books: Evidence) -> Breaches:
    """Each posting balances, and so do the hold accounts of a session that is over."""
    sums: Counter[str] = Counter()
    holds: Counter[str] = Counter()
    for entry in books.entries:
        sums[entry.key] += entry.amount_minor
        if entry.account == "hold":
            holds[entry.session_id] += entry.amount_minor
    for key, amount in sums.items():
        if amount:
            yield f"posting {key} is out of balance by {amount}"
    over = {session.session_id for session in books.sessions if session.state is not SessionState.REVIEW}
    for session_id, amount in holds.items():
        if amount and session_id in over:
            yield f"session {session_id}: {amount} are still held in the ledger"


def each_database_is_consistent(books: Evidence) -> Breaches:
    """Each party's rows tell one story without asking anybody else."""
    yield from _platform_is_consistent(books)
    for name, relays in books.relays.items():
        for cycle, number in Counter(relay.identity.life_cycle for relay in relays).items():
            if number > 1:
                yield f"{name}: life cycle {cycle} is there {number} times"
        for relay in relays:
            if relay.alarm:
                yield f"{name}: {_named(relay)} is parked: {relay.alarm}"
            if relay.captured_minor and relay.status is not RelayStatus.COMPLETED:
                yield f"{name}: {_named(relay)} took {relay.captured_minor} and is {relay.status}"
    opening = {f"account-{card.name}": card.balance_minor for card in cards()}
    for account, balance in books.issuer_balances.items():
        spent = opening[account] - balance
        if spent != (posted := books.issuer_paid.get(account, 0)):
            yield f"issuer: account {account} is {spent} down, its postings say {posted}"
    yield from _edge_is_consistent(books)
    yield from _site_is_consistent(books)


def _platform_is_consistent(books: Evidence) -> Breaches:
    kinds = {
        "authorised_minor": books.ledger("authorised", "hold"),
        "captured_minor": books.ledger("captured", "hold_contra"),
        "released_minor": books.ledger("released", "hold_contra"),
    }
    lost = books.ledger("lost", "loss_operator")
    for session in books.sessions:
        for name, ledger in kinds.items():
            own = getattr(session.payment, name) if session.payment else 0
            if own != ledger[session.session_id]:
                said = ledger[session.session_id]
                yield f"session {session.session_id}: {name} {own}, the ledger says {said}"
        if session.lost_minor != lost[session.session_id]:
            yield f"session {session.session_id}: lost {session.lost_minor}, the ledger says otherwise"
        if session.state is SessionState.REVIEW and session.session_id not in books.alarmed:
            yield f"session {session.session_id} waits in review and nobody was told"
    opening = {
        (operator["operator_id"], account["account_id"]): account["balance_minor"]
        for operator in both()["operators"]
        for account in operator["accounts"]
    }
    moved: Counter[tuple[str, str]] = Counter()
    for row in books.account_holds:
        moved[row.operator_id, row.account_id] += row.held_minor if row.state == HELD else row.captured_minor
    for account, balance in books.account_balances.items():
        if opening[account] - balance != moved[account]:
            yield f"account {account} is {opening[account] - balance} down, its holds say {moved[account]}"


def _edge_is_consistent(books: Evidence) -> Breaches:
    waits = {session.session_id for session in books.sessions if books.person_has_it(session)}
    holds = {
        (each.terminal_id, each.keys.receipt): each for each in books.operations if each.keys and _holds(each)
    }
    for operation in books.operations:
        if not operation.ended:
            yield f"edge: operation {operation.key} is still {operation.state}"
        if _holds(operation) and operation.hold is Hold.OPEN and operation.key.split(".")[0] not in waits:
            yield f"edge: the hold of operation {operation.key} is still open"
        if operation.request is None or not operation.finishes or operation.state is not State.DONE:
            continue
        holder = holds.get((operation.terminal_id, operation.asked.receipt))
        taken = operation.amount_minor if operation.asked.kind is OperationKind.CAPTURE else 0
        if holder is not None and holder.captured_minor != taken:
            yield f"edge: operation {operation.key} took {taken} of a hold that lost {holder.captured_minor}"


def _site_is_consistent(books: Evidence) -> Breaches:
    for advice in books.advices:
        if advice.state != AdviceState.ANSWERED:
            yield f"terminal: an advice of payment {advice.payment_id} is {advice.state}: {advice.reason}"
    flowed: Counter[int] = Counter()
    for charge in books.charges:
        flowed[charge.evse_id] += (charge.stop_wh or charge.start_wh) - charge.start_wh
    for evse_id, register_wh in books.registers.items():
        if register_wh - FIRST_REGISTER_WH != flowed[evse_id]:
            yield f"station: connector {evse_id} is at {register_wh} Wh, its charges are {flowed[evse_id]}"


def each_operator_sees_its_own(books: Evidence) -> Breaches:
    """Rows belong to the operator of their session, and a session is priced by its own operator's tariff."""
    sessions = {session.session_id: session for session in books.sessions}
    for what, session_id, operator_id in books.owners:
        session = sessions.get(session_id)
        if session is not None and session.operator_id != operator_id:
            yield f"{what} of session {session_id} ({session.operator_id}) belongs to {operator_id}"
    for entry in books.entries:
        if entry.operator_id != sessions[entry.session_id].operator_id:
            yield f"posting {entry.key} belongs to {entry.operator_id}"
    own = {each["operator_id"]: each for each in both()["operators"]}
    for session in books.sessions:
        operator, tariff = own[session.operator_id], session.tariff
        if session.station_id not in {each["station_id"] for each in operator.get("stations", ())}:
            yield f"session {session.session_id}: {session.operator_id} has no station {session.station_id}"
        prices = {each["tariff_id"]: Decimal(each["kwh_price"]) for each in operator["tariffs"]}
        priced = tariff.elements[0].components[0].price
        if prices.get(tariff.tariff_id) != priced:
            yield f"session {session.session_id} is priced {priced}, its operator says otherwise"


def a_repeat_is_the_same_message(books: Evidence) -> Breaches:
    """Whoever says an advice again says it under the trace number it had."""
    for (name, cycle, kind), stans in books.advised.items():
        if len(stans) > 1:
            yield f"{name}: {kind} of {cycle} came under {len(stans)} trace numbers: {sorted(stans)}"


def what_was_acknowledged_is_kept(books: Evidence) -> Breaches:
    """Keys that the edge acknowledged are in its journal, whatever happened to it the moment after."""
    holds = [each.keys for each in books.operations if each.keys and _holds(each)]
    kept = {keys.receipt for keys in holds if keys.trace}
    for receipt in sorted(books.acknowledged - kept):
        yield f"edge: it acknowledged the keys of receipt {receipt} and does not have them"


def no_event_is_refused(books: Evidence) -> Breaches:
    """Every late, repeated or orphan event has a row in its table."""
    for name, refused in books.refused.items():
        for event in refused:
            yield f"{name} had no row for {event}"


INVARIANTS: Final[tuple[Callable[[Evidence], Breaches], ...]] = (
    every_visit_ends,
    no_hold_stays_open,
    each_hold_ends_once,
    all_parties_agree,
    all_parties_saw_one_hold,
    each_operator_sees_its_own,
    a_repeat_is_the_same_message,
    bill_and_receipt_say_what_was_taken,
    nothing_above_the_hold,
    energy_is_billed_lost_or_reviewed,
    postings_sum_to_zero,
    each_database_is_consistent,
    what_was_acknowledged_is_kept,
    no_event_is_refused,
)


def breaches(books: Evidence) -> list[str]:
    """Every breach of every invariant, with the invariant's name in front."""
    return [f"{rule.__name__}: {breach}" for rule in INVARIANTS for breach in rule(books)]


def _holds(operation: Operation) -> bool:
    return operation.request is not None and not operation.finishes and operation.keys is not None


def _named(relay: Relay) -> str:
    return f"{relay.identity.life_cycle} ({relay.identity.reference})"


def _is_of(relay: Relay, slip: Row) -> bool:
    return bool(relay.identity.reference == slip.reference and relay.identity.rrn == slip.rrn)
