"""The `tapwatt` command: one file a command group, imported only when that command is asked for.

`tapwatt --help` stays under half a second because the table below knows each command's name and sentence
without importing it. A command file has `register(root)`, which adds its command or group to the typer app it
is given, and imports what is heavy inside the command. A command returns its exit code (None is 0): 0 done,
1 the answer is no, 2 wrong usage or input, said in one sentence by raising typer.BadParameter.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import typer
from typer.exceptions import Abort, TyperException

# name → (module with register(root), its line in --help), in the order --help shows them.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("tapwatt.cli.demo", "A whole site on this machine: drivers come, tap, charge and pay."),
    "serve": ("tapwatt.cli.serve", "Run the platform."),
    "session": ("tapwatt.cli.session", "List sessions, show one, decide one that waits for a person."),
    "receipt": ("tapwatt.cli.receipt", "Show a receipt as text, credit it in whole or part."),
    "edge": ("tapwatt.cli.edge", "Run the edge: the agent at the charger that drives its payment terminals."),
    "host": ("tapwatt.cli.host", "Run one host of the card rails: gateway, acquirer, scheme or issuer."),
    "sim": ("tapwatt.cli.sim", "Simulate the other side of each wire: station, terminal, cards, drivers."),
    "store": ("tapwatt.cli.store", "Copy, back up and restore the database of any one program."),
    "price": ("tapwatt.cli.price", "Price a session by an OCPI tariff, line by line and exactly."),
    "tariff": ("tapwatt.cli.tariff", "Tariffs: check one, keep a draft, try it, publish it."),
    "iso": ("tapwatt.cli.iso", "Explain and pack ISO 8583 messages."),
    "ocmf": ("tapwatt.cli.ocmf", "Verify signed meter values, and say whether they may be billed."),
    "totp": ("tapwatt.cli.totp", "The one-time code of an OCPP 2.1 web payment, made or checked."),
    "station": ("tapwatt.cli.station", "Stations of the platform: list and show them, send them commands."),
    "token": ("tapwatt.cli.token", "Personal tokens for programs: make, list and revoke them."),
    "people": ("tapwatt.cli.people", "People who may log in to the console: let in, list, shut out, reset."),
    "audit": ("tapwatt.cli.audit", "The audit log: list it, verify that nothing in it was changed."),
    "settings": ("tapwatt.cli.settings", "Show every setting and the value in force."),
    "version": ("tapwatt.cli.version", "Print the version."),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the `tapwatt` command. Leaves by SystemExit."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not __debug__:
        _refuse("Tapwatt does not run with python -O: its assertions guard money.")
    if not given:
        _refuse("Say what to do; tapwatt --help lists the commands.")
    root = _root(asked=given[0])
    try:
        sys.exit(root(given, prog_name="tapwatt", standalone_mode=False) or 0)
    except TyperException as error:
        _refuse(error.format_message())
    except Abort:
        sys.exit(1)
    except BrokenPipeError:
        # The reader (head, less) has gone; without this Python complains once more while it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except ValueError as error:
        if not _is_wrong_setting(error):
            raise
        _refuse(str(error))


def _root(asked: str) -> typer.Typer:
    root = typer.Typer(
        help="Tapwatt lets any EV charger take a card. Example: tapwatt settings --json",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )

    @root.callback()
    def _every_command() -> None:
        """Keeps typer from folding a root with one command into that command."""

    for name, (module, sentence) in COMMANDS.items():
        if name == asked:
            importlib.import_module(module).register(root)
        else:
            root.command(name, help=sentence)(_every_command)
    return root


def _is_wrong_setting(error: ValueError) -> bool:
    # Not imported for this question: whoever raised it has loaded the settings already.
    settings = sys.modules.get("tapwatt.settings")
    return settings is not None and isinstance(error, settings.UnableToConfigure)


def _refuse(sentence: str) -> None:
    sys.stderr.write(f"tapwatt: {' '.join(sentence.split())}\n")
    sys.exit(2)
