"""The demo itself: start the programs, tell the story, compare the money, stop."""

import asyncio
import json
import os
import secrets
import signal
import socket
import sys
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console

from tapwatt.cli.demo.agreement import Visit
from tapwatt.cli.demo.parties import NotLetIn, Parties
from tapwatt.cli.demo.story import Story
from tapwatt.cli.demo.supervisor import Supervisor, UnableToStart
from tapwatt.cli.demo.table import print_table
from tapwatt.cli.demo.wiring import CABLES, Wiring, wiring
from tapwatt.settings import PREFIX, Settings

# Right to left, so that whoever is dialled is there; the two rows know nothing of each other before the site
# comes.
RAILS = (
    ("issuer", ("host", "issuer")),
    ("scheme", ("host", "scheme")),
    ("acquirer", ("host", "acquirer")),
    ("gateway", ("host", "gateway")),
)
OURS = (("platform", ("serve",)), ("edge", ("edge",)))
LOOK_EVERY_S = 0.4
PIPE_COLUMNS = 110
SETTLE_WITHIN_S = 90.0
# Nothing is open, nothing under way and nothing has changed for so long: it will not change any more.
QUIET_S = 8.0
VISIT_WITHIN_S = 240.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the user asked of the demo."""

    visits: int | None
    leave: bool
    seed: int
    as_json: bool
    data: Path


def register(root: typer.Typer) -> None:
    """Add the command to the root app."""
    root.command("demo")(demo)


def demo(
    visits: Annotated[int | None, typer.Option(min=1, max=1000, help="Drivers to serve.")] = None,
    leave: Annotated[
        bool, typer.Option("--exit", help="Stop after the visits and compare the money.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Which drivers come; the same seed, the same drivers.")] = 1,
    from_scratch: Annotated[bool, typer.Option("--from-scratch", help="Forget earlier runs.")] = False,
    data: Annotated[Path | None, typer.Option(help="Directory of the databases and logs.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> int:
    """A whole site on this machine. Example: tapwatt demo --visits 3 --exit"""
    settings = Settings.read(data=data)
    if from_scratch:
        _forget(settings.data)
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    leave = leave or not sys.stdout.isatty()
    asked = Asked(
        visits=visits or (3 if leave else None),
        leave=leave,
        seed=seed,
        as_json=as_json,
        data=settings.data,
    )
    chosen = with_free_ports(settings).model_copy(update={"forecourt_link": True})
    return asyncio.run(_demo(asked, chosen))


def _forget(data: Path) -> None:
    """Remove what earlier runs left, and nothing else that may lie in the directory."""
    for pattern in ("*.sqlite", "*.sqlite-*", "*.lock", "*.log"):
        for old in data.glob(pattern):
            old.unlink(missing_ok=True)


def with_free_ports(settings: Settings) -> Settings:
    """Choose a free port wherever 0 is asked for, so that each program can be told where the others are."""
    chosen: dict[str, object] = {}
    taken: list[socket.socket] = []
    for name in type(settings).model_fields:
        if name.endswith("_port") and getattr(settings, name) == 0:
            taken.append(socket.create_server((settings.host, 0)))
            chosen[name] = taken[-1].getsockname()[1]
    for free in taken:
        free.close()
    return settings.model_copy(update=chosen)


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment in which a child finds these settings."""
    ours = {
        PREFIX + name.upper(): str(value)
        for name, value in settings.model_dump(mode="json").items()
        if value not in ("", None)
    }
    return {**os.environ, **ours}


async def _demo(asked: Asked, settings: Settings) -> int:
    console = Console(stderr=asked.as_json, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        # A pipe has no width of its own, and a table cut at 80 columns tells nothing.
        console.width = PIPE_COLUMNS
    run = secrets.token_hex(6)
    supervisor = Supervisor(environment=environment_of(settings), data=settings.data, say=console.print)
    interrupted = _interruptible()
    try:
        async with httpx.AsyncClient(timeout=10.0) as client:
            parties = Parties(settings, client)
            story = Story(console.print)
            cables = wiring(settings)
            await _unless(interrupted, _start(supervisor, cables, asked, run, parties, story))
            if not interrupted.is_set():
                console.print(_where(settings))
            await _watch(parties, story, asked, run, interrupted, supervisor)
            if not asked.leave or interrupted.is_set():
                return 0
            visits, open_holds = await _settled(parties, run, story, interrupted)
            if interrupted.is_set():
                return 0
    except (UnableToStart, NotLetIn) as error:
        sys.stderr.write(f"tapwatt demo: {error}\n")
        return 1
    finally:
        await supervisor.stop()
    return _report(asked, visits, open_holds, console)


def _where(settings: Settings) -> str:
    console, forecourt = (
        f"http://{settings.host}:{port}/" for port in (settings.http_port, settings.forecourt_port)
    )
    return f"The site is up. Console: {console}  Forecourt: {forecourt}"


def _interruptible() -> asyncio.Event:
    interrupted = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, interrupted.set)
    return interrupted


async def _unless(interrupted: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Do the work; an interruption ends it early."""
    doing, waiting = asyncio.create_task(work), asyncio.create_task(interrupted.wait())
    await asyncio.wait({doing, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if doing.done():
        doing.result()
        return
    doing.cancel()
    await asyncio.gather(doing, return_exceptions=True)


async def start_programs(supervisor: Supervisor, cables: Wiring | None = None) -> None:
    """Start everything but the site, and wait until all are up. Raises UnableToStart."""

    async def row(programs: tuple[tuple[str, tuple[str, ...]], ...]) -> None:
        for name, arguments in programs:
            around = {} if cables is None else cables.around(name)
            await supervisor.start(name, *arguments, around=around)

    laid = () if cables is None else ((CABLES, cables.arguments()),)
    await asyncio.gather(row(laid), row(RAILS), row(OURS))


async def _start(
    supervisor: Supervisor, cables: Wiring, asked: Asked, run: str, parties: Parties, story: Story
) -> None:
    await start_programs(supervisor, cables)
    while not supervisor.lost.done():
        try:
            story.skip(await parties.sessions())
            break
        except NotLetIn:
            if asked.leave:
                raise
            break
        except httpx.HTTPError:  # it died just after it came up, and is being started again
            await asyncio.sleep(LOOK_EVERY_S)
    counted = ("--visits", str(asked.visits)) if asked.visits else ()
    site = ("sim", "site", "--run", run, "--seed", str(asked.seed), *counted)
    await supervisor.start("site", *site, around=cables.around("site"))


async def _watch(
    parties: Parties,
    story: Story,
    asked: Asked,
    run: str,
    interrupted: asyncio.Event,
    supervisor: Supervisor,
) -> None:
    """Tell the story until the visits are done, or for ever."""
    limit = asyncio.get_running_loop().time() + VISIT_WITHIN_S * (asked.visits or 0)
    while not interrupted.is_set():
        if supervisor.lost.done():
            raise UnableToStart(supervisor.lost.result())
        try:
            sessions = await parties.sessions()
            await story.tell(sessions, parties.session)
            if asked.leave and (await parties.visits(run))["done"]:
                return
        except httpx.HTTPError:
            # Whoever does not answer has died; it is being started again, and asked again.
            pass
        except NotLetIn as problem:
            # Somebody let in an administrator meanwhile: the site goes on, only its story is not told here.
            if asked.leave:
                raise
            story.remark(str(problem))
        if asked.leave and asyncio.get_running_loop().time() > limit:
            raise UnableToStart("the visits did not end in time")
        await _pause(interrupted)


async def _settled(
    parties: Parties, run: str, story: Story, interrupted: asyncio.Event
) -> tuple[list[Visit], int]:
    """Read every party's books until they agree, or until they had time enough to."""
    clock = asyncio.get_running_loop().time
    deadline, quiet_since = clock() + SETTLE_WITHIN_S, clock()
    visits: list[Visit] = []
    open_holds, under_way = -1, 0
    while not interrupted.is_set():
        try:
            sessions = await parties.sessions()
            await story.tell(sessions, parties.session)
            told = (await parties.visits(run))["visits"]
            before, visits = visits, [await parties.visit(visit, sessions) for visit in told]
            open_holds, under_way = await parties.unsettled()
            if open_holds == 0 and all(visit.agree for visit in visits):
                break
            if open_holds or under_way or visits != before:
                quiet_since = clock()
        except httpx.HTTPError:
            open_holds, quiet_since = -1, clock()
        if clock() > deadline or clock() > quiet_since + QUIET_S:
            break
        await _pause(interrupted)
    return visits, open_holds


async def _pause(interrupted: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(LOOK_EVERY_S):
            await interrupted.wait()
    except TimeoutError:
        return


def _report(asked: Asked, visits: list[Visit], open_holds: int, console: Console) -> int:
    complaints = [
        f"visit {number}: {', '.join(visit.dissenters()) or 'a hold'} "
        + ("differs from the others" if visit.dissenters() else "is not settled")
        for number, visit in enumerate(visits, start=1)
        if not visit.agree
    ]
    if open_holds:
        complaints.append(f"{open_holds} holds are open" if open_holds > 0 else "a party does not answer")
    if not visits:
        complaints.append("no visit took place")
    if asked.as_json:
        result = {"visits": [visit.as_json() for visit in visits], "open_holds": open_holds}
        sys.stdout.write(json.dumps(result) + "\n")
    else:
        print_table(visits, open_holds, console=console)
    for complaint in complaints:
        sys.stderr.write(f"tapwatt demo: {complaint}\n")
    return 1 if complaints else 0
