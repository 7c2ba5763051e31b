"""The demo's closing table: each visit, each party, each amount."""

from rich.console import Console
from rich.table import Table

from tapwatt.cli.demo.agreement import PARTIES, Visit
from tapwatt.core.money import show


def print_table(visits: list[Visit], open_holds: int, *, console: Console) -> None:
    """Print authorised / captured / released per visit as each party states them."""
    table = Table(title="authorised / captured / released, as each party's own port states it")
    for heading in ("visit", "outcome", *(party.replace("_", " ") for party in PARTIES), "agree"):
        table.add_column(heading)
    for number, visit in enumerate(visits, start=1):
        wrong = set(visit.dissenters())
        cells = [_cell(visit, party, wrong) for party in PARTIES]
        table.add_row(str(number), visit.outcome, *cells, "yes" if visit.agree else "[bold red]NO[/]")
    console.print(table)
    console.print(f"open holds: {open_holds}")


def _cell(visit: Visit, party: str, wrong: set[str]) -> str:
    stated = visit.parties.get(party)
    if stated is None:
        return "–"
    amounts = "\n".join(show(amount, currency=visit.currency) for amount in stated.values())
    return f"[bold red]{amounts}[/]" if party in wrong else amounts
