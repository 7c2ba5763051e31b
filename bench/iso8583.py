"""ISO 8583: our codec against pyiso8583 on one 0100 of 25 fields with 22 chip tags, processor time.

Both must first make the same bytes of it and read them back.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import iso8583
from bench.figures import Section, interleaved, spread
from tests.against.test_pyiso8583 import their_spec, to_theirs

from tapwatt.rails.emv.tap import TapTerms, tap_tags
from tapwatt.rails.emv.tlv import decode_tlv, encode_tlv
from tapwatt.rails.iso8583 import Message, Spec, load_spec
from tapwatt.rails.sandbox import card, chip_card

ABOUT: Final = (
    "A 0100 of {} fields with {} tags in field 55. The bytes are checked to be the same first. "
    "Microseconds of processor time, median (p10–p90) over the rounds."
)
ROUNDS: Final = 41
TIMES: Final = 100
DIALECTS: Final = {"1987-ascii": "ASCII", "1987-bcd": "BCD"}


def request() -> Message:
    """A 0100 as a terminal sends it through an acquirer."""
    test_card = card("visa-good")
    terms = TapTerms(
        amount_minor=5000,
        currency="978",
        country="276",
        date="260724",
        unpredictable=bytes.fromhex("1A2B3C4D"),
        stan="000123",
        terminal_serial="TW4000-000001",
    )
    tags = {**tap_tags(chip_card(test_card), terms, counter=7), "9F09": bytes.fromhex("0002")}
    fields: dict[int, str | bytes] = {
        2: test_card.pan,
        3: "003000",
        4: "000000005000",
        7: "0724101112",
        11: "000123",
        12: "121112",
        13: "0724",
        14: test_card.expiry,
        18: "5552",
        19: "276",
        22: "071",
        23: "001",
        25: "00",
        32: "100001",
        33: "200001",
        37: "620510000123",
        41: "52523535",
        42: "TWDE00000000017",
        43: f"{'Sunfield Charging':<25}{'Berlin':<13}DE",
        48: "PA011PC011",
        49: "978",
        55: encode_tlv(tags),
        60: "TW4000-000001",
        61: "visit-7F3A",
        62: "52523535-620510000123",
    }
    return Message("0100", fields)


def measure() -> Section:
    """Microseconds of processor time for encoding and decoding once, ours and theirs in turn."""
    message = request()
    rows = []
    for name, title in DIALECTS.items():
        pair = contenders(load_spec(name), message)
        taken = interleaved(pair, rounds=ROUNDS, times=TIMES)
        micro = {who: spread([value * 1e6 for value in values]) for who, values in taken.items()}
        factors = [
            sum(pair) / sum(own)
            for own, pair in zip(
                zip(taken["our encode"], taken["our decode"], strict=True),
                zip(taken["their encode"], taken["their decode"], strict=True),
                strict=True,
            )
        ]
        rows += [
            (f"{title} {what}", micro[f"our {what}"].text(), micro[f"their {what}"].text(), "")
            for what in ("encode", "decode")
        ]
        both = {
            who: micro[f"{who} encode"].median + micro[f"{who} decode"].median for who in ("our", "their")
        }
        rows.append(
            (f"{title} both", f"{both['our']:.1f}", f"{both['their']:.1f}", f"{spread(factors).text()} ×")
        )
    return Section(
        title="encode and decode of a 0100",
        about=ABOUT.format(len(message.fields), len(decode_tlv(message.data(55)))),
        head=("", "tapwatt", "pyiso8583", "faster by"),
        rows=tuple(rows),
    )


def contenders(spec: Spec, message: Message) -> dict[str, Callable[[], Any]]:
    """Both codecs at both verbs, proved to do the same."""
    theirs, rows = to_theirs(spec, message), their_spec(spec)
    for _ in range(3):  # the first ones are by the exact walk, which compiles the fast way
        data = spec.encode(message)
        assert spec.decode(data) == message
    written, _ = iso8583.encode(dict(theirs), rows)
    read, _ = iso8583.decode(data, rows)
    assert bytes(written) == data, "the two codecs disagree on the bytes"
    assert {key: value for key, value in read.items() if key in theirs} == theirs
    return {
        "our encode": partial(spec.encode, message),
        "our decode": partial(spec.decode, data),
        "their encode": partial(iso8583.encode, theirs, rows),
        "their decode": partial(iso8583.decode, data, rows),
    }
