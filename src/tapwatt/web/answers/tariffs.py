"""Tariffs, their versions, what the linter says of them, and what they would cost."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from tapwatt.core.bill import Bill
from tapwatt.markets.findings import Finding


class TariffVersion(BaseModel):
    """One version of a tariff and when it is in force."""

    version: int
    state: Literal["draft", "published", "retired"]
    valid_from_ms: int | None
    valid_to_ms: int | None
    note: str
    created_by: str
    created_ms: int
    published_by: str | None
    published_ms: int | None
    accepted: str | None = Field(description="Why warnings were accepted")
    retired_by: str | None
    retired_ms: int | None
    retired_why: str | None
    ends_ms: int | None
    begun: bool
    in_force: bool
    standing: Literal["draft", "scheduled", "in force", "over", "retired"]


class TariffListed(BaseModel):
    """A tariff and what is in force of it."""

    tariff_id: str
    currency: str
    price: str
    in_force: TariffVersion | None
    next: TariffVersion | None
    draft: int | None
    versions: int
    stations: int


class TariffsPage(BaseModel):
    """A page of tariffs by id."""

    tariffs: list[TariffListed]
    cursor: str | None


class TariffStation(BaseModel):
    """A station that has the tariff."""

    station_id: str
    name: str
    country: str
    max_power_w: int


class TariffWhole(BaseModel):
    """One version of a tariff in words and as a document."""

    tariff_id: str
    currency: str
    shown: TariffVersion
    sentences: list[str]
    findings: list[Finding]
    versions: list[TariffVersion]
    stations: list[TariffStation]
    document: dict[str, Any] | None = Field(description="OCPI 2.3.0")
    document_problem: str = Field(description="Why it cannot be an OCPI document; else empty")
    model: dict[str, Any]


class Quote(BaseModel):
    """What a charge would cost, and the hold that would be asked for."""

    at_ms: int
    sentence: str
    price: str
    hold: str
    currency: str
    gross_minor: int
    bill: Bill


class Linted(BaseModel):
    """What a tariff says, and what is suspicious or unlawful in it."""

    sentences: list[str]
    findings: list[Finding]


class Repriced(BaseModel):
    """One session priced again."""

    session_id: str
    opened_ms: int
    energy_wh: int
    before_minor: int
    after_minor: int
    change_minor: int


class Bucket(BaseModel):
    """How many sessions changed by so much."""

    change: str
    sessions: int


class Simulation(BaseModel):
    """What a version would have changed last month."""

    currency: str
    looked_at: int
    sessions: int
    before_minor: int
    after_minor: int
    change_minor: int
    cheaper: int
    same: int
    dearer: int
    most_saved: list[Repriced]
    most_added: list[Repriced]
    distribution: list[Bucket]


class Assigned(BaseModel):
    """Which tariff a station has from its next session on."""

    station_id: str
    tariff_id: str
