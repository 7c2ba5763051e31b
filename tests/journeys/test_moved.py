"""Programs upgraded, moved to another engine and brought back from a backup, each while a car charges.

What an operator does to a database: the program stops, the database is changed, the program starts again. The
session that was open goes on, and six parties agree about its money (issue 3, "Both engines").
"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text
from tests.journeys.first_version import back_to_first, engine_of
from tests.journeys.world import TIMERS, World
from tests.postgres import Server

from tapwatt.cli.demo.command import OURS, RAILS, environment_of, with_free_ports
from tapwatt.cli.demo.supervisor import Supervisor
from tapwatt.settings import Settings
from tapwatt.store.migrations import migrations_folder, revisions

pytestmark = [pytest.mark.programs, pytest.mark.asyncio(loop_scope="module")]
COMMANDS = dict(OURS)


class Movable(World):
    """A site whose platform and edge can be stopped, changed and started again."""

    def __init__(self, settings: Settings, rails: Supervisor, client: httpx.AsyncClient) -> None:
        super().__init__(settings, rails, client)
        self._own: dict[str, Supervisor] = {}

    async def start(self, name: str, *arguments: str, **settings: object) -> None:
        """Start one program by itself; the settings last."""
        self.settings = self.settings.model_copy(update=settings)
        said: list[str] = []
        environment = environment_of(self.settings)
        self._own[name] = Supervisor(environment=environment, data=self.settings.data, say=said.append)
        await self._own[name].start(name, *(arguments or COMMANDS[name]))

    async def stop(self, name: str) -> None:
        """Ask a program to stop, and wait until it has."""
        await self._own.pop(name).stop()

    async def stop_all(self) -> None:
        """Stop them all, the site first."""
        for name in reversed(tuple(self._own)):
            await self.stop(name)
        await self.supervisor.stop()

    def url(self, program: str) -> str:
        """Where a program's database is now."""
        return self.settings.database_url(program)  # type: ignore[arg-type]

    async def charge(self) -> str:
        """Plug in, tap, power flows; returns the session."""
        session = await self.plug(target_wh=100_000, max_power_w=200_000)
        await self.tap("mastercard-good")
        await self.session("charging")
        await self.power(40)
        return str(session["session_id"])

    async def ends_paid(self, session_id: str) -> None:
        """The driver stops, and all parties agree that something was paid for."""
        assert (await self.parties.session(session_id))["state"] == "charging"
        assert (await self.order(do="press_stop", evse_id=1))["done"]
        closed = await self.session("closed")
        assert closed["session_id"] == session_id
        authorised, captured, released = await self.all_agree(session_id)
        assert (authorised, captured + released) == (2500, 2500)
        assert captured > 0
        await self.unplug()


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["sqlite", "postgresql"])
async def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres: Server
) -> AsyncIterator[Movable]:
    """All programs, platform and edge on this engine."""
    data = tmp_path_factory.mktemp("moved")
    ports = {name: 0 for name in Settings.model_fields if name.endswith("_port")}
    own = [f"{name}_database_url" for name in COMMANDS]
    urls = {name: postgres.database() for name in own} if request.param == "postgresql" else {}
    settings = with_free_ports(Settings.read(data=data, **{**ports, **TIMERS, **urls}))
    said: list[str] = []
    rails = Supervisor(environment=environment_of(settings), data=data, say=said.append)
    async with httpx.AsyncClient(timeout=10.0) as client:
        running = Movable(settings, rails, client)
        try:
            for name, arguments in RAILS:
                await rails.start(name, *arguments)
            for name in COMMANDS:
                await running.start(name)
            await running.start("site", "sim", "site", "--visits", "0")
            yield running
        finally:
            await running.stop_all()


def revision(url: str) -> str:
    """The revision of a program's database."""
    engine = engine_of(url)
    with engine.begin() as connection:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    engine.dispose()
    return str(found)


def store(*arguments: str) -> None:
    """`tapwatt store …`, as an operator types it."""
    command = [sys.executable, "-m", "tapwatt", "store", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize("program", COMMANDS)
async def test_a_program_is_upgraded_by_migration_while_a_session_runs(
    site: Movable, program: str, tmp_path: Path
) -> None:
    session_id = await site.charge()
    await site.stop(program)
    back_to_first(site.url(program), program, tmp_path)
    assert revision(site.url(program)) == "0001"
    await site.start(program)
    head = revisions(migrations_folder(f"tapwatt.{program}.migrations"))[-1]
    assert revision(site.url(program)) == head > "0001"
    await site.ends_paid(session_id)


async def test_the_platform_is_brought_back_from_a_backup_made_with_its_hold_open(
    site: Movable, tmp_path: Path
) -> None:
    session_id = await site.charge()
    kept = tmp_path / "platform.backup"
    # It runs while it is backed up.
    await asyncio.to_thread(store, "backup", site.url("platform"), str(kept))
    await site.stop("platform")
    fresh = f"sqlite:///{tmp_path}/restored.sqlite"
    store("restore", str(kept), fresh)
    await site.start("platform", platform_database_url=fresh)
    await site.ends_paid(session_id)


@pytest.mark.parametrize("program", COMMANDS)
async def test_a_program_moves_to_postgresql_with_its_hold_open(
    site: Movable, program: str, postgres: Server
) -> None:
    session_id = await site.charge()
    await site.stop(program)
    moved = postgres.database()
    store("copy", site.url(program), moved)
    await site.start(program, **{f"{program}_database_url": moved})
    await site.ends_paid(session_id)
