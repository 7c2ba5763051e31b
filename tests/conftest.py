"""Both engines for every room's tests, and how properties are tried."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from tests.postgres import Server

# A slow machine is no fault. Continuous integration tries the same examples every time; people try new ones.
settings.register_profile("people", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("people"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "people")

ENGINES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One server for the session, started when the first test asks for it."""
    server = Server()
    yield server
    server.close()


@pytest.fixture
def postgres_url(postgres: Server) -> Iterator[str]:
    """An empty PostgreSQL database."""
    url = postgres.database()
    yield url
    postgres.drop(url)


@pytest.fixture
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Make URLs of empty databases by engine; they are gone after the test."""
    made: list[str] = []

    def make(engine: str, name: str = "database") -> str:
        if engine == "sqlite":
            return f"sqlite:///{tmp_path}/{name}.sqlite"
        server: Server = request.getfixturevalue("postgres")
        made.append(server.database())
        return made[-1]

    yield make
    for url in made:
        request.getfixturevalue("postgres").drop(url)


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, new_url: Callable[[str], str]) -> str:
    """The URL of an empty database of each engine in turn."""
    return new_url(request.param)
