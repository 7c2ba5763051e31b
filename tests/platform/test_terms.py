"""What a session is offered with: the hold from the tariff, and how long it is good for at this terminal."""

from dataclasses import replace

import pytest

from tapwatt.core.events import Limits
from tapwatt.core.hold import DerivedHold, HoldPolicy
from tapwatt.platform.places import DAY_MS, Terms, terms_at
from tapwatt.programs.platform import terms_of
from tapwatt.settings import Settings, UnableToConfigure
from tapwatt.terminals.profiles import load_profile

RULE = DerivedHold(expected_wh=40_000, floor_minor=1000, cap_minor=8000, plastic_minor=5000, least_minor=100)
TERMS = Terms(hold=RULE, limits=Limits())
PROFILE = load_profile("ingenico-self-4000-zvt")


def test_a_profile_may_end_the_hold_sooner_than_the_setting() -> None:
    short = replace(PROFILE, limits={**PROFILE.limits, "hold_days": 1})
    limits = terms_at(TERMS, short).limits
    # Half of a short hold is left for its end.
    assert (limits.hold_ms, limits.expiry_ms) == (DAY_MS, DAY_MS // 2)
    assert terms_at(TERMS, PROFILE).limits.hold_ms == 7 * DAY_MS
    assert terms_at(TERMS, None).limits == TERMS.limits


def test_a_terminal_with_a_pin_pad_takes_plastic_at_any_amount() -> None:
    with_pin = replace(PROFILE, hardware={**PROFILE.hardware, "pin": True})
    assert terms_at(TERMS, with_pin).hold == replace(RULE, plastic_minor=8000)
    assert terms_at(TERMS, PROFILE).hold == RULE


def test_the_settings_choose_the_rule() -> None:
    fixed, derived = Settings.read(), Settings.read(hold_rule="derived", hold_days=3)
    assert terms_of(fixed).hold == HoldPolicy(amount_minor=2500, least_minor=100)
    assert terms_of(derived).hold == RULE
    assert terms_of(derived).limits.hold_ms == 3 * DAY_MS


def test_a_floor_above_the_cap_is_refused() -> None:
    with pytest.raises(UnableToConfigure, match="TAPWATT_HOLD_FLOOR_MINOR is more than"):
        Settings.read(hold_floor_minor=6000)
