"""`tapwatt tariff`: tariffs from the shell. `lint` works on a file alone; the rest asks the platform."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote as quoted

import typer

from tapwatt.cli.platform_api import AnswerIsNo, AsJson, Json, Server, ask, everything, no

if TYPE_CHECKING:
    from tapwatt.core.tariff.model import Tariff

TariffId = Annotated[str, typer.Argument(metavar="ID", help="The tariff.")]
File = Annotated[str, typer.Argument(metavar="FILE", help="A tariff of OCPI 2.2.1 or 2.3.0; - is stdin.")]
By = Annotated[str, typer.Option("--by", help="Who does it.")]
Version = Annotated[int | None, typer.Option("--version", min=1, help="Else the draft, or the newest.")]


def register(root: typer.Typer) -> None:
    """Add the group to the root app."""
    group = typer.Typer(
        help="Tariffs: check, keep, try, publish. Example: tapwatt tariff lint tariff.json --country DE",
        rich_markup_mode=None,
        no_args_is_help=True,
    )
    for name, command in (
        ("list", list_tariffs),
        ("show", show),
        ("lint", lint),
        ("put", put),
        ("simulate", simulate),
        ("publish", publish),
        ("quote", quote),
    ):
        group.command(name)(command)
    root.add_typer(group, name="tariff")


def list_tariffs(server: Server = None, as_json: AsJson = False) -> int:
    """All tariffs and what is in force of each. Example: tapwatt tariff list"""
    try:
        answer = everything(server, "/tariffs", "tariffs")
    except AnswerIsNo as reason:
        return no(reason)
    if as_json:
        typer.echo(json.dumps(answer))
        return 0
    for each in answer["tariffs"]:
        current = each["in_force"]
        said = f"version {current['version']}: {each['price']}" if current else "nothing in force"
        draft = f"; draft {each['draft']}" if each["draft"] else ""
        typer.echo(f"{each['tariff_id']}  {said}{draft}; {each['stations']} stations")
    return 0


def show(tariff_id: TariffId, version: Version = None, server: Server = None, as_json: AsJson = False) -> int:
    """One tariff in words, with findings and versions. Example: tapwatt tariff show DC-0.58"""
    try:
        page = _page(server, tariff_id, version)
    except AnswerIsNo as reason:
        return no(reason)
    typer.echo(json.dumps(page) if as_json else "\n".join(_told(page)))
    return 0


def lint(
    file: File,
    country: Annotated[str, typer.Option("--country", help="Whose law counts: DE, FR, US …")] = "",
    power_kw: Annotated[int | None, typer.Option("--power-kw", min=0, help="Of the EVSE.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", metavar="AC|DC", help="Of the EVSE.")] = None,
    as_json: AsJson = False,
) -> int:
    """Say what a tariff says, and what is suspicious or unlawful; exit code 1 for errors.
    Example: tapwatt tariff lint tariff.json --country DE --power-kw 150 --kind DC"""
    if kind not in (None, "AC", "DC"):
        raise typer.BadParameter("is AC or DC", param_hint="--kind")
    told = _linted(_tariff(_text(file)), country, power_kw, kind)
    typer.echo(json.dumps(told) if as_json else "\n".join(_said(told)))
    return int(any(one["severity"] == "error" for one in told["findings"]))


def put(
    file: File,
    note: Annotated[str, typer.Option("--note", help="Kept with the draft.")] = "",
    by: By = "operator",
    server: Server = None,
    as_json: AsJson = False,
) -> int:
    """Keep a tariff as a draft, the next version of its id. Example: tapwatt tariff put tariff.json"""
    text = _text(file)
    tariff_id = _tariff(text).tariff_id
    try:
        page = ask(server, "PUT", _path(tariff_id), text=text, query={"by": by, "note": note})
    except AnswerIsNo as reason:
        return no(reason)
    typer.echo(json.dumps(page) if as_json else "\n".join(_told(page)))
    return 0


def simulate(
    tariff_id: TariffId, version: Version = None, server: Server = None, as_json: AsJson = False
) -> int:
    """Price last month's sessions again with a version. Example: tapwatt tariff simulate DC-0.58"""
    try:
        number = version or _page(server, tariff_id, None)["shown"]["version"]
        told = ask(server, "POST", f"{_path(tariff_id)}/versions/{number}/simulate")
    except AnswerIsNo as reason:
        return no(reason)
    typer.echo(json.dumps(told) if as_json else "\n".join(_compared(told, number)))
    return 0


def publish(
    tariff_id: TariffId,
    version: Version = None,
    accept: Annotated[str, typer.Option("--accept", help="Why warnings are accepted.")] = "",
    by: By = "operator",
    server: Server = None,
    as_json: AsJson = False,
) -> int:
    """Publish a draft. Example: tapwatt tariff publish DC-0.58 --accept "a price for one day" """
    try:
        number = version or _page(server, tariff_id, None)["shown"]["version"]
        order = {"by": by, "accept": accept}
        page = ask(server, "POST", f"{_path(tariff_id)}/versions/{number}/publish", order)
    except AnswerIsNo as reason:
        return no(reason)
    typer.echo(json.dumps(page) if as_json else f"{tariff_id}: version {number} is published")
    return 0


def quote(
    tariff_id: TariffId,
    kwh: Annotated[int, typer.Option("--kwh", min=0, max=500, help="Energy.")] = 20,
    minutes: Annotated[int, typer.Option("--minutes", min=0, max=2880, help="Of charging.")] = 25,
    parked: Annotated[int, typer.Option("--parked", min=0, max=2880, help="Minutes afterwards.")] = 0,
    at: Annotated[str, typer.Option("--at", help="The station's clock, 18:00; else now.")] = "",
    station: Annotated[str | None, typer.Option("--station", help="At which station.")] = None,
    version: Version = None,
    server: Server = None,
    as_json: AsJson = False,
) -> int:
    """What a charge would cost. Example: tapwatt tariff quote DC-0.58 --kwh 20 --minutes 25 --at 18:00"""
    query = {
        "energy_wh": str(kwh * 1000),
        "charging_s": str(minutes * 60),
        "idle_s": str(parked * 60),
        "at": at,
    }
    query |= {"station_id": station} if station else {}
    query |= {"version": str(version)} if version else {}
    try:
        told = ask(server, "GET", f"{_path(tariff_id)}/quote", query=query)
    except AnswerIsNo as reason:
        return no(reason)
    if as_json:
        typer.echo(json.dumps(told))
        return 0
    typer.echo(told["sentence"])
    for line in told["bill"]["lines"]:
        used = f"{line['quantity']} {line['unit']}"
        typer.echo(f"  {line['dimension']}: {used}, {line['gross']} with tax; {line['why']}")
    typer.echo(f"shown before the tap: {told['price']}")
    if told["hold"]:
        typer.echo(told["hold"])
    return 0


def _path(tariff_id: str) -> str:
    return f"/tariffs/{quoted(tariff_id, safe='')}"


def _page(server: str | None, tariff_id: str, version: int | None) -> Json:
    query = {"version": str(version)} if version else None
    return ask(server, "GET", _path(tariff_id), query=query)


def _text(file: str) -> str:
    from tapwatt.ocpi.document import SIZE_MAX

    try:
        if file == "-":
            return sys.stdin.buffer.read(SIZE_MAX + 1).decode("utf-8")
        with Path(file).open("rb") as opened:
            return opened.read(SIZE_MAX + 1).decode("utf-8")
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}", param_hint="FILE") from None
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{file} is not UTF-8", param_hint="FILE") from None


def _tariff(text: str) -> Tariff:
    from tapwatt.ocpi.document import parse
    from tapwatt.ocpi.tariffs import UnableToReadTariff, read

    try:
        return read(parse(text, UnableToReadTariff))
    except UnableToReadTariff as error:
        raise typer.BadParameter(str(error), param_hint="FILE") from None


def _linted(tariff: Tariff, country: str, power_kw: int | None, kind: str | None) -> Json:
    from datetime import UTC, datetime

    import msgspec

    from tapwatt.core.tariff.clock import epoch_ms
    from tapwatt.core.tariff.described import described
    from tapwatt.markets.findings import Where
    from tapwatt.markets.lint import lint as checked

    now = datetime.now(UTC)
    where = Where(
        day=now.date(),
        now_ms=epoch_ms(now),
        country=country.upper(),
        power_w=None if power_kw is None else power_kw * 1000,
        evse_kind=kind,
    )
    found: Any = msgspec.to_builtins(checked(tariff, [where]))
    return {"sentences": list(described(tariff)), "findings": list(found)}


def _said(told: Json) -> Iterator[str]:
    yield from told["sentences"]
    for one in told["findings"]:
        law = f" ({one['source']}; {one['certainty']})" if one["source"] else ""
        yield f"{one['severity']}: {one['place']}: {one['text']} [{one['rule']}]{law}"
    if not told["findings"]:
        yield "nothing to say against it"


def _told(page: Json) -> Iterator[str]:
    shown = page["shown"]
    yield f"{page['tariff_id']}, version {shown['version']}: {shown['standing']}"
    yield from _said(page)
    for each in page["versions"]:
        yield f"version {each['version']}: {each['standing']}"
    yield f"stations: {', '.join(each['station_id'] for each in page['stations']) or 'none'}"


def _compared(told: Json, version: int) -> Iterator[str]:
    from tapwatt.core.money import show

    def money(name: str) -> str:
        return show(told[name], currency=told["currency"])

    which = f"{told['sessions']} of {told['looked_at']} sessions"
    yield f"version {version}: {which} of last month had this tariff"
    yield f"revenue {money('before_minor')} before, {money('after_minor')} with it: {money('change_minor')}"
    yield f"cheaper {told['cheaper']}, same {told['same']}, dearer {told['dearer']}"
    for each in told["distribution"]:
        yield f"  {each['change']}: {each['sessions']}"
