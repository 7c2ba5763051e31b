"""A program's figures in Prometheus's text format (0.0.4).

Written by hand: every figure is counted where it arises or read from rows when it is asked for, so of a
client library only the joining of strings would be left, at a tenth of a second of start for each program.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from tapwatt.programs.runtime import Runtime, now_ms
from tapwatt.store.tally import Tally
from tapwatt.traces import Recorder

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
LATENCY_MS: Final = (50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000)
MOST_LABELS: Final = 200

Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True, kw_only=True)
class Family:
    """One figure by its labels. `kind` is gauge or counter."""

    name: str
    kind: str
    help: str
    samples: dict[Labels, int | float] = field(default_factory=dict)

    def lines(self) -> Iterable[str]:
        """The family as text."""
        yield from _head(self.name, self.kind, self.help)
        for labels, value in self.samples.items():
            yield f"{self.name}{_labels(labels)} {value}"


@dataclass(slots=True, kw_only=True)
class Histogram:
    """A tally in a unit: `per` of what was counted make one."""

    name: str
    help: str
    tally: Tally
    per: int = 1

    def lines(self) -> Iterable[str]:
        """The histogram as text."""
        yield from _head(self.name, "histogram", self.help)
        tally = self.tally
        for bound, count in zip((*tally.bounds, None), accumulate(tally.counts), strict=True):
            edge = "+Inf" if bound is None else f"{bound / self.per:g}"
            yield f'{self.name}_bucket{{le="{edge}"}} {count}'
        yield f"{self.name}_sum {tally.total / self.per:g}"
        yield f"{self.name}_count {tally.number}"


Figures = Callable[[], Awaitable[list[Family | Histogram]]]


def page(families: Iterable[Family | Histogram]) -> str:
    """The text that is scraped."""
    return "".join(f"{line}\n" for family in families for line in family.lines())


def gauge(name: str, help: str, value: int | float) -> Family:
    """One gauge without labels."""
    return Family(name=f"tapwatt_{name}", kind="gauge", help=help, samples={(): value})


def gauges(name: str, help: str, label: str, values: Mapping[str, int]) -> Family:
    """One gauge by one label."""
    samples: dict[Labels, int | float] = {((label, text),): value for text, value in values.items()}
    return Family(name=f"tapwatt_{name}", kind="gauge", help=help, samples=samples)


def counter(name: str, help: str, counted: Mapping[Labels, int]) -> Family:
    """One counter."""
    return Family(name=f"tapwatt_{name}_total", kind="counter", help=help, samples=dict(counted))


def own_figures(runtime: Runtime, recorder: Recorder | None = None) -> list[Family | Histogram]:
    """What every program counts: its uptime, its writer, its traces."""
    found: list[Family | Histogram] = [
        gauge("up_seconds", "Seconds since the program started.", (now_ms() - runtime.started_ms) // 1000)
    ]
    for database in runtime.databases:
        writing = database.writing
        found += [
            Histogram(
                name="tapwatt_writer_batch_size", help="Callers in one commit.", tally=writing.batch_sizes
            ),
            Histogram(
                name="tapwatt_writer_commit_seconds",
                help="From the begin of a batch to its commit.",
                tally=writing.commits_us,
                per=1_000_000,
            ),
            gauge("writer_waiting", "Callers that wait for a commit.", writing.waiting),
            counter("writer_failures", "Commits that failed.", {(): writing.failures}),
        ]
    if recorder is not None:
        kept: dict[Labels, int] = {
            (("what", "kept"),): recorder.kept,
            (("what", "dropped"),): recorder.dropped,
        }
        found.append(counter("traces", "Wire messages written down, and dropped under load.", kept))
    return found


class AnswerFigures:
    """Counts a host's answers by type and code, and how long each authorisation took."""

    def __init__(self) -> None:
        self.answers: Counter[Labels] = Counter()
        self.authorised_ms = Tally(LATENCY_MS)
        self._asked_ms: OrderedDict[str, int] = OrderedDict()

    def asked(self, link: str, at_ms: int) -> None:
        """A request came."""
        self._asked_ms[link] = at_ms
        if len(self._asked_ms) > 4096:
            self._asked_ms.popitem(last=False)

    def answered(self, link: str, mti: str, code: str, at_ms: int) -> None:
        """Its answer leaves."""
        labels = (("mti", mti), ("code", code))
        if labels in self.answers or len(self.answers) < MOST_LABELS:
            self.answers[labels] += 1
        asked_ms = self._asked_ms.pop(link, None)
        if asked_ms is not None and mti == "0110":
            self.authorised_ms.add(at_ms - asked_ms)

    def families(self) -> list[Family | Histogram]:
        """What was counted."""
        return [
            counter("answers", "Answers given, by message type and code of field 39.", self.answers),
            Histogram(
                name="tapwatt_authorisation_seconds",
                help="From an authorisation request to its answer.",
                tally=self.authorised_ms,
                per=1000,
            ),
        ]


def age_s(since_ms: int | None) -> int:
    """How long ago, in seconds; 0 for never."""
    return 0 if since_ms is None else max(0, now_ms() - since_ms) // 1000


def _head(name: str, kind: str, help: str) -> Iterable[str]:
    yield f"# HELP {name} {help}"
    yield f"# TYPE {name} {kind}"


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(text)}"' for name, text in labels) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
