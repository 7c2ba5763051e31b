"""`tapwatt people add|list|disable|reset`: who may log in, written straight into the platform's database.

The first administrator can come in no other way, and whoever has lost password or app comes back this way. A
password is asked for, or read from standard input; it is never an argument, where others could read it.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from tapwatt.store import Row, SyncDatabase, Transaction

_HELP = "People who may log in to the console. Example: tapwatt people add ada --name 'Ada Lovelace'"
LoginName = Annotated[str, typer.Argument(help="What is typed to log in: a-z, 0-9, '.', '_', '@', '-'.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]


def register(root: typer.Typer) -> None:
    """Add the group to the root app."""
    group = typer.Typer(help=_HELP, no_args_is_help=False, rich_markup_mode=None)
    group.command("add")(add)
    group.command("list")(listing)
    group.command("disable")(disable)
    group.command("reset")(reset)
    root.add_typer(group, name="people")


def add(
    login_name: LoginName,
    name: Annotated[str, typer.Option(help="What others see, and what stands under orders.")],
    role: Annotated[str, typer.Option(help="administrator, operator, support or auditor.")] = "administrator",
    as_json: AsJson = False,
) -> int:
    """Let somebody in; the password is asked for, the address for an authenticator app is printed once.

    Example: tapwatt people add ada --name "Ada Lovelace" < password.txt
    """
    import secrets

    from tapwatt.cli.platform_rows import done, write
    from tapwatt.core.ids import receipt_token
    from tapwatt.platform import one_time, passwords, people
    from tapwatt.platform.access import Role
    from tapwatt.programs.runtime import now_ms

    if role not in tuple(Role):
        raise typer.BadParameter(f"is one of {', '.join(Role)}", param_hint="--role")
    password = _asked_password()

    def work(database: SyncDatabase) -> int:
        person = people.NewPerson(
            login_name=login_name,
            display_name=name,
            role=Role(role),
            password=passwords.hash_of(password, login_name=login_name),
            totp_secret=one_time.secret_of(secrets.token_bytes(one_time.SECRET_BYTES)),
            must_change=False,
        )
        chance = receipt_token(secrets.token_bytes(17)).encode()
        who = people.shell(_operator())
        write(database, lambda tx: _nothing(people.add(tx, who, person, chance=chance, at_ms=now_ms())))
        return _hand_over(login_name.strip().lower(), person.totp_secret, as_json)

    return done("people", work)


def listing(as_json: AsJson = False) -> int:
    """Everybody who may log in. Example: tapwatt people list --json"""
    from tapwatt.cli.platform_rows import done
    from tapwatt.platform import people

    def work(database: SyncDatabase) -> int:
        found = database.read(lambda tx: people.listing(tx, operator_id=_operator()))
        if as_json:
            typer.echo(json.dumps({"people": found}))
            return 0
        for person in found:
            state = "disabled" if person["disabled"] else person["role"]
            typer.echo(f"{person['login_name']:24} {state:14} {person['name']}")
        return 0

    return done("people", work)


def disable(login_name: LoginName) -> int:
    """Shut somebody out; every login of theirs ends. Example: tapwatt people disable ada"""
    from tapwatt.cli.platform_rows import done, write
    from tapwatt.platform import people
    from tapwatt.programs.runtime import now_ms

    def change(tx: Transaction) -> None:
        row = _person(tx, login_name)
        people.change(tx, people.shell(_operator()), row.person_id, disabled=True, at_ms=now_ms())

    def work(database: SyncDatabase) -> int:
        write(database, change)
        typer.echo(f"{login_name} is shut out")
        return 0

    return done("people", work)


def reset(login_name: LoginName, as_json: AsJson = False) -> int:
    """Give somebody a new password and a new secret, and let them in again; every login of theirs ends.

    Example: tapwatt people reset ada
    """
    import secrets

    from tapwatt.cli.platform_rows import done, write
    from tapwatt.platform import one_time, passwords, people
    from tapwatt.programs.runtime import now_ms

    password = _asked_password()
    secret = one_time.secret_of(secrets.token_bytes(one_time.SECRET_BYTES))

    def work(database: SyncDatabase) -> int:
        hashed = passwords.hash_of(password, login_name=login_name)

        def change(tx: Transaction) -> None:
            row, who, at_ms = _person(tx, login_name), people.shell(_operator()), now_ms()
            people.change(tx, who, row.person_id, disabled=False, at_ms=at_ms)
            people.reset(tx, who, row.person_id, password=hashed, totp_secret=secret, at_ms=at_ms)

        write(database, change)
        return _hand_over(login_name.strip().lower(), secret, as_json)

    return done("people", work)


def _hand_over(login_name: str, secret: str, as_json: bool) -> int:
    from tapwatt.platform.one_time import otpauth

    address = otpauth(secret, login_name=login_name, issuer="Tapwatt")
    if as_json:
        typer.echo(json.dumps({"login_name": login_name, "otpauth": address}))
        return 0
    typer.echo(f"{login_name} may log in. For an authenticator app, shown this once:\n{address}")
    return 0


def _person(tx: Transaction, login_name: str) -> Row:
    from tapwatt.platform.people import NoSuchPerson, by_login_name

    row = by_login_name(tx, operator_id=_operator(), login_name=login_name)
    if row is None:
        raise NoSuchPerson(f"nobody is called {login_name}")
    return row


def _asked_password() -> str:
    """Typed twice where somebody sits; else the first line of standard input."""
    import getpass

    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise typer.BadParameter("the two are not the same", param_hint="password")
    return password


def _operator() -> str:
    from tapwatt.platform.seed import SANDBOX_OPERATOR

    return SANDBOX_OPERATOR


def _nothing(_value: Any) -> None:
    return None
