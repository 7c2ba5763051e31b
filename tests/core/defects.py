"""Where the pure floor does not yet do what design.md asks: a sentence each, used as the reason of an xfail.

The tests say what the design says and are strict: whoever mends one of these has to take its mark away.
"""

import pytest

DEFECTS = {
    1: "a hold that is found open after a refusal is forgotten",
    3: "the repeat of an approval, after its hold went back, releases it a second time",
    5: "the host side does not repeat a reversal until answered; nor can a void or refund stay unasked",
    12: "the stop of a transaction whose start was lost waits in review without an alarm",
    13: "nobody can end the review of a payment itself, and a hold in review dies unseen on its last day",
    14: "without meter values a charge runs past its hold: nothing wakes the session before its last hour",
    15: "when the payment ends first, nobody asks a second time that the car of a lost session stops",
    19: "an increase of an amount that nobody confirmed is used",
    27: "a station that never stops keeps its session for ever, past the hold's last day",
    28: "while nobody can be asked, the same two alarms are raised every two minutes for ever",
    29: "a refund or void that stays unanswered is never asked about again",
}


def defect(number: int) -> pytest.MarkDecorator:
    """The mark of a test that fails because of a known defect."""
    return pytest.mark.xfail(strict=True, reason=f"defect {number}: {DEFECTS[number]}")
