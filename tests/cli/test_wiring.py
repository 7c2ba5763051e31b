"""A cable in every line of the demo, on ports that nobody else was given."""

from __future__ import annotations

import socket

import pytest

from tapwatt.cli.demo.command import with_free_ports
from tapwatt.cli.demo.wiring import wiring
from tapwatt.settings import Settings


def test_no_cable_begins_where_a_program_is_going_to_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system gives a port again that was chosen and is not bound yet."""
    settings = with_free_ports(Settings.read(edge_port=0, terminal_port=0))
    given = [settings.edge_port, settings.terminal_port, *range(50_000, 50_020)]

    class Free:
        def __init__(self) -> None:
            self.port = given.pop(0)

        def getsockname(self) -> tuple[str, int]:
            return ("127.0.0.1", self.port)

        def close(self) -> None:
            """Nothing is open."""

    monkeypatch.setattr(socket, "create_server", lambda _address: Free())
    cables = wiring(settings)
    assert not set(cables.ports.values()) & {settings.edge_port, settings.terminal_port}
    assert len(set(cables.ports.values())) == len(cables.ports) == 7
