"""Both ends of a ZVT connection on loopback, and a peer that speaks bytes only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from tests.terminals.zvt.site import QUICK, Raw, Site

from tapwatt.terminals.zvt.link import EcrLink


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    site.port = await site.terminal.listen()
    yield site
    await site.terminal.close()


@pytest.fixture
async def link(site: Site) -> AsyncIterator[EcrLink]:
    link = EcrLink(host="127.0.0.1", port=site.port, timings=QUICK)
    yield link
    await link.close()


@pytest.fixture
async def raw() -> AsyncIterator[Callable[[Raw], Awaitable[EcrLink]]]:
    """A peer that speaks bytes only, and a link that dials it."""
    servers: list[asyncio.Server] = []
    links: list[EcrLink] = []

    async def make(talk: Raw) -> EcrLink:
        async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await talk(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(met, "127.0.0.1", 0)
        servers.append(server)
        links.append(EcrLink(host="127.0.0.1", port=server.sockets[0].getsockname()[1], timings=QUICK))
        return links[-1]

    yield make
    for link in links:
        await link.close()
    for server in servers:
        server.close()
        await server.wait_closed()
