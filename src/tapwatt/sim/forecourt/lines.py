"""The seven lines between the programs of a site: who dials whom, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tapwatt.settings import Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line. Whoever dials it finds the port in `setting`."""

    name: str
    ends: tuple[str, str]
    setting: str
    dialled_by: Program


LINES: Final = (
    Line(name="terminal-edge", ends=("terminal", "edge"), setting="terminal_port", dialled_by="edge"),
    Line(name="edge-platform", ends=("edge", "platform"), setting="edge_port", dialled_by="edge"),
    Line(name="station-platform", ends=("station", "platform"), setting="ocpp_port", dialled_by="site"),
    Line(name="terminal-gateway", ends=("terminal", "gateway"), setting="gateway_port", dialled_by="site"),
    Line(
        name="gateway-acquirer", ends=("gateway", "acquirer"), setting="acquirer_port", dialled_by="gateway"
    ),
    Line(name="acquirer-scheme", ends=("acquirer", "scheme"), setting="scheme_port", dialled_by="acquirer"),
    Line(name="scheme-issuer", ends=("scheme", "issuer"), setting="issuer_port", dialled_by="scheme"),
)
