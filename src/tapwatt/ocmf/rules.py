"""The rules by which a measured transaction may be billed: as data, each with its source and its certainty.

Certainty: `specified` stands in OCMF 1.4; `practice` is what the public transparency software or independent
readers of the format refuse; `ours` is our own caution where neither decides. None of it is legal advice.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Basis:
    """A rule in words, and what it rests on."""

    sentence: str
    source: str
    certainty: str


class Rule(enum.Enum):
    """What must be so before energy is billed."""

    SIGNATURE = Basis(
        "every document is signed by its meter's key",
        "OCMF 1.4, signing and verification process",
        "specified",
    )
    KEY = Basis(
        "the key comes from outside the documents",
        "OCMF 1.4, relation of serial numbers and key",
        "specified",
    )
    METER = Basis(
        "all documents name the same meter, gateway and charge point",
        "OCMF 1.4, signing and verification process",
        "specified",
    )
    PAGINATION = Basis(
        "the documents count transactions (T) and follow one another without gap or repeat",
        "OCMF 1.4, pagination and signing and verification process",
        "specified",
    )
    REGISTER = Basis(
        "one register of energy drawn, by its OBIS code, counts the transaction",
        "OCMF 1.4, tables 7 and 25; transparency software",
        "practice",
    )
    COURSE = Basis(
        "one begin (B), first, and one end (E, L, R, A, P), last; no error (X) between",
        "OCMF 1.4, table 7 and signing and verification process",
        "specified",
    )
    STATUS = Basis("the meter works (ST = G) at every reading", "OCMF 1.4, table 10", "specified")
    ERRORS = Basis("no quantity is marked unusable (EF empty)", "OCMF 1.4, table 7", "specified")
    CLOCK = Basis(
        "time is synchronised or relative (S, R) at every reading of the register",
        "practice of calibration law; the transparency software and OCMF 1.4, table 19, allow I at the begin "
        "where the end is R",
        "ours",
    )
    ORDER = Basis("no reading is earlier than the one before it", "transparency software", "practice")
    VALUE = Basis("the register does not fall, and counts Wh or kWh", "transparency software", "practice")
    LOSS = Basis(
        "cable losses begin at zero and do not fall below it", "OCMF 1.4, table 7, field CL", "specified"
    )
    USER = Basis(
        "the assignment of the user has not failed (IL)",
        "OCMF 1.4, table 11; transparency software",
        "practice",
    )
