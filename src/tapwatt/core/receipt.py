"""Bill + payment + meter → the receipt a driver keeps."""

from dataclasses import dataclass

from tapwatt.core.bill import Bill


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One driver's receipt. `last_four` is all that is known of a card here."""

    session_id: str
    station_id: str
    evse_id: int
    started_ms: int
    ended_ms: int
    register_begin_wh: int
    register_end_wh: int
    energy_wh: int
    bill: Bill
    hold_minor: int
    captured_minor: int
    released_minor: int
    brand: str | None
    last_four: str | None
    tid: str | None
    approval_code: str | None
