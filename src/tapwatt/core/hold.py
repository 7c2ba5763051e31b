"""How much to authorise before the charge, and when a charge has to stop to stay within it."""

from dataclasses import dataclass, replace
from decimal import Decimal
from math import ceil

from tapwatt.core.money import decimals, round_to_minor, show
from tapwatt.core.site import SOMEWHERE, Site
from tapwatt.core.tariff.model import Tariff
from tapwatt.core.tariff.quotes import quote
from tapwatt.core.tariff.running import exhausts, going_on, reach
from tapwatt.core.tariff.usage import MS_PER_HOUR, Usage

LOOK_AHEAD_MS = 5_000
"""A stop command and the station's reaction take up to this long; the energy of that time must still be
covered."""
WH_PER_KWH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPolicy:
    """The hold of one session, and the least approved amount that is worth starting a charge for."""

    amount_minor: int
    least_minor: int
    covers_wh: int = 0
    """Energy that the amount pays for, where it was derived from the tariff; 0 where it was fixed."""
    choices_minor: tuple[int, ...] = ()
    """What else the driver may choose to have held, smallest first; empty where there is no choice."""
    step_minor: int = 0
    """By how much the hold is raised when it is nearly used up; 0 where it is not."""
    most_minor: int = 0
    """What the hold is raised to at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedHold:
    """A hold that follows the price: what an expected charge costs, within bounds. Where the tariff itself
    asks for an amount (OCPI preauthorize_amount), that is taken instead, within the same bounds."""

    expected_wh: int
    floor_minor: int
    cap_minor: int
    plastic_minor: int
    """Above this a plastic card without PIN is refused at many readers. What will be held to the terminal is
    not known before the tap, so it bounds every hold."""
    least_minor: int


def hold_for(
    rule: HoldPolicy | DerivedHold,
    tariff: Tariff,
    *,
    at_ms: int = 0,
    max_power_w: int = 0,
    site: Site = SOMEWHERE,
) -> HoldPolicy:
    """The hold of a session at this tariff, fixed when it is offered. The expected charge begins now and runs
    at half the EVSE's power, as charges on average do."""
    if isinstance(rule, HoldPolicy):
        return rule
    charging_ms = 2 * rule.expected_wh * MS_PER_HOUR // max_power_w if max_power_w else 0
    cost = quote(tariff, at_ms=at_ms, energy_wh=rule.expected_wh, charging_ms=charging_ms, site=site)
    # Up to the next minor unit, so that the hold pays for all of the energy that it names.
    expected = ceil(cost.exact_gross.scaleb(decimals(tariff.currency)))
    if tariff.preauthorise is not None:
        expected = round_to_minor(Decimal(tariff.preauthorise), currency=tariff.currency)
    amount_minor = min(max(expected, rule.floor_minor), rule.cap_minor, rule.plastic_minor)
    power_w = max_power_w // 2 or rule.expected_wh
    start = Usage(started_ms=at_ms, time_zone=site.time_zone, evse_kind=site.evse_kind)
    until = reach(tariff, start, limit_minor=amount_minor, power_w=power_w)
    return HoldPolicy(
        amount_minor=amount_minor,
        least_minor=min(rule.least_minor, amount_minor),
        covers_wh=until.energy_wh if until else 0,
    )


def chosen(policy: HoldPolicy, amount_minor: int) -> HoldPolicy:
    """The hold that a driver chose. Raises ValueError when it is none of the choices."""
    offered = (policy.amount_minor, *policy.choices_minor)
    if amount_minor not in offered:
        raise ValueError(f"{amount_minor} is none of the holds that were offered")
    return replace(
        policy,
        amount_minor=amount_minor,
        least_minor=min(policy.least_minor, amount_minor),
        covers_wh=policy.covers_wh * amount_minor // policy.amount_minor,
        choices_minor=tuple(sorted({*offered} - {amount_minor})),
    )


def raise_by(policy: HoldPolicy, *, authorised_minor: int) -> int:
    """By how much to raise a hold that is nearly used up; 0 when it stays as it is."""
    if not policy.step_minor:
        return 0
    return max(0, min(policy.step_minor, policy.most_minor - authorised_minor))


def hold_sentence(policy: HoldPolicy, *, currency: str) -> str:
    """What the driver reads before the tap: the hold, the whole kWh that it pays for where known, and how it
    grows or may be chosen."""
    held = f"Hold {show(policy.amount_minor, currency=currency)}"
    whole_kwh = policy.covers_wh // WH_PER_KWH
    if whole_kwh:
        held += f" ({whole_kwh} kWh)"
    if policy.step_minor:
        held += f", raised by {show(policy.step_minor, currency=currency)}"
        held += f" up to {show(policy.most_minor, currency=currency)}"
    if policy.choices_minor:
        held += " or " + ", ".join(show(amount, currency=currency) for amount in policy.choices_minor)
    return held


def must_stop(tariff: Tariff, usage: Usage, *, power_w: int, authorised_minor: int) -> bool:
    """Whether charging on at this power would soon cost more than the confirmed hold."""
    soon = going_on(usage, for_ms=LOOK_AHEAD_MS, power_w=power_w)
    return exhausts(tariff, soon, limit_minor=authorised_minor, power_w=power_w)


def time_left_ms(tariff: Tariff, usage: Usage, *, authorised_minor: int, max_power_w: int) -> int | None:
    """How long the rest of the hold lasts at the most that the EVSE can deliver; None: for ever."""
    if max_power_w <= 0:
        return None
    until = reach(tariff, usage, limit_minor=authorised_minor, power_w=max_power_w)
    return None if until is None else until.after_ms
