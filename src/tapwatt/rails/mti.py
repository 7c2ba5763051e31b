"""Message types in relation to each other: which answer belongs to which request, what a repeat is called.

The four digits are version, class, function and originator (ISO 8583:1987 section 4.1). Even functions ask
or advise, odd ones answer; an originator digit of 1 marks a repeat.
"""

from __future__ import annotations

AUTHORISATION, AUTHORISATION_RESPONSE = "0100", "0110"
COMPLETION, COMPLETION_REPEAT, COMPLETION_RESPONSE = "0220", "0221", "0230"
REVERSAL, REVERSAL_REPEAT, REVERSAL_RESPONSE = "0400", "0401", "0410"
REVERSAL_ADVICE, REVERSAL_ADVICE_REPEAT, REVERSAL_ADVICE_RESPONSE = "0420", "0421", "0430"
NETWORK, NETWORK_RESPONSE = "0800", "0810"


class WrongDirection(ValueError):
    """A request was needed and an answer was given, or the other way round."""


def is_request(mti: str) -> bool:
    """Whether the other side owes an answer (requests and advices)."""
    return mti[2] in "02"


def is_repeat(mti: str) -> bool:
    """Whether this is a second or later sending of the same message."""
    return mti[3] in "135"


def is_network(mti: str) -> bool:
    """Whether it is about the connection and not about a payment."""
    return mti[1] == "8"


def response_of(mti: str) -> str:
    """The type of the answer: 0100 → 0110, 0421 → 0430."""
    if not is_request(mti):
        raise WrongDirection(f"{mti} is an answer and has none")
    return f"{mti[:2]}{int(mti[2]) + 1}0"


def repeat_of(mti: str) -> str:
    """The type of a repeat: 0220 → 0221, 0221 → 0221."""
    if not is_request(mti):
        raise WrongDirection(f"{mti} is an answer and is not repeated")
    return f"{mti[:3]}1"


def first_of(mti: str) -> str:
    """The type of the first sending: 0421 → 0420. Two sendings of one message have this in common."""
    return f"{mti[:3]}0" if is_repeat(mti) else mti
