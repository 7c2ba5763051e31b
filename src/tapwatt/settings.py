"""Every setting of every program, in one place: read from the environment, checked before anything starts.

A setting is a field of `Settings`; its environment name is `TAPWATT_` and the field in capitals. A value that
makes no sense stops the start with one sentence naming it. `make docs` writes docs/settings.md from here.
Names and port numbers are a promise to scripts and guides; a listener that does not exist yet has no setting.
"""

from __future__ import annotations

import difflib
import itertools
import os
import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "TAPWATT_"
TOKEN = "TAPWATT_TOKEN"
"""What commands show the platform, once people log in; a secret of the shell and no setting of a program."""
PROGRAMS = ("platform", "edge", "gateway", "acquirer", "scheme", "issuer")

Program = Literal["platform", "edge", "gateway", "acquirer", "scheme", "issuer", "site", "cables"]
Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
DatabaseUrl = Annotated[str, Field(pattern=r"^((sqlite|postgresql)://.*)?$")]

_INTRODUCTION = """\
# Settings

Every program reads its settings from the environment when it starts; `tapwatt settings` shows what is in
force. A value that makes no sense, or a `TAPWATT_` name that is no setting, stops the start with one sentence
and exit code 2. Names ending in `_S` are seconds. Port 0 takes a free one, printed in the ready line; no two
listeners may share a port. A program that dials another must be told the other's port: 0 stops its start.

The answer to a payment is waited for longest at the terminal and shortest at the scheme, so that the one who
gives up first is always the one nearest to the silence: the four must stay in that order.

This page is written by `make docs` from `src/tapwatt/settings.py`.

"""


class UnableToConfigure(ValueError):
    """A setting makes no sense; the message is one sentence naming it. Programs exit with 2."""


class Settings(BaseSettings):
    """What an operator can choose. Made by `Settings.read()`, which explains itself when a value is wrong."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    host: str = Field(
        "127.0.0.1", description="Address every listener binds to, loopback; the console's: HTTP_HOST."
    )
    http_host: str = Field(
        "",
        description="Address of the console's listener, if not HOST. Outside loopback the platform starts "
        "only with an administrator (`tapwatt people add`) and an https PUBLIC_URL. No other listener "
        "leaves loopback.",
    )
    http_port: Port = Field(8080, description="Platform: console, driver pages, API, health.")
    forecourt_port: Port = Field(8090, description="Forecourt page of the simulated site.")
    forecourt_link: bool = Field(
        False, description="Whether the console's header leads to the forecourt; the demo says true."
    )
    cables_port: Port = Field(8091, description="Cables of the demo: lines are cut and mended here.")
    ocpp_port: Port = Field(9000, description="Platform: OCPP-J for stations at `/ocpp/{stationId}`.")
    edge_port: Port = Field(9100, description="Platform: edge agents.")
    gateway_port: Port = Field(7010, description="Gateway: ISO 8583 for terminals and for the platform.")
    gateway_http_port: Port = Field(7011, description="Gateway: traffic console, health.")
    acquirer_port: Port = Field(7020, description="Acquirer: ISO 8583.")
    acquirer_http_port: Port = Field(7021, description="Acquirer: account console, health.")
    scheme_port: Port = Field(7030, description="Scheme: ISO 8583.")
    scheme_http_port: Port = Field(7031, description="Scheme: masked view of traces, health.")
    issuer_port: Port = Field(7040, description="Issuer: ISO 8583.")
    issuer_http_port: Port = Field(7041, description="Issuer: view of holds and postings, health.")
    terminal_port: Port = Field(20007, description="Payment terminal (ZVT over TCP) the edge talks to.")

    data: Path = Field(
        default_factory=lambda: Path.cwd() / ".tapwatt",
        description="Directory with one `<program>.sqlite` per program; default `.tapwatt` where you stand.",
    )
    platform_database_url: DatabaseUrl = Field(
        "", description="Platform's database, if not its file in DATA: `sqlite:///…` or `postgresql://…`."
    )
    edge_database_url: DatabaseUrl = Field("", description="Edge's database, if not its file in DATA.")
    gateway_database_url: DatabaseUrl = Field("", description="Gateway's database, if not its file in DATA.")
    acquirer_database_url: DatabaseUrl = Field(
        "", description="Acquirer's database, if not its file in DATA."
    )
    scheme_database_url: DatabaseUrl = Field("", description="Scheme's database, if not its file in DATA.")
    issuer_database_url: DatabaseUrl = Field("", description="Issuer's database, if not its file in DATA.")
    site_database_url: DatabaseUrl = Field(
        "", description="Simulated site's database, if not its file in DATA."
    )

    public_url: str = Field(
        "",
        max_length=200,
        description="What links for drivers begin with; default `http://HOST:HTTP_PORT` of this platform.",
    )
    four_eyes_minor: int = Field(
        10_000,
        ge=0,
        le=10**12,
        description="Once people log in: a decision or credit above this, in minor units, waits for a second "
        "person. Publishing, retiring and assigning tariffs always does.",
    )
    ocpp_admission: Literal["open", "list"] = Field(
        "open", description="Unknown stations: `open` lets them in, `list` makes them wait for an operator."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe line written to stderr."
    )

    hold_minor: int = Field(
        2500, gt=0, le=1_000_000, description="Hold asked for before a charge, in minor units."
    )
    hold_least_minor: int = Field(
        100, gt=0, description="Least approved amount worth starting a charge for, in minor units."
    )
    hold_rule: Literal["fixed", "derived"] = Field(
        "fixed",
        description="`fixed` asks for HOLD_MINOR; `derived` for what HOLD_EXPECTED_WH cost at the tariff.",
    )
    hold_expected_wh: int = Field(
        40_000, gt=0, le=1_000_000, description="Energy of an expected charge, for a derived hold."
    )
    hold_floor_minor: int = Field(1000, gt=0, le=1_000_000, description="Least derived hold, in minor units.")
    hold_cap_minor: int = Field(8000, gt=0, le=1_000_000, description="Most that a derived hold may be.")
    hold_plastic_minor: int = Field(
        5000,
        gt=0,
        le=1_000_000,
        description="Most that a derived hold may be at a terminal without PIN: plastic is refused above.",
    )
    hold_choices_minor: str = Field(
        "",
        pattern=r"^$|^[1-9][0-9]{0,6}(,[1-9][0-9]{0,6}){0,5}$",
        description="Other holds that a driver may choose, in minor units, smallest first: `1000,4000`.",
    )
    hold_step_minor: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="A hold that is nearly used up is raised by this, at terminals that can; 0: never.",
    )
    hold_most_minor: int = Field(
        8000, gt=0, le=1_000_000, description="What a hold is raised to at most, in minor units."
    )
    hold_days: int = Field(
        7, ge=1, le=30, description="Days a hold is good for, if the terminal's profile says no less."
    )
    reading_s: Seconds = Field(10.0, description="Time a station has to send a reading that was asked for.")
    plug_in_s: Seconds = Field(180.0, description="Time to plug in after a tap; then the hold goes back.")
    start_s: Seconds = Field(60.0, description="Time a station has to start; then the hold goes back.")
    stop_s: Seconds = Field(30.0, description="Time a station has to stop before it is asked again.")
    settle_s: float = Field(
        30.0,
        ge=0,
        le=3600,
        description="After a start, deadlines wait this long: what happened meanwhile is told first.",
    )

    terminal_timeout_s: Seconds = Field(
        45.0, description="A payment dialogue with the terminal, and the terminal's own wait for the gateway."
    )
    gateway_timeout_s: Seconds = Field(30.0, description="Gateway waits this long for the acquirer.")
    acquirer_timeout_s: Seconds = Field(22.0, description="Acquirer waits this long for the scheme.")
    scheme_timeout_s: Seconds = Field(12.0, description="Scheme waits this long for the issuer.")
    ocpp_timeout_s: Seconds = Field(30.0, description="A station has this long to answer a CALL.")
    edge_timeout_s: Seconds = Field(30.0, description="Edge and platform answer each other within this.")
    ocpp_heartbeat_s: Seconds = Field(300.0, description="Heartbeat interval given to stations at boot.")
    trace_rows: int = Field(
        50_000,
        ge=0,
        le=5_000_000,
        description="Wire messages that each program keeps for people to read, masked; 0 keeps none.",
    )
    trace_days: int = Field(30, ge=1, le=400, description="Days that they are kept at most.")
    forward_first_retry_s: Seconds = Field(
        1.0, description="Wait before an unanswered advice or reversal is sent again; doubles each time."
    )
    forward_longest_retry_s: Seconds = Field(300.0, description="Longest wait between two such repeats.")

    def hold_choices(self) -> tuple[int, ...]:
        """The holds that a driver may choose among, in minor units, smallest first."""
        return tuple(sorted({int(amount) for amount in self.hold_choices_minor.split(",") if amount}))

    @classmethod
    def read(cls, **chosen: object) -> Self:
        """Settings from the environment; `chosen` (command-line options; None means not given) outranks it.

        Raises UnableToConfigure with one sentence.
        """
        _refuse_unknown(os.environ)
        try:
            return cls(**{name: value for name, value in chosen.items() if value is not None})  # type: ignore[arg-type]
        except ValidationError as error:
            raise UnableToConfigure(_sentence(error)) from None

    def database_url(self, program: Program) -> str:
        """Where this program keeps its rows: its own URL, else its SQLite file in the data directory."""
        chosen: str = getattr(self, f"{program}_database_url")
        return chosen or f"sqlite:///{self.data / program}.sqlite"

    def port_to_dial(self, setting: str) -> int:
        """A port where another program listens. Raises UnableToConfigure for 0: nobody can be found there."""
        port: int = getattr(self, setting)
        if port == 0:
            raise UnableToConfigure(
                f"{PREFIX}{setting.upper()} is 0, a free port, but here it is dialled: name the one taken."
            )
        return port

    @field_validator("host")
    @classmethod
    def _loopback_only(cls, host: str) -> str:
        if not is_loopback(host):
            raise ValueError("must be a loopback address: only the console may leave it, by HTTP_HOST")
        return host

    @field_validator("http_host")
    @classmethod
    def _any_address(cls, host: str) -> str:
        if host:
            is_loopback(host)
        return host

    @field_validator("public_url")
    @classmethod
    def _web_address(cls, public_url: str) -> str:
        if public_url and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", public_url):
            raise ValueError("must be a web address, such as https://pay.example.com")
        return public_url.rstrip("/")

    @field_validator("data")
    @classmethod
    def _directory(cls, data: Path) -> Path:
        if data.exists() and not data.is_dir():
            raise ValueError("must be a directory, and a file is there")
        return data.expanduser().absolute()

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        taken: dict[int, str] = {}
        for name in type(self).model_fields:
            port = getattr(self, name)
            if not name.endswith("_port") or port == 0:
                continue
            if port in taken:
                raise ValueError(f"{_environment(taken[port])} and {_environment(name)} are both {port}")
            taken[port] = name
        if self.http_host and not is_loopback(self.http_host) and not self.public_url.startswith("https://"):
            raise ValueError(
                f"{_environment('http_host')} is {self.http_host}, outside loopback: then "
                f"{_environment('public_url')} must begin with https://, as passwords travel"
            )
        _ordered(self, "scheme_timeout_s", "acquirer_timeout_s", "gateway_timeout_s", "terminal_timeout_s")
        if self.hold_least_minor > self.hold_minor:
            least, hold = _environment("hold_least_minor"), _environment("hold_minor")
            raise ValueError(f"{least} is more than {hold}")
        if self.hold_floor_minor > min(self.hold_cap_minor, self.hold_plastic_minor):
            floor, cap = _environment("hold_floor_minor"), _environment("hold_cap_minor")
            raise ValueError(f"{floor} is more than {cap} or {_environment('hold_plastic_minor')}")
        if self.forward_first_retry_s > self.forward_longest_retry_s:
            first, longest = _environment("forward_first_retry_s"), _environment("forward_longest_retry_s")
            raise ValueError(f"{first} is longer than {longest}")
        return self


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own. Raises ValueError for what is no address."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        raise ValueError("must be an address of this machine, such as 127.0.0.1") from None


def without_password(url: str) -> str:
    """A database URL as it may be shown: on screens and in tickets its password is `***`."""
    return re.sub(r"(?<=://)([^/@:]*):[^/@]*@", r"\1:***@", re.sub(r"(?<=password=)[^&]*", "***", url))


def settings_table() -> str:
    """The table of docs/settings.md: one row a setting, in the order of the class."""
    rows = ["| setting | default | what it is |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default_factory or field.default == "" else f"`{field.default}`"
        rows.append(f"| `{_environment(name)}` | {default} | {field.description} |")
    return "\n".join(rows) + "\n"


def settings_page() -> str:
    """docs/settings.md, whole."""
    return _INTRODUCTION + settings_table()


def shown_token() -> dict[str, str]:
    """The header of whoever sits at the shell, once people log in at the platform; empty without a token.
    Raises ValueError when what is given is none."""
    token = os.environ.get(TOKEN, "").strip()
    if not token:
        return {}
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise ValueError(f"{TOKEN} is no token")
    return {"Authorization": f"Bearer {token}"}


def _environment(name: str) -> str:
    return PREFIX + name.upper()


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = [*(_environment(name) for name in Settings.model_fields), TOKEN]
    for name in sorted(environment):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            near = difflib.get_close_matches(name.upper(), known, n=1)
            raise UnableToConfigure(f"{name} is not a setting" + (f"; perhaps {near[0]}?" if near else "."))


def _ordered(settings: Settings, *names: str) -> None:
    for shorter, longer in itertools.pairwise(names):
        if getattr(settings, shorter) >= getattr(settings, longer):
            raise ValueError(
                f"{_environment(shorter)} ({getattr(settings, shorter):g} s) must be shorter than "
                f"{_environment(longer)} ({getattr(settings, longer):g} s), or an answer comes too late"
            )


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    reason = first["msg"].removeprefix("Value error, ")
    where = [str(part) for part in first["loc"]]
    if not where:
        return f"{reason}."
    if first["type"] == "string_pattern_mismatch":
        reason = "must begin with sqlite:// or postgresql://"
    # pydantic says "Input should be …" of a value; the name in front makes that a sentence about the setting.
    return f"{_environment(where[0])} {reason.replace('Input should', 'should', 1)}."
