"""The three frames of OCPP-J, what a peer tells its owner, and how a CALL can fail.

Why a room of its own: the station's wire and the edge's wire are framed alike, so both stand on this one.
Spec: OCPP-J 1.6 section 4 (RPC framework); OCPP 2.0.1/2.1 part 4 section 4, for the spellings that differ.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

UNREADABLE_ID = "-1"
"""The message id of an answer to a frame whose own id cannot be read (part 4, section 4.2.3)."""


class Fault(StrEnum):
    """What a CALLERROR can say, in our spelling; a `Dialect` knows the spelling on the wire."""

    NOT_IMPLEMENTED = "NotImplemented"  # the action is unknown to us
    NOT_SUPPORTED = "NotSupported"  # we know the action and do not do it
    INTERNAL_ERROR = "InternalError"
    PROTOCOL_ERROR = "ProtocolError"
    SECURITY_ERROR = "SecurityError"
    FORMATION_VIOLATION = "FormationViolation"
    PROPERTY_CONSTRAINT_VIOLATION = "PropertyConstraintViolation"
    OCCURRENCE_CONSTRAINT_VIOLATION = "OccurenceConstraintViolation"
    TYPE_CONSTRAINT_VIOLATION = "TypeConstraintViolation"
    GENERIC_ERROR = "GenericError"
    RPC_FRAMEWORK_ERROR = "RpcFrameworkError"
    MESSAGE_TYPE_NOT_SUPPORTED = "MessageTypeNotSupported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one generation of OCPP-J spells its error codes, and whether it answers what it cannot read."""

    spelling: tuple[tuple[Fault, str], ...] = ()
    answers_unreadable: bool = False
    """Answer a frame with no readable id or type; 1.6 ignores it instead."""

    def spell(self, fault: Fault) -> str:
        """The error code as this generation writes it."""
        return dict(self.spelling).get(fault, fault.value)


OCPP_16 = Dialect(
    spelling=(
        (Fault.RPC_FRAMEWORK_ERROR, "GenericError"),
        (Fault.MESSAGE_TYPE_NOT_SUPPORTED, "GenericError"),
    )
)
OCPP_2 = Dialect(
    spelling=(
        (Fault.FORMATION_VIOLATION, "FormatViolation"),
        (Fault.OCCURRENCE_CONSTRAINT_VIOLATION, "OccurrenceConstraintViolation"),
    ),
    answers_unreadable=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Frame 2: one party asks. `payload` is JSON text, an object unless the sender is broken."""

    message_id: str | int
    action: str
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """Frame 3: the answer. The id is repeated in the form (text or number) in which it came."""

    message_id: str | int
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CallError:
    """Frame 4: the question could not be dealt with."""

    message_id: str | int
    code: str
    description: str = ""
    details: bytes = b"{}"


Frame = Call | CallResult | CallError


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """The other side asks; answer with `Peer.answer` or `Peer.refuse` under the same id."""

    message_id: str | int
    action: str
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Our CALL got its CALLRESULT."""

    message_id: str
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Our CALL got a CALLERROR."""

    message_id: str
    code: str
    description: str
    details: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """Our CALL went out and nothing readable came back: the other side may or may not have acted."""

    message_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """Our CALL never left: certainly nothing happened."""

    message_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched:
    """An answer to no open CALL: late, repeated or invented. Reported, never acted upon."""

    frame: CallResult | CallError


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """A CALL we already have; it got the stored answer, or will get the one being made."""

    message_id: str | int
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbled:
    """A frame nobody can use; answered with the protocol's own error where the text asks for one."""

    reason: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The connection must be closed with this WebSocket code and reason."""

    code: int
    reason: str


Event = Called | Answered | Refused | Unanswered | NotSent | Unmatched | Repeated | Garbled | Broken


class CallFailed(Exception):
    """The other side answered with a CALLERROR: it says that it did not do what was asked."""

    def __init__(self, code: str, description: str = "", details: bytes = b"{}") -> None:
        super().__init__(f"{code}: {description}" if description else code)
        self.code = code
        self.description = description
        self.details = details


class NoAnswer(Exception):
    """The CALL was sent and not answered: its outcome is unknown."""


class NotConnected(Exception):
    """The CALL was not sent: certainly nothing happened."""


class CallRefused(Exception):
    """Raised by our handler to answer a CALL with a CALLERROR of its choice."""

    def __init__(self, fault: Fault, description: str = "") -> None:
        super().__init__(f"{fault}: {description}")
        self.fault = fault
        self.description = description


class Caller(Protocol):
    """Whatever can send a CALL and wait for its answer; rooms that may not import a `link` name this."""

    async def call(self, action: str, payload: bytes, *, timeout_s: float = 30.0) -> bytes:
        """Send JSON text, return the answer's JSON text; raises CallFailed, NoAnswer, NotConnected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody who dials us, before the upgrade; what an admission check decides upon."""

    identity: str
    remote: str
    offered: tuple[str, ...]
    username: str | None = None
    password: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a candidate is not let in: an HTTP status (401, 403, 404, 503) and words for the operator."""

    status: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedDial:
    """One line of "why was this charger refused": who dialled, where to, and what was wrong."""

    at_ms: int
    remote: str
    path: str
    identity: str | None
    reason: str
