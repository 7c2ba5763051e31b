"""The demo's closing table: each visit, each party, each amount."""

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from tapwatt.cli.demo.agreement import AMOUNTS, PARTIES, Visit
from tapwatt.core.money import to_major


def print_table(visits: list[Visit], open_holds: int, *, console: Console) -> None:
    """Print authorised / captured / released per visit as each party states them."""
    title = "Authorised, captured, released: as each party's own port states it"
    table = Table(title=title, box=SIMPLE, pad_edge=False, collapse_padding=True)
    table.add_column("visit")
    table.add_column("")
    for party in PARTIES:
        table.add_column(party.replace("platform_", ""), justify="right")
    table.add_column("agree")
    for number, visit in enumerate(visits, start=1):
        wrong = set(visit.dissenters())
        cells = [_cell(visit, party, wrong) for party in PARTIES]
        what = "\n".join(amount.removesuffix("_minor") for amount in AMOUNTS)
        verdict = "yes" if visit.agree else "[bold red]NO[/]"
        table.add_row(f"{number}\n{visit.outcome}", f"[dim]{what}[/]", *cells, verdict, end_section=True)
    console.print(table)
    console.print(f"open holds: {open_holds}")


def _cell(visit: Visit, party: str, wrong: set[str]) -> str:
    stated = visit.parties.get(party)
    if stated is None:
        return "[dim]–[/]"
    amounts = "\n".join(str(to_major(amount, currency=visit.currency)) for amount in stated.values())
    return f"[bold red]{amounts}[/]" if party in wrong else amounts
