"""What the answer codes of field 39 mean, as data: class, meaning, and the sentence a driver reads."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files


class ResponseClass(StrEnum):
    """What kind of answer a code is."""

    APPROVE = "approve"
    DECLINE = "decline"
    STEP_UP = "step_up"
    RETRY = "retry"
    PICK_UP = "pick_up"
    FORMAT = "format"


class ResponseCode(StrEnum):
    """The codes that our own hosts give; the table knows more."""

    APPROVED = "00"
    PARTIAL = "10"
    INVALID_MERCHANT = "03"
    DO_NOT_HONOUR = "05"
    INVALID_TRANSACTION = "12"
    INVALID_AMOUNT = "13"
    INVALID_CARD = "14"
    NO_SUCH_ISSUER = "15"
    NO_ACTION = "21"
    ORIGINAL_NOT_FOUND = "25"
    FORMAT_ERROR = "30"
    INSUFFICIENT_FUNDS = "51"
    EXPIRED_CARD = "54"
    NOT_PERMITTED_TO_CARDHOLDER = "57"
    NOT_PERMITTED_TO_TERMINAL = "58"
    OVER_AMOUNT_LIMIT = "61"
    RESTRICTED_CARD = "62"
    SECURITY_VIOLATION = "63"
    TOO_LATE = "68"
    WRONG_CRYPTOGRAM = "82"
    ISSUER_INOPERATIVE = "91"
    NO_ROUTE = "92"
    DUPLICATE = "94"
    SYSTEM_MALFUNCTION = "96"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseMeaning:
    """One row of the table."""

    code: str
    kind: ResponseClass
    meaning: str
    driver_text: str

    @property
    def approved(self) -> bool:
        """Whether money is held or moved (perhaps less than was asked)."""
        return self.kind is ResponseClass.APPROVE


@lru_cache(maxsize=1)
def response_table() -> Mapping[str, ResponseMeaning]:
    """Every code we know, by code."""
    data = tomllib.loads(files(__package__).joinpath("responses.toml").read_text(encoding="utf-8"))
    return {
        code: ResponseMeaning(
            code=code, kind=ResponseClass(row["class"]), meaning=row["meaning"], driver_text=row["driver"]
        )
        for code, row in data["codes"].items()
    }


def meaning_of(code: str) -> ResponseMeaning:
    """The row of a code; a code nobody knows counts as a decline, for only an explicit yes is a yes."""
    known = response_table().get(code)
    if known is not None:
        return known
    text = "Your bank declined. Please use another card"
    return ResponseMeaning(code=code, kind=ResponseClass.DECLINE, meaning="unknown code", driver_text=text)


def approves(code: str) -> bool:
    """Whether this code is a yes, in full or in part."""
    return meaning_of(code).approved
