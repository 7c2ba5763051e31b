"""Where the pure floor does not yet do what design.md asks: a sentence each, used as the reason of an xfail.

The tests say what the design says and are strict: whoever mends one of these has to take its mark away.
"""

import pytest

DEFECTS = {
    1: "an answer that comes when the matter is settled has no row, so its question is performed for ever",
    2: "a hold that is approved while its session waits in review is neither used nor released",
    3: "a late approval after the reversal has no row",
    4: "an unknown payment whose question stays unanswered is asked no more, and nobody hears of it",
    5: "a capture or release that nobody can be asked about, or that left no trace, has no row",
    6: "a session that ends while its car already charges neither stops it nor books the energy as a loss",
    7: "the repeat of a release of an unconfirmed hold is for nothing instead of the amount asked",
    8: "readings older than the last are dropped: with its clock set back a station charges for nothing",
    9: "a reading after the stop changes the energy on the receipt, but not its bill",
    10: "an approval for more than was asked waits in review without an alarm",
    11: "a tick that comes before the deadline acts all the same",
    12: "meter values and the stop of a transaction whose start was lost have no rows",
    13: "nothing leads out of review: not a person's decision, not the hold's last day",
    14: "without meter values a charge runs past its hold: nothing wakes the session before its last hour",
    15: "the stop of a late start is asked for once, and nobody hears that the station did not obey",
    16: "the doubts of a meter grow without a limit",
    17: "a refusal without words is shown as if there were no trace of it",
    18: "a refund is believed to be as large as the answer says, even above the captured amount",
    19: "an increase counts as fully approved whatever the answer says",
    20: "the list of currencies is not all of ISO 4217's exceptions",
    21: "a repeated tag or offer has no row; a repeated refusal moves the time of the end",
    22: "a question and an alarm carry the key of the money operation they are about",
    23: "silence after a late approval hides: the session stays closed, or its reason is lost",
    24: "an offer ends when a connector without a car is reported free again",
    25: "a session that waits for a capture or release has no time after which somebody hears of it",
    26: "a refund takes everything from revenue and leaves the tax where it is",
    27: "a station that never stops keeps its session for ever, past the hold's last day",
}


def defect(number: int) -> pytest.MarkDecorator:
    """The mark of a test that fails because of a known defect."""
    return pytest.mark.xfail(strict=True, reason=f"defect {number}: {DEFECTS[number]}")
