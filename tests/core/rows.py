"""Reads the tables that are written down by hand in `payment_rows` and `session_rows`."""

from dataclasses import dataclass
from itertools import product


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One expected row; `next_states` and `effects` list what the design allows."""

    sample: str
    event: str
    next_states: tuple[str, ...]
    effects: tuple[tuple[str, ...], ...]
    defect: int | None = None

    @property
    def state(self) -> str:
        """The state that the sample is in."""
        return self.sample.split(".")[0]

    @property
    def name(self) -> str:
        """How a test calls this row."""
        return f"{self.sample}-{self.event}"

    def allows(self, state: str, effects: tuple[str, ...]) -> bool:
        """Whether this is what the row expects."""
        return state in self.next_states and effects in self.effects


def written(table: str) -> list[Row]:
    """The rows of a table in the form `sample,sample event,event next|next Effect,Effect|- [defect]`."""
    rows = [row for line in table.strip().splitlines() for row in _rows(*line.split())]
    names = [row.name for row in rows]
    assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)
    return rows


def _rows(samples: str, events: str, next_states: str, effects: str, defect: str | None = None) -> list[Row]:
    return [
        Row(
            sample=sample,
            event=event,
            next_states=tuple(next_states.replace("=", sample.split(".")[0]).split("|")),
            effects=tuple(
                () if kinds == "-" else tuple(sorted(kinds.split(","))) for kinds in effects.split("|")
            ),
            defect=int(defect) if defect else None,
        )
        for sample, event in product(samples.split(","), events.split(","))
    ]
