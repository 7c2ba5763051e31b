"""The pages in docs/states are what the tables say; `make docs` writes them again."""

from pathlib import Path

import pytest
from docs.draw_states import pages

from tapwatt.core import payment, session

PAGES = pages()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_page_is_not_stale(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == PAGES[path], f"{path.name} is stale: run `make docs`"


@pytest.mark.parametrize(("name", "table"), [("session.md", session.TABLE), ("payment.md", payment.TABLE)])
def test_every_row_is_on_its_page(name: str, table: dict[tuple[str, type], object]) -> None:
    text = next(text for path, text in PAGES.items() if path.name == name)
    for state, event in table:
        assert f"| {state} | {event.__name__} | " in text
    assert "stateDiagram-v2" in text
