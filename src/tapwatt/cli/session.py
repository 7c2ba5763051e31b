"""`tapwatt session list|show|decide`: a running platform's sessions, from the shell."""

from __future__ import annotations

import json
from typing import Annotated, Any, NoReturn

import typer

Server = Annotated[
    str | None, typer.Option("--server", help="The platform, if not the one that the settings name.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]
SessionId = Annotated[str, typer.Argument(help="The session, such as S1A2B3C4D5E6F7G8.")]


def register(root: typer.Typer) -> None:
    """Add the group to the root app."""
    group = typer.Typer(
        help="Sessions of a running platform. Example: tapwatt session list --review", no_args_is_help=True
    )
    group.command("list")(list_sessions)
    group.command("show")(show_session)
    group.command("decide")(decide_session)
    root.add_typer(group, name="session")


def list_sessions(
    review: Annotated[bool, typer.Option("--review", help="Only those that wait for a person.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=200, help="The newest so many.")] = 20,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """The newest sessions. Example: tapwatt session list --review"""
    if review:
        found = _ask(server, "GET", "/api/v1/review")["sessions"][:limit]
    else:
        found = _ask(server, "GET", "/api/v1/sessions", params={"limit": str(limit)})["sessions"]
    if as_json:
        typer.echo(json.dumps({"sessions": found}))
        return
    for session in found:
        where = f"{session['station_id']}/{session['evse_id']}"
        typer.echo(
            f"{session['session_id']}  {where:<8} {session['state']:<12} "
            f"{_money(session, 'captured_minor'):>12}  {session['reason']}".rstrip()
        )


def show_session(
    session_id: SessionId,
    chart: Annotated[bool, typer.Option("--chart", help="Every message between the parties.")] = False,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """What happened in a session, and its money at each party. Example: tapwatt session show S1A2 --chart"""
    from tapwatt.cli import session_story
    from tapwatt.settings import Settings

    if chart:
        drawn = _ask(server, "GET", f"/api/v1/sessions/{session_id}/chart")
        typer.echo(json.dumps(drawn) if as_json else "\n".join(session_story.charted(drawn)))
        return
    page = _ask(server, "GET", f"/api/v1/sessions/{session_id}")
    if as_json:
        typer.echo(json.dumps(page))
        return
    settings = Settings.read()
    ports = {party: getattr(settings, f"{party}_http_port") for party in session_story.RAILS}
    led = page["leader"] in (None, "terminal")
    parties = session_story.rails(settings.host, ports, page["reference"]) if led else []
    typer.echo("\n".join(session_story.told(page, parties)))


def decide_session(
    session_id: SessionId,
    amount_minor: Annotated[int, typer.Option("--amount-minor", min=0, help="To be taken; 0: all back.")],
    why: Annotated[str, typer.Option("--why", help="The reason, kept with the session.")],
    by: Annotated[str, typer.Option("--by", help="Who decides.")] = "operator",
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Decide a session in review. Example: tapwatt session decide S1A2 --amount-minor 0 --why broken"""
    order = {"amount_minor": amount_minor, "why": why, "by": by}
    answer = _ask(server, "POST", f"/api/v1/sessions/{session_id}/decide", json=order)
    waits = answer.get("approval_id")
    said = f"{session_id}: waits for a second person, as {waits}" if waits else f"{session_id}: decided"
    typer.echo(json.dumps(answer) if as_json else said)
    if waits:
        raise typer.Exit(1)


def _papers(page: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    receipt = [("receipt", page["receipt"])] if page["receipt"] else []
    return [*receipt, *(("credit note", note) for note in page["credit_notes"])]


def _money(session: dict[str, Any], name: str) -> str:
    from tapwatt.core.money import show

    return show(session[name], currency=session["currency"])


def _ask(server: str | None, method: str, path: str, **what: Any) -> Any:
    """One answer of the platform; when it says no, its sentence and exit code 1."""
    import httpx

    from tapwatt.cli.platform_api import own_token
    from tapwatt.settings import Settings

    settings = Settings.read()
    base = server or f"http://{settings.host}:{settings.http_port}"
    try:
        address = base.rstrip("/") + path
        response = httpx.request(method, address, headers=own_token(), timeout=10.0, **what)
        answer = response.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        _say_no(f"no platform answers at {base}: {error}")
    if response.is_error:
        _say_no(str(answer.get("error", response.status_code)))
    return answer


def _say_no(sentence: str) -> NoReturn:
    typer.echo(f"tapwatt: {sentence}", err=True)
    raise typer.Exit(1)
