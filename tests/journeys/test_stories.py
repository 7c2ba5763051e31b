"""Every story ends as it says, every row is in a story, and hearing things twice changes nothing more."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.core import samples as s
from tests.core.defects import defect
from tests.journeys.stories import VISITS, Story
from tests.journeys.stories_late import LATE
from tests.journeys.stories_limits import LIMITED
from tests.journeys.stories_payment import PAYMENT
from tests.journeys.stories_price import PRICED
from tests.journeys.stories_quiet import QUIET
from tests.journeys.stories_review import REVIEWED
from tests.journeys.stories_station import STATION
from tests.journeys.unreached import UNREACHED_PAYMENT, UNREACHED_SESSION

from tapwatt.core import effects as f
from tapwatt.core import payment, session
from tapwatt.core.session import UnableToDecide, decide

GOOD = (*VISITS, *STATION, *PAYMENT, *LATE, *QUIET, *REVIEWED, *LIMITED, *PRICED)
STORIES = [
    pytest.param(story, id=story.name, marks=[defect(story.defect)] if story.defect else []) for story in GOOD
]


def postings(run: s.Run) -> tuple[str, ...]:
    """What was written into the books, in order: kind and amount."""
    found = []
    for post in run.all(f.Post):
        kind, entries = post.posting.kind, post.posting.entries
        amount = entries[-1].amount_minor if kind == "refunded" else entries[0].amount_minor
        found.append(f"{kind} {-amount if kind in ('captured', 'refunded') else amount}")
    return tuple(found)


@pytest.mark.parametrize("story", STORIES)
def test_a_story_ends_as_it_must(story: Story) -> None:
    run = s.play(story.events)
    paid = run.session.payment
    assert (run.session.state, paid and paid.state) == (story.state, story.payment)
    assert postings(run) == story.postings
    assert run.session.lost_minor == story.lost
    assert run.session.reason == story.reason
    assert len(run.all(f.Notify)) == story.alarms
    if paid:
        assert (paid.captured_minor, paid.released_minor) == (story.captured, story.released)
        assert paid.refunded_minor == story.refunded
    if story.captured and story.state == "closed":
        (receipt,) = run.all(f.IssueReceipt)
        assert receipt.purchase.captured_minor == story.captured
    assert not story.open_hold or story.alarms


def test_stories_have_names_of_their_own() -> None:
    assert len({story.name for story in GOOD}) == len(GOOD)


class Looked(dict[Any, Any]):
    """A table that remembers which of its rows were looked at."""

    def __init__(self, table: dict[Any, Any]) -> None:
        super().__init__(table)
        self.rows: set[tuple[str, str]] = set()

    def get(self, key: Any, default: Any = None) -> Any:
        """The row, remembered."""
        if key in self:
            self.rows.add((str(key[0]), key[1].__name__))
        return super().get(key, default)


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> tuple[Looked, Looked]:
    """Both tables, remembering their rows."""
    tables = Looked(payment.TABLE), Looked(session.TABLE)
    monkeypatch.setattr(payment, "TABLE", tables[0])
    monkeypatch.setattr(session, "TABLE", tables[1])
    return tables


def test_every_row_is_in_a_story_or_in_the_list_of_those_that_are_not(looked: tuple[Looked, Looked]) -> None:
    for story in GOOD:
        s.play(story.events)
    for table, listed in zip(looked, (UNREACHED_PAYMENT, UNREACHED_SESSION), strict=True):
        every = {(str(state), event.__name__) for state, event in table}
        assert every - table.rows == set(listed), (
            f"not reached and not listed: {sorted(every - table.rows - set(listed))}; "
            f"listed and reached, or no row: {sorted(set(listed) - (every - table.rows))}"
        )


def test_every_unreached_row_has_a_reason() -> None:
    for reason in (*UNREACHED_PAYMENT.values(), *UNREACHED_SESSION.values()):
        assert len(reason) > 20


def twice(story: Story) -> Iterator[tuple[str, str, str]]:
    """What happens when each event of a story is heard twice, where that is anything at all."""
    now: Any = None
    for event in story.events:
        now, _ = decide(now, event)
        name = type(event).__name__
        try:
            again, effects = decide(now, event)
        except UnableToDecide:
            yield now.state, name, "error"
            continue
        kinds = ",".join(type(effect).__name__ for effect in effects)
        if again != now or kinds:
            yield now.state, name, kinds or "changed"


AGAIN = {
    ("offered", "HoldChosen"): {"ShowOnTerminal"},
    ("charging", "Silent"): {"Ask"},
    ("closed", "Silent"): {"Ask"},
    ("closing", "Silent"): {"Ask"},
    ("closing", "Aborted"): {"Ask"},
    ("closing", "NotSent"): {"Capture", "Release"},
    ("closing", "FoundOpen"): {"Capture", "Release"},
    ("closing", "CannotAsk"): {"Notify"},
    ("closed", "CannotAsk"): {"Notify"},
    ("review", "CannotAsk"): {"Notify"},
    ("closing", "Decided"): {"error"},
    ("closed", "RefundWanted"): {"error"},
    ("closed", "VoidWanted"): {"error"},
}
"""Repeats that do something, should the engine not drop them by their key: the same operation, question or
alarm under the same key. A second wish or decision is an error while the first one is open."""


def test_hearing_everything_twice_changes_nothing_more() -> None:
    found: dict[tuple[str, str], set[str]] = {}
    for story in GOOD:
        for state, name, what in twice(story):
            found.setdefault((state, name), set()).add(what)
    assert found == AGAIN
