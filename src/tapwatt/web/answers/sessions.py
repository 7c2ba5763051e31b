"""Sessions, one session with all that is known of it, and what waits for a person."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from tapwatt.core.bill import Bill
from tapwatt.core.effects import Leader
from tapwatt.core.payment_state import PaymentState
from tapwatt.core.session_state import Reason, SessionState
from tapwatt.web.answers.receipts import ReceiptShown

Cursor = str | None


class SessionFields(BaseModel):
    """What every view of a session says of it."""

    session_id: str
    state: SessionState
    reason: Reason
    detail: str
    station_id: str
    evse_id: int
    terminal_id: str | None
    reference: str
    transaction_id: str | None
    leader: Leader | None
    payment_state: PaymentState | None
    currency: str
    price: str
    hold_choices_minor: list[int]
    hold: str
    authorised_minor: int
    captured_minor: int
    released_minor: int
    lost_minor: int
    capture_before_ms: int | None
    cost_minor: int
    cost: str
    energy_wh: int
    power_w: int
    metered_ms: int
    brand: str | None
    last_four: str | None
    terminal_receipt: str | None
    trace: str | None
    tid: str | None
    approval_code: str | None
    bill: Bill | None
    opened_ms: int
    started_ms: int | None
    stopped_ms: int | None
    closed_ms: int | None
    version: int


class SessionListed(SessionFields):
    """A session as lists show it."""

    receipt: str | None = Field(description="The terminal's own receipt number")


class SessionsPage(BaseModel):
    """A page of sessions, newest first."""

    sessions: list[SessionListed]
    cursor: Cursor = Field(description="Of the next page; null at the end")


class SessionEvent(BaseModel):
    """Something that happened to a session; with `refused`, something that it had no row for."""

    version: int | None
    kind: str
    body: dict[str, Any]
    before: SessionState | None
    after: SessionState | None
    refused: str | None
    at_ms: int


class SessionEffect(BaseModel):
    """Something that the platform had to do for a session."""

    kind: str
    lane: str
    version: int
    body: dict[str, Any]
    attempts: int
    done_ms: int | None
    last_error: str | None


class Entry(BaseModel):
    """One side of a posting."""

    account: str
    amount_minor: int


class Posting(BaseModel):
    """What was booked at once; its entries sum to zero."""

    key: str
    kind: str
    at_ms: int
    currency: str
    entries: list[Entry]


class Ledger(BaseModel):
    """What the books say of a session."""

    authorised_minor: int
    captured_minor: int
    released_minor: int
    lost_minor: int
    postings: list[Posting]


class StationWord(BaseModel):
    """A message of the station about the session; a body that is no JSON is text."""

    action: str
    verdict: str
    at_ms: int
    body: Any


class PartysMoney(BaseModel):
    """What one party says of the money."""

    party: str
    authorised_minor: int
    captured_minor: int
    released_minor: int


class SessionWhole(SessionFields):
    """One session with its events, effects, books, papers and the station's words."""

    receipt: ReceiptShown | None
    receipt_url: str | None
    credit_notes: list[ReceiptShown]
    station_name: str
    events: list[SessionEvent]
    events_total: int
    effects: list[SessionEffect]
    ledger: Ledger
    messages: list[StationWord]
    money: list[PartysMoney]


class ArrowField(BaseModel):
    """One decoded field of a message."""

    label: str
    value: str
    meaning: str


class Arrow(BaseModel):
    """One message between two parties."""

    number: int
    at_ms: int
    arrived_ms: int | None
    sender: str = Field(alias="from")
    receiver: str = Field(alias="to")
    wire: str
    name: str
    amount_minor: int | None
    currency: str
    mark: str
    lost: bool
    back: bool
    answer: bool
    seen_by: list[str]
    rrn: str
    life_cycle: str
    key: str
    fields: list[ArrowField]


class ChartPayment(BaseModel):
    """A payment on the rails among the arrows."""

    life_cycle: str
    rrn: str
    messages: int


class Chart(BaseModel):
    """Every message of a session."""

    session_id: str
    reference: str
    parties: dict[str, bool] = Field(description="Which hosts answered when they were asked")
    payments: list[ChartPayment]
    arrows: list[Arrow]


class Note(BaseModel):
    """What somebody wrote."""

    by: str
    text: str
    at_ms: int


class Notes(BaseModel):
    """What people wrote about a session, oldest first; there are never more than 200."""

    notes: list[Note]


class MeterReading(BaseModel):
    """A register at a moment."""

    read_ms: int
    register_wh: int


class InDoubt(SessionListed):
    """A session in review, with what there is to judge it by."""

    most_minor: int = Field(description="The most that may be taken")
    doubts: list[str]
    register_begin_wh: int | None
    register_end_wh: int | None
    readings: list[MeterReading]
    in_review_since_ms: int


class Alarm(BaseModel):
    """Something that waits for a person."""

    key: str
    session_id: str | None
    text: str
    at_ms: int


class AlarmsPage(BaseModel):
    """A page of alarms that nobody has taken note of, newest first."""

    alarms: list[Alarm]
    cursor: Cursor


class NotedAlarm(BaseModel):
    """An alarm that somebody took note of; of a stray message only its key is told."""

    key: str
    seen_by: str
    seen_ms: int
    text: str | None
    session_id: str | None
    at_ms: int | None


class NotedPage(BaseModel):
    """A page of alarms that somebody took note of, the last first."""

    noted: list[NotedAlarm]
    cursor: Cursor


class ReviewQueue(BaseModel):
    """What waits for a person."""

    now_ms: int
    operator: str
    sessions: list[InDoubt]
    sessions_left_out: int
    alarms: list[Alarm]


class Hold(BaseModel):
    """An open hold."""

    session_id: str
    station_id: str
    evse_id: int
    state: SessionState
    reason: Reason
    leader: Leader | None
    brand: str | None
    last_four: str | None
    currency: str
    payment_state: PaymentState
    authorised_minor: int
    capture_before_ms: int | None
    approved_ms: int | None
    opened_ms: int
    age_ms: int


class Holds(BaseModel):
    """Open holds, what ends first first: a page, and how many there are in all."""

    now_ms: int
    holds: list[Hold]
    total: int
    left_out: int
    cursor: Cursor


class Accepted(BaseModel):
    """The order is taken; what comes of it is seen at the session."""

    accepted: Literal[True]


class Acknowledged(BaseModel):
    """The alarm waits no more."""

    acknowledged: Literal[True]
