"""Terminal profiles: the shipped one loads, senseless ones are refused by name."""

from __future__ import annotations

from importlib import resources

import pytest

from tapwatt.terminals import profiles
from tapwatt.terminals.profiles import (
    Evidence,
    UnableToLoadProfile,
    load_profile,
    parse_profile,
    profile_names,
)

NAME = "ingenico-self-4000-zvt"


def text() -> str:
    return resources.files(profiles).joinpath(f"{NAME}.toml").read_text()


def test_every_profile_loads_under_its_own_name() -> None:
    assert NAME in profile_names()
    for name in profile_names():
        assert load_profile(name).name == name


def test_self_4000() -> None:
    profile = load_profile(NAME)
    assert (profile.model, profile.protocol, profile.transport.port) == ("Self/4000", "zvt", 20007)
    assert profile.evidence is Evidence.SIMULATED
    assert profile.can("preauthorise")
    assert not profile.can("increase")
    assert not profile.can("fly")


@pytest.mark.parametrize("name", ["", "nothing", "../ingenico-self-4000-zvt", f"{NAME}.toml"])
def test_unknown_profile(name: str) -> None:
    with pytest.raises(UnableToLoadProfile):
        load_profile(name)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('evidence = "simulated"', 'evidence = "certain"'),
        ("port = 20007", "port = 0"),
        ("port = 20007", 'port = "20007"'),
        ("capture = true", 'capture = "yes"'),
        ("hold_days = 7", "hold_days = -7"),
        ("hold_days = 7", "hold_days = true"),
        ('model = "Self/4000"', ""),
        ('model = "Self/4000"', 'model = "Self/4000"\ncolour = "grey"'),
        ("[transport]", "[transport"),
        ("[transport]", "[carriage]"),
    ],
)
def test_senseless_profiles_are_refused(old: str, new: str) -> None:
    assert old in text()
    with pytest.raises(UnableToLoadProfile):
        parse_profile(text().replace(old, new))
