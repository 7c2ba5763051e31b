"""`tapwatt host gateway`: ISO 8583 for terminals and for the platform, passed on to the acquirer."""

from __future__ import annotations

from tapwatt.hosts.gateway import tables
from tapwatt.hosts.gateway.decide import ACQUIRER, machine_id
from tapwatt.programs.runtime import Runtime, run_program
from tapwatt.programs.switching import OwnRules, Switch, Upstream, start_switch
from tapwatt.rails.protocol import accept_anybody
from tapwatt.rails.sandbox import network
from tapwatt.settings import Settings


async def start(runtime: Runtime) -> None:
    """Start the gateway's parts. Terminals sign on without a name: each message is checked by itself."""
    settings = runtime.settings
    await start_switch(
        runtime,
        Switch(
            metadata=tables.METADATA,
            migrations="tapwatt.hosts.gateway.migrations",
            tables=tables.PAYMENT,
            seed=tables.seed,
            rules=OwnRules(machine_id=machine_id, check=tables.consider),
            institution_id=network().institutions.gateway,
            upstream=Upstream(name=ACQUIRER, port=settings.port_to_dial("acquirer_port")),
            timeout_s=settings.gateway_timeout_s,
            port=settings.gateway_port,
            http_port=settings.gateway_http_port,
            accept_sign_on=accept_anybody,
        ),
    )


def main(settings: Settings | None = None) -> int:
    """Run in the foreground; the exit code for the shell."""
    return run_program("gateway", start, settings=settings)
