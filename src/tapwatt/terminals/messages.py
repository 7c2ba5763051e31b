"""What any terminal is asked and what it answers, whatever its protocol.

The edge and the simulator speak in these values; a protocol folder (`zvt/`) turns them into its own frames
and back. Reference terminals.md section 10; design.md sections 4 and 6. A full card number has no place in
any of them: only token, PAR, BIN, last four and brand (law 7).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# --- operations ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """Log on and say how the two sides will work together; answered by `TerminalState`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Ask how the terminal is; answered by `TerminalState`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCard:
    """Wait for a card and name it without touching money; answered by `CardRead`."""

    timeout_s: int = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Preauthorise:
    """Hold an amount on the card. `reference` travels to the merchant's statement; `timeout_s` 0 = the
    terminal's own."""

    amount_minor: int
    currency: str
    reference: str
    timeout_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """Take `amount_minor` of the hold named by `receipt` and release the rest; 0 < amount ≤ hold (for 0 use
    `Release`)."""

    receipt: str
    hold_minor: int
    amount_minor: int
    currency: str
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookTotal:
    """Take `amount_minor` of the hold named by `receipt`, said as the amount used instead of the part given
    back: for terminals that want a capture of the whole hold so. `authorisation_id` where one is demanded."""

    receipt: str
    amount_minor: int
    currency: str
    reference: str = ""
    authorisation_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Give the whole hold named by `receipt` back."""

    receipt: str
    currency: str
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAuthorisations:
    """Ask which holds the terminal knows to be open; answered by `OpenList`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """Show lines on the terminal's screen; `seconds` 0 = until the next text."""

    lines: tuple[str, ...]
    seconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseDay:
    """Settle with the host and begin a new day; answered by `DayClosed`. Refused while holds are open."""


class DiagnosisKind(StrEnum):
    """How deep a terminal shall look into itself and its host."""

    LINE = "line"
    EXTENDED = "extended"
    CONFIGURATION = "configuration"
    EMV_CONFIGURATION = "emv_configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnose:
    """Have the terminal call its host and see whether all is well, or fetch its configuration anew."""

    kind: DiagnosisKind = DiagnosisKind.LINE


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseCardSession:
    """Forget the card that was read: nobody is going to pay with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abort:
    """Stop whatever the terminal is doing; the running dialogue still ends with an outcome of its own."""


Operation = (
    Register
    | Status
    | ReadCard
    | CloseCardSession
    | Preauthorise
    | Capture
    | BookTotal
    | Release
    | OpenAuthorisations
    | CloseDay
    | Diagnose
    | Display
    | Abort
)
MONEY_OPERATIONS = (Preauthorise, Capture, BookTotal, Release)


# --- outcomes -----------------------------------------------------------------------------------------------


class ResultKind(StrEnum):
    """What a result code means for the one who asked, whatever the protocol's number for it is."""

    OK = "ok"
    DECLINED = "declined"
    PIN_REQUIRED = "pin_required"
    CARD_FAULT = "card_fault"
    ABORTED = "aborted"
    BUSY = "busy"
    NOT_POSSIBLE = "not_possible"
    UNREACHABLE = "unreachable"
    ALREADY_DONE = "already_done"
    NOT_FOUND = "not_found"
    LIMIT = "limit"
    CURRENCY = "currency"
    DAY_END_REQUIRED = "day_end_required"
    SERVICE_REQUIRED = "service_required"
    PROTOCOL = "protocol"
    FAULT = "fault"


class AbortedBy(StrEnum):
    """Who ended a dialogue early. Terminals often cannot tell an abort key from nobody coming: both are the
    cardholder."""

    CARDHOLDER = "cardholder"
    ECR = "ecr"
    TERMINAL = "terminal"


class CardKind(StrEnum):
    """What was held against the reader."""

    BANK = "bank"
    RFID = "rfid"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """The money operation was done. `amount_minor` is what is now held (pre-authorisation), taken (capture)
    or given back (release); None when the terminal does not say. `terminal_date`/`terminal_time` are the
    terminal's own clock: MMDD, HHMMSS."""

    receipt: str
    amount_minor: int | None = None
    currency: str = ""
    trace: str = ""
    tid: str = ""
    approval_code: str = ""
    token: str = ""
    par: str = ""
    brand: str = ""
    masked_pan: str = ""
    bin: str = ""
    last_four: str = ""
    technology: str = ""
    merchant_id: str = ""
    terminal_date: str = ""
    terminal_time: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """A clear no. `code` is the protocol's own (two hex digits in ZVT), `kind` what to do about it."""

    code: str
    reason: str
    kind: ResultKind = ResultKind.DECLINED


@dataclass(frozen=True, slots=True, kw_only=True)
class Aborted:
    """The dialogue ended before the question was put to the bank, or the terminal undid it itself."""

    by: AbortedBy
    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """The terminal certainly did not start the operation: the only outcome that may be repeated without
    asking first."""

    reason: str
    code: str = ""
    kind: ResultKind = ResultKind.UNREACHABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Nobody said yes or no. `seen` is what the terminal had already stated before it fell silent, if
    anything."""

    reason: str
    seen: Approved | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRead:
    """A card was shown, or nobody came (`kind` NONE). `uid` of an NFC card is no identity of a bank card."""

    kind: CardKind
    token: str = ""
    par: str = ""
    uid: str = ""
    aid: str = ""
    brand: str = ""
    masked_pan: str = ""
    bin: str = ""
    last_four: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenList:
    """Receipt numbers of the holds the terminal still has open."""

    receipts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalState:
    """How the terminal is: `ready`, or a code and text that say what it needs."""

    code: str
    ready: bool
    text: str
    tid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayClosed:
    """The day is settled. `amount_minor` is the day's total where the terminal states it, as its own number
    (`trace`) and clock (MMDD, HHMMSS)."""

    amount_minor: int | None = None
    currency: str = ""
    trace: str = ""
    tid: str = ""
    terminal_date: str = ""
    terminal_time: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """An operation without a result of its own (display, abort, diagnosis) was carried out."""


Outcome = (
    Approved | Declined | Aborted | NotSent | Unknown | CardRead | OpenList | TerminalState | DayClosed | Done
)
