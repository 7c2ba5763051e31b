"""`tapwatt sim`: the other side of each wire."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

if TYPE_CHECKING:
    from tapwatt.programs.runtime import Runtime
    from tapwatt.sim.world.run import Verdict
    from tapwatt.terminals.address import SerialAddress, TcpAddress

PROGRESS_VISITS = 1_000
"""A long run says how far it is this often."""


def register(root: typer.Typer) -> None:
    """Add the group to the root app."""
    group = typer.Typer(
        help="The other side of each wire: station, terminal, cards and drivers. "
        "Example: tapwatt sim site --visits 3",
        rich_markup_mode=None,
        no_args_is_help=True,
    )
    group.command("site")(site)
    group.command("station")(station)
    group.command("terminal")(terminal)
    group.command("world")(world)
    root.add_typer(group, name="sim")


def site(
    visits: Annotated[
        int | None, typer.Option(min=0, max=1000, help="Drivers that come; 0: none, drive it by hand.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Which drivers come; the same seed, the same drivers.")] = 1,
    run: Annotated[
        str | None, typer.Option(help="Name of this run; the same name again goes on with it.")
    ] = None,
) -> int:
    """A charger, its payment terminal and its drivers. Example: tapwatt sim site --visits 3 --seed 7"""
    from tapwatt.programs.runtime import run_program
    from tapwatt.sim.site import Asked, start_site

    asked = Asked(run_id=run or secrets.token_hex(6), visits=visits, seed=seed)
    return run_program("site", lambda runtime: start_site(runtime, asked))


def station(
    url: Annotated[str, typer.Option(help="The CSMS, up to and including /ocpp or its like.")],
    station_id: Annotated[str, typer.Option("--id", help="The station's name.")] = "CS1",
    ocpp: Annotated[str, typer.Option(help="Version of OCPP.")] = "1.6",
    connectors: Annotated[int, typer.Option(min=1, max=50, help="How many connectors.")] = 2,
    data: Annotated[Path | None, typer.Option(help="Directory of its database.")] = None,
) -> int:
    """One station, driven over HTTP. Example: tapwatt sim station --url ws://127.0.0.1:9000/ocpp --id CS9"""
    from tapwatt.programs.runtime import run_program
    from tapwatt.settings import Settings
    from tapwatt.sim.site import open_site, serve_control, start_station

    if ocpp != "1.6":
        raise typer.BadParameter("the simulated station speaks 1.6", param_hint="--ocpp")
    if urlsplit(url).scheme not in ("ws", "wss"):
        raise typer.BadParameter("begins with ws:// or wss://", param_hint="--url")
    settings = Settings.read()
    chosen = Settings.read(data=data or settings.data / f"sim-station-{station_id}")

    async def start(runtime: Runtime) -> None:
        alone = await open_site(runtime)
        evses = tuple(range(1, connectors + 1))
        await start_station(runtime, alone, url=url, station_id=station_id, evses=evses)
        await serve_control(runtime, alone)

    return run_program("site", start, settings=chosen)


def terminal(
    profile: Annotated[str, typer.Option(help="Model and application.")] = "ingenico-self-4000-zvt",
    listen: Annotated[
        str, typer.Option(help="Where the ECR dials: tcp://…, serial:/dev/…?baud=9600, or pty for a new one.")
    ] = "tcp://127.0.0.1:20007",
    data: Annotated[Path | None, typer.Option(help="Directory of its database.")] = None,
) -> int:
    """One payment terminal. Example: tapwatt sim terminal --listen pty"""
    from tapwatt.programs.runtime import run_program
    from tapwatt.settings import Settings
    from tapwatt.sim.site import open_site, serve_control, start_device
    from tapwatt.terminals.profiles import UnableToLoadProfile, load_profile

    address = _address(listen)
    try:
        model = load_profile(profile)
    except UnableToLoadProfile as error:
        raise typer.BadParameter(str(error), param_hint="--profile") from None
    settings = Settings.read()
    chosen = Settings.read(data=data or settings.data / "sim-terminal")

    async def start(runtime: Runtime) -> None:
        alone = await open_site(runtime)
        await start_device(runtime, alone, listen=address, profile=model)
        await serve_control(runtime, alone)

    return run_program("site", start, settings=chosen)


def world(
    seed: Annotated[int, typer.Option(help="Of all chance; the same seed, the same story.")] = 1,
    visits: Annotated[int, typer.Option(min=1, help="Drivers that come.")] = 100,
    jobs: Annotated[int, typer.Option(min=0, help="Processes; 0: one a core. The result is the same.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
    story: Annotated[bool, typer.Option(help="Tell the story of what went wrong.")] = True,
) -> int:
    """All programs in virtual time, with every fault. Example: tapwatt sim world --seed 7 --visits 100"""
    from tapwatt.sim.world.run import run

    done = 0

    def heard(verdict: Verdict) -> None:
        nonlocal done
        done += verdict.visits
        if done % PROGRESS_VISITS < verdict.visits and done < visits:
            typer.echo(f"{done} of {visits} visits, seeds up to {verdict.seed}", err=True)
        if verdict.violations and story:
            typer.echo(_broken(verdict), err=True)

    total = run(seed=seed, visits=visits, jobs=jobs or os.cpu_count() or 1, each=heard).as_json()
    if as_json:
        typer.echo(json.dumps(total))
    else:
        typer.echo(
            f"{total['visits']} visits, {total['faults']} faults, {total['violations']} violations, "
            f"{total['visits_per_second']} visits a second"
        )
    return 1 if total["violations"] else 0


def _broken(verdict: Verdict) -> str:
    again = f"tapwatt sim world --seed {verdict.seed} --visits {verdict.visits}"
    return "\n".join(
        (f"seed {verdict.seed}:", *verdict.violations, "", *verdict.story, "", f"again: {again}")
    )


def _address(listen: str) -> TcpAddress | SerialAddress | None:
    from tapwatt.terminals.address import TcpAddress, UnableToReadAddress, read_address

    if listen == "pty":
        return None
    parts = urlsplit(listen)
    if parts.scheme == "tcp" and listen.endswith(":0"):  # a free port, which is no address to dial
        address: TcpAddress | SerialAddress = TcpAddress(host=parts.hostname or "", port=0)
    else:
        try:
            address = read_address(listen)
        except UnableToReadAddress as error:
            raise typer.BadParameter(str(error), param_hint="--listen") from None
    if isinstance(address, TcpAddress) and address.host not in ("127.0.0.1", "localhost"):
        raise typer.BadParameter("a simulated terminal listens on 127.0.0.1 only", param_hint="--listen")
    return address
