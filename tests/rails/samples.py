"""Messages, cards and strategies that the tests of the rails share. Card numbers are public test numbers."""

from __future__ import annotations

import string
from itertools import count

from hypothesis import strategies as st

from tapwatt.rails import messages
from tapwatt.rails.iso8583 import Message, Spec
from tapwatt.rails.iso8583.field import ContentClass, FieldSpec
from tapwatt.rails.messages import Acceptor, CardData

NOW_MS = 1_763_802_672_000  # 2025-11-22 09:11:12 UTC
PAN = "4111111111111111"
ACCEPTOR = Acceptor(
    terminal_id="52523535",
    merchant_id="TWDE00000000017",
    name="Sunfield Charging",
    city="Berlin",
    country="DE",
    terminal_serial="TW4000-000001",
    acquirer_id="100001",
)

_ALPHABETS = {
    ContentClass.N: string.digits,
    ContentClass.A: string.ascii_letters + " ",
    ContentClass.AN: string.ascii_letters + string.digits + " ",
    ContentClass.ANS: "".join(chr(code) for code in range(0x20, 0x7F)),
    ContentClass.Z: string.digits + "=",
}
_stans = count(1)


def hold(
    *, stan: str | None = None, amount_minor: int = 5000, pan: str = PAN, chip_data: bytes | None = None
) -> Message:
    """An authorisation request; a new trace number each time unless one is given."""
    return messages.authorisation(
        card=CardData(pan=pan, expiry="3112", chip_data=chip_data),
        acceptor=ACCEPTOR,
        amount_minor=amount_minor,
        currency="978",
        stan=f"{next(_stans):06d}" if stan is None else stan,
        rrn="532609000001",
        now_ms=NOW_MS,
        life_cycle="LC-0001",
    )


def field_value(field: FieldSpec) -> st.SearchStrategy[str | bytes]:
    """Any value a field can hold."""
    shortest = field.length if field.fixed else 0
    longest = field.length if field.fixed else min(field.length, 40)
    if field.binary:
        return st.binary(min_size=shortest, max_size=longest)
    if field.content is ContentClass.XN:
        digits = st.text(string.digits, min_size=field.length - 1, max_size=field.length - 1)
        return st.builds(str.__add__, st.sampled_from(["C", "D"]), digits)
    return st.text(_ALPHABETS[field.content], min_size=shortest, max_size=longest)


@st.composite
def any_message(draw: st.DrawFn, spec: Spec) -> Message:
    """Any message of a dialect."""
    mti = draw(st.sampled_from(sorted(spec.layout.mtis)))
    numbers = draw(st.sets(st.sampled_from(sorted(spec.layout.fields)), min_size=1, max_size=20))
    fields = {number: draw(field_value(spec.layout.fields[number])) for number in sorted(numbers)}
    return Message(mti, fields)
