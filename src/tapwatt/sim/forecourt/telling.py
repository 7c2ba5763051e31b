"""What happened to the visit and to its money, and what would have gone wrong elsewhere: sentences. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from tapwatt.core.energy import show_kwh
from tapwatt.core.money import show
from tapwatt.sim.forecourt.facts import Facts, Json, Stay, Told
from tapwatt.sim.forecourt.switches import switch


class Money(StrEnum):
    """Where the money of a visit stands."""

    UNDER_WAY = "under way"
    PAID = "paid"
    DECLINED = "declined"
    NEVER_HELD = "never held"
    GIVEN_BACK = "given back"
    TAKEN_BACK = "taken back"
    BEING_TAKEN_BACK = "being taken back"
    REVIEW = "review"
    LOST = "lost"


TONES: Final[dict[Money, str]] = {
    Money.PAID: "good",
    Money.GIVEN_BACK: "good",
    Money.TAKEN_BACK: "good",
    Money.DECLINED: "warn",
    Money.BEING_TAKEN_BACK: "warn",
    Money.REVIEW: "bad",
    Money.LOST: "bad",
}
ENDED: Final = ("closed", "failed", "review")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tale:
    """What is told of a visit. `elsewhere` only at its end."""

    money: Money
    now: str
    elsewhere: str = ""
    tone: str = ""


def money_of(session: Json, told: Told) -> Money:
    """Where the money stands, judged by the session and by the issuer's books."""
    issuer = told.parties.get("issuer")
    if session["state"] not in ENDED:
        return Money.UNDER_WAY
    if session["state"] == "review":
        return Money.REVIEW
    if session["lost_minor"]:
        return Money.LOST
    if session["captured_minor"]:
        return Money.PAID
    if told.reversing or (issuer is not None and issuer.held_minor):
        return Money.BEING_TAKEN_BACK
    if session["authorised_minor"]:
        return Money.GIVEN_BACK
    if issuer is not None and issuer.released_minor:
        return Money.TAKEN_BACK
    return Money.DECLINED if session["reason"] == "payment declined" else Money.NEVER_HELD


def tell(facts: Facts) -> Tale:
    """The tale of the visit on show."""
    stay, told = facts.stay, facts.told
    if told.sessions is None:
        return Tale(
            money=Money.UNDER_WAY, now="The platform does not answer; the page waits for it.", tone="bad"
        )
    if stay is None:
        return Tale(money=Money.UNDER_WAY, now=_nobody(facts))
    if stay.tag_answer and stay.tag_answer != "accepted":
        return _refused_tag(stay)
    if told.session is None:
        return Tale(money=Money.UNDER_WAY, now=_no_session(facts, stay))
    money = money_of(told.session, told)
    if money is Money.UNDER_WAY:
        return Tale(money=money, now=f"{_broken(stay)}{_step(told.session)}")
    return Tale(
        money=money,
        now=f"{_breakages(stay)}{_ending(money, told.session, told)}".strip(),
        elsewhere=_elsewhere(money, stay, told.session),
        tone=TONES.get(money, ""),
    )


def hold_of(session: Json) -> str:
    """The hold that was asked for, as people read it."""
    asked = session["authorised_minor"] or session["hold_choices_minor"][0]
    return show(asked, currency=session["currency"])


def _nobody(facts: Facts) -> str:
    if not facts.driving:
        return "Drivers come by themselves. Watch one, or take over and be one."
    return "The site is yours. Choose a connector and plug in."


def _no_session(facts: Facts, stay: Stay) -> str:
    plugged = any(bay.plugged for bay in facts.bays if bay.evse_id == stay.evse_id)
    if stay.over:
        return "The car has left. Nobody was asked for money, so nobody holds any."
    if not facts.station_up:
        return "The station’s line is down: nobody has heard of the car yet. Nothing is held."
    if not plugged:
        return "Nobody is plugged in yet. Nothing is held."
    return "The car is plugged in; the platform is told."


def _step(session: Json) -> str:
    currency = session["currency"]
    held = show(session["authorised_minor"], currency=currency)
    cost = session["cost"]
    paid_by_account = session["leader"] == "account"
    step: dict[str, str] = {
        "offered": f"The terminal shows price and hold ({hold_of(session)}). Nothing is held yet: tap.",
        "authorising": f"The card’s bank is asked to hold {hold_of(session)}. Nothing is taken.",
        "ready": f"{held} are held at the bank, not taken. Plug in.",
        "starting": f"{held} are held at the bank, not taken. The station is asked to start.",
        "charging": f"Power flows. Used so far: {cost} of the {held} hold. Nothing is taken before the end.",
        "stopping": f"The station is asked to stop. Used so far: {cost}.",
        "closing": f"The charge is over: {cost} are being taken, the rest of {held} goes back.",
    }
    if paid_by_account:
        step |= {
            "starting": "The tag’s account is good for it. The station starts.",
            "charging": f"Power flows. {cost} so far, to be booked to the tag’s account.",
            "closing": f"The charge is over: {cost} are being booked to the account.",
        }
    return step.get(str(session["state"]), "")


def _ending(money: Money, session: Json, told: Told) -> str:
    currency, energy = session["currency"], f"{show_kwh(session['energy_wh'])} kWh"
    said = {
        name: show(session[f"{name}_minor"], currency=currency) for name in ("captured", "released", "lost")
    }
    match money:
        case Money.PAID if session["leader"] == "account":
            return (
                f"{said['captured']} for {energy} were booked to the account behind the tag. "
                "No bank was asked."
            )
        case Money.PAID:
            return (
                f"{said['captured']} were taken for {energy}; the other {said['released']} of the hold "
                f"went back in the same message.{_late(session, told)}"
            )
        case Money.DECLINED:
            why = session["detail"] or "no reason given"
            return f"The card was not approved: {why}. Nothing is held, nothing was taken, no power flowed."
        case Money.NEVER_HELD:
            return f"It ended ({session['reason'] or 'no charge'}). Nothing was ever held."
        case Money.GIVEN_BACK:
            return f"{_capital(session['reason'])}: the whole hold of {hold_of(session)} was given back."
        case Money.TAKEN_BACK:
            return f"Tapwatt reversed the hold: the bank has let {hold_of(session)} go again."
        case Money.BEING_TAKEN_BACK:
            return (
                f"Tapwatt takes the hold of {hold_of(session)} back, again and again until that is confirmed."
            )
        case Money.REVIEW:
            return f"{_capital(session['reason'])}: nothing is taken before a person decides in the console."
        case Money.LOST:
            return f"{said['lost']} were delivered on a hold that had gone back: the ledger books a loss."
        case Money.UNDER_WAY:
            return ""


_BY_CODE: Final[dict[str, str]] = {
    "visa-forged": "A reader that only copies the number would have charged a copied card, and the operator "
    "would have borne the loss.",
    "mastercard-replayed": "Where the card’s counter is not checked, one recorded tap pays again and again.",
    "visa-low": "A system that starts on the tap and asks later gives the energy away.",
    "mastercard-partial": "A terminal that does not know “approved for less” turns this driver away; one "
    "that overlooks the amount delivers more than is held.",
    "tag-known": "Where a tag is believed while the network is down, a blocked account charges too.",
}
_BY_MONEY: Final[dict[Money, str]] = {
    Money.PAID: "A system that takes the hold and refunds the rest later shows the driver two bookings and "
    "lets him wait for his money.",
    Money.DECLINED: "A system that says only “error” leaves the driver to try the same card five times.",
    Money.GIVEN_BACK: "A system that lets a hold run out by itself leaves {hold} blocked for days or weeks.",
    Money.REVIEW: "A system that takes what the meter says would have billed something nobody can prove.",
    Money.LOST: "A system without a ledger would not have noticed.",
}
_BY_DECLINE: Final = (
    "A system that starts on the tap and asks later gives the energy away, to a card like this."
)


def _elsewhere(money: Money, stay: Stay, session: Json) -> str:
    hold = hold_of(session)
    for key in stay.broken:
        known = switch(key)
        if known is not None:
            said = known.when_paid if money is Money.PAID and known.when_paid else known.elsewhere
            return said.format(hold=hold)
    medium = stay.medium.key if stay.medium is not None else ""
    if medium in _BY_CODE and (money is not Money.PAID or medium in ("mastercard-partial", "tag-known")):
        return _BY_CODE[medium].format(hold=hold)
    if money is Money.DECLINED and stay.medium is not None:
        return _BY_DECLINE
    return _BY_MONEY.get(money, "").format(hold=hold)


def _breakages(stay: Stay) -> str:
    past = [known.past for key in stay.broken if (known := switch(key)) is not None]
    return "".join(f"{sentence} " for sentence in past)


def _broken(stay: Stay) -> str:
    """While a visit goes on nobody knows yet how a breakage ends: it is only named."""
    titles = [known.title for key in stay.broken if (known := switch(key)) is not None]
    return f"Broken in this visit: {', '.join(titles)}. " if titles else ""


def _late(session: Json, told: Told) -> str:
    """What is booked here and not yet heard of at the bank."""
    issuer = told.parties.get("issuer")
    if issuer is None or not issuer.held_minor:
        return ""
    held = show(issuer.held_minor, currency=session["currency"])
    return f" The bank still holds {held}: the message waits, and is repeated until it is heard."


def _refused_tag(stay: Stay) -> Tale:
    return Tale(
        money=Money.DECLINED,
        now=f"{_breakages(stay)}The platform said no to this tag ({stay.tag_answer}): the station gives no "
        "power and nothing is booked.",
        elsewhere="A station that believes any tag while it is off the network gives energy away.",
        tone="warn",
    )


def _capital(text: Any) -> str:
    words = str(text)
    return words[:1].upper() + words[1:]
