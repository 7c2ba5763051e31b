"""`tapwatt host acquirer`: the merchant's bank, between gateway and scheme."""

from __future__ import annotations

from tapwatt.hosts.acquirer import tables
from tapwatt.hosts.acquirer.decide import SCHEME, machine_id
from tapwatt.programs.runtime import Runtime, run_program
from tapwatt.programs.switching import OwnRules, Switch, Upstream, accept_only, start_switch
from tapwatt.rails.sandbox import network
from tapwatt.settings import Settings


async def start(runtime: Runtime) -> None:
    """Start the acquirer's parts. Only the gateway may sign on."""
    settings, institutions = runtime.settings, network().institutions
    await start_switch(
        runtime,
        Switch(
            metadata=tables.METADATA,
            migrations="tapwatt.hosts.acquirer.migrations",
            tables=tables.PAYMENT,
            seed=tables.seed,
            rules=OwnRules(machine_id=machine_id, check=tables.consider),
            institution_id=institutions.acquirer,
            upstream=Upstream(name=SCHEME, port=settings.port_to_dial("scheme_port")),
            timeout_s=settings.acquirer_timeout_s,
            port=settings.acquirer_port,
            http_port=settings.acquirer_http_port,
            accept_sign_on=accept_only(institutions.gateway),
        ),
    )


def main(settings: Settings | None = None) -> int:
    """Run in the foreground; the exit code for the shell."""
    return run_program("acquirer", start, settings=settings)
