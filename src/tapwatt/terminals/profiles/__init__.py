"""Terminal profiles: one data file says what a model with a given application can do, and how sure we are of
it.

The session asks for capabilities, never for a model (design.md section 6). Evidence rises only by a
conformance run.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import Any

_SUFFIX = ".toml"


class Evidence(StrEnum):
    """What stands behind a profile, weakest first."""

    NONE = "none"
    SIMULATED = "simulated"
    FIELD = "field"
    VENDOR_CERTIFIED = "vendor-certified"


class UnableToLoadProfile(Exception):
    """The profile does not exist or its file makes no sense; the message names what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """How the terminal is reached by default."""

    kind: str
    dialled_by: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One model with one application. `capabilities` are the operations of design.md section 6."""

    name: str
    maker: str
    model: str
    application: str
    region: str
    protocol: str
    evidence: Evidence
    transport: Transport
    hardware: Mapping[str, bool | int]
    capabilities: Mapping[str, bool]
    limits: Mapping[str, int]
    quirks: Mapping[str, bool | str]

    def can(self, operation: str) -> bool:
        """Whether the terminal offers an operation, by its name in design.md section 6."""
        return self.capabilities.get(operation, False)


def profile_names() -> tuple[str, ...]:
    """Give the names of all profiles, sorted."""
    files = resources.files(__name__).iterdir()
    return tuple(sorted(file.name.removesuffix(_SUFFIX) for file in files if file.name.endswith(_SUFFIX)))


def load_profile(name: str) -> Profile:
    """Read one profile. Raises UnableToLoadProfile."""
    if name not in profile_names():
        raise UnableToLoadProfile(f"there is no terminal profile {name!r}")
    text = resources.files(__name__).joinpath(name + _SUFFIX).read_text(encoding="utf-8")
    return parse_profile(text)


def parse_profile(text: str) -> Profile:
    """Turn a profile file's text into a profile. Raises UnableToLoadProfile."""
    try:
        data: dict[str, Any] = tomllib.loads(text)
        transport = Transport(**data.pop("transport"))
        profile = Profile(**{**data, "evidence": Evidence(data["evidence"]), "transport": transport})
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise UnableToLoadProfile(f"a terminal profile makes no sense: {error}") from error
    _check(profile)
    return profile


def _check(profile: Profile) -> None:
    port = profile.transport.port
    if not isinstance(port, int) or not 0 < port < 65_536:
        raise UnableToLoadProfile(f"{profile.name}: port {port!r} is no TCP port")
    for operation, offered in profile.capabilities.items():
        if not isinstance(offered, bool):
            raise UnableToLoadProfile(f"{profile.name}: capability {operation} is neither true nor false")
    for limit, value in profile.limits.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise UnableToLoadProfile(f"{profile.name}: limit {limit} is no whole number")
