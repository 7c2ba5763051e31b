"""Where the pure floor does not yet do what design.md asks: a sentence each, used as the reason of an xfail.

The tests say what the design says and are strict: whoever mends one of these has to take its mark away.
"""

import pytest

DEFECTS = {
    14: "without meter values a charge runs past its hold: nothing wakes the session before its last hour",
    27: "a station that never stops keeps its session for ever, past the hold's last day",
}


def defect(number: int) -> pytest.MarkDecorator:
    """The mark of a test that fails because of a known defect."""
    return pytest.mark.xfail(strict=True, reason=f"defect {number}: {DEFECTS[number]}")
