"""A cable in every line: free ports for them, and the surroundings in which each program finds its own."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass

from tapwatt.settings import PREFIX, Settings
from tapwatt.sim.forecourt.lines import LINES

CABLES = "cables"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """Where each line's cable begins, by the line's name; and the ports they lead to."""

    ports: Mapping[str, int]
    targets: Mapping[str, int]

    def arguments(self) -> tuple[str, ...]:
        """What `tapwatt` is started with to lay these cables."""
        lines = [f"--line={name}={port}:{self.targets[name]}" for name, port in self.ports.items()]
        return ("sim", CABLES, *lines)

    def around(self, program: str) -> dict[str, str]:
        """The settings that make a program dial its cables instead of its partners."""
        return {
            PREFIX + line.setting.upper(): str(self.ports[line.name])
            for line in LINES
            if line.dialled_by == program
        }


def wiring(settings: Settings) -> Wiring:
    """Choose free ports for the cables between programs with these settings (none of them 0)."""
    # A program's own port may be chosen and not yet bound, so that it would be found free here.
    chosen = {getattr(settings, name) for name in type(settings).model_fields if name.endswith("_port")}
    taken: list[socket.socket] = []
    ports: list[int] = []
    while len(ports) < len(LINES):
        taken.append(socket.create_server((settings.host, 0)))
        port = taken[-1].getsockname()[1]
        if port not in chosen:
            ports.append(port)
    for free in taken:
        free.close()
    return Wiring(
        ports=dict(zip((line.name for line in LINES), ports, strict=True)),
        targets={line.name: getattr(settings, line.setting) for line in LINES},
    )
