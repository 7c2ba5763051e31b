"""`tapwatt host scheme`: the card network, between acquirers and issuers."""

from __future__ import annotations

from tapwatt.hosts.scheme import tables
from tapwatt.hosts.scheme.decide import machine_id
from tapwatt.programs.runtime import Runtime, run_program
from tapwatt.programs.switching import OwnRules, Switch, Upstream, accept_only, start_switch
from tapwatt.rails.sandbox import network
from tapwatt.settings import Settings


async def start(runtime: Runtime) -> None:
    """Start the scheme's parts. Acquirers that are members may sign on; there is one issuer behind."""
    settings, directory = runtime.settings, network()
    acquirers = (member.id for member in directory.members if member.role == "acquirer" and member.active)
    await start_switch(
        runtime,
        Switch(
            metadata=tables.METADATA,
            migrations="tapwatt.hosts.scheme.migrations",
            tables=tables.PAYMENT,
            seed=tables.seed,
            rules=OwnRules(machine_id=machine_id, check=tables.consider),
            institution_id=directory.institutions.scheme,
            upstream=Upstream(name=directory.institutions.issuer, port=settings.port_to_dial("issuer_port")),
            timeout_s=settings.scheme_timeout_s,
            port=settings.scheme_port,
            http_port=settings.scheme_http_port,
            accept_sign_on=accept_only(*acquirers),
        ),
    )


def main(settings: Settings | None = None) -> int:
    """Run in the foreground; the exit code for the shell."""
    return run_program("scheme", start, settings=settings)
