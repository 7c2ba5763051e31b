"""Where the pure floor does not yet do what design.md asks: a sentence each, used as the reason of an xfail.

The tests say what the design says and are strict: whoever mends one of these has to take its mark away.
"""

import pytest

DEFECTS: dict[int, str] = {}


def defect(number: int) -> pytest.MarkDecorator:
    """The mark of a test that fails because of a known defect."""
    return pytest.mark.xfail(strict=True, reason=f"defect {number}: {DEFECTS[number]}")
