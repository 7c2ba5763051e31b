"""Stations, terminals, accounts, the live board and the figures of a day."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, Field

from tapwatt.web.answers.sessions import SessionListed

Health = Literal["good", "warn", "bad"]
Cursor = str | None


class StationFields(BaseModel):
    """What is registered of a station, and whether it is connected."""

    station_id: str
    name: str
    tariff_id: str
    max_power_w: int
    time_zone: str
    country: str
    evse_kind: str | None
    address: str
    evse_prefix: str
    meter_serial: str | None
    vendor: str | None
    model: str | None
    serial: str | None
    firmware: str | None
    connected: bool
    seen_ms: int | None


class ConnectorFields(BaseModel):
    """A connector by its last word; number 0 is the station itself."""

    evse_id: int
    status: str
    error: str | None
    since_ms: int


class Connector(ConnectorFields):
    """A connector as lists show it."""

    station_id: str


class ConnectorNow(ConnectorFields):
    """A connector with the session that runs there."""

    session: SessionListed | None


class TerminalFields(BaseModel):
    """A terminal by the last word of its edge."""

    terminal_id: str
    edge_id: str
    profile: str
    serial: str | None
    tid: str | None
    state: str
    text: str
    screen: list[str]
    since_ms: int


class TerminalHealth(TerminalFields):
    """A terminal and how it is."""

    health: Health


class Served(BaseModel):
    """A connector that a terminal takes cards for."""

    station_id: str
    evse_id: int


class Terminal(TerminalHealth):
    """A terminal, how it is and what it serves."""

    serves: list[Served]


class TerminalsPage(BaseModel):
    """A page of terminals by id."""

    terminals: list[Terminal]
    cursor: Cursor


class LastMessage(BaseModel):
    """The last that a station said."""

    action: str
    at_ms: int


class StationHealth(StationFields):
    """A station, its terminals, how it is and why."""

    terminals: list[TerminalHealth]
    last_message: LastMessage | None
    health: Health
    reasons: list[str]


class StationListed(StationHealth):
    """A station as lists show it."""

    connectors: list[Connector]


class StationsPage(BaseModel):
    """A page of stations by id."""

    stations: list[StationListed]
    cursor: Cursor


class ConfigurationKey(BaseModel):
    """One key of a station's configuration."""

    key: str
    value: str | None
    readonly: bool
    state: Literal["told", "set", "after_reboot"]


class Transfer(BaseModel):
    """How far firmware or diagnostics have come."""

    kind: Literal["firmware", "diagnostics"]
    status: str
    location: str
    file_name: str
    at_ms: int


class Doubted(BaseModel):
    """A message of which something was said: refused, repeated, broken or an orphan."""

    action: str
    verdict: str
    session_id: str | None
    at_ms: int


class StationWhole(StationHealth):
    """One station with all that is known of it."""

    connectors: list[ConnectorNow]
    configuration: list[ConfigurationKey]
    transfers: list[Transfer]
    doubted: list[Doubted]


class StationOnBoard(StationFields):
    """A station on the live board."""

    connectors: list[ConnectorNow]


class Summary(BaseModel):
    """What is open and what waits."""

    running: int
    open_holds: int
    power_w: int
    review: int
    alarms: int
    orphans: int
    ledger_balance_minor: int = Field(description="Always 0 in sound books")


class Board(BaseModel):
    """The live board."""

    now_ms: int
    operator: str
    stations: list[StationOnBoard]
    terminals: list[TerminalFields]
    running: list[SessionListed]
    summary: Summary


class Account(BaseModel):
    """The account of a tag."""

    account_id: str
    name: str
    currency: str
    balance_minor: int
    status: str


class AccountsPage(BaseModel):
    """A page of accounts by id."""

    accounts: list[Account]
    cursor: Cursor


class Hour(BaseModel):
    """One hour of the day, as its clock showed it."""

    begins_ms: int
    label: str
    sessions: int
    energy_wh: int
    revenue_minor: dict[str, int]


class DayFigures(BaseModel):
    """A day's figures; amounts are by currency, null where nothing can be divided."""

    sessions: int
    charges: int
    energy_wh: int
    revenue_minor: dict[str, int]
    asked: int
    approved: int
    outcomes: list[tuple[str, int]]
    mean_hold_minor: dict[str, int]
    mean_tap_to_power_ms: int | None
    longest_tap_to_power_ms: int | None
    hours: list[Hour]
    approval_permille: int | None


class FiguresOfDay(BaseModel):
    """The figures of one day by the operator's clock."""

    day: date
    today: date
    figures: DayFigures
    left_out: int = Field(description="Sessions of a day that is too busy to be counted whole")


class MeterKeyShown(BaseModel):
    """A meter's registered public key."""

    meter: str
    key: str
    source: str
    valid_from_ms: int
    valid_to_ms: int | None
    added_by: str
    added_ms: int


class MeterKeysPage(BaseModel):
    """A page of meter keys, by meter, the oldest first."""

    meter_keys: list[MeterKeyShown]
    cursor: Cursor


class SignedReading(BaseModel):
    """One reading of signed meter values."""

    document: str
    time: str
    at_ms: int | None
    transaction: str
    meter_register: str = Field(alias="register")
    value: str | None
    unit: str
    energy_wh: float | None
    status: str
    error_flags: str


class OcmfVerdict(BaseModel):
    """Whether signed meter values are what the meter signed, and may be billed."""

    valid: bool
    billable: bool
    reason: str
    energy_wh: float | None
    meter: str | None
    readings: list[SignedReading]
