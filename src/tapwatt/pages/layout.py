"""Templates with one layout and one style, and the headers that keep a page to itself."""

from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from tapwatt.core.energy import show_kwh
from tapwatt.core.money import show

# No inline script or style, nothing from elsewhere, no framing: what a page may do is what we wrote.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
STATIC = {"tapwatt.css": "text/css", "live.js": "text/javascript", "icon.svg": "image/svg+xml"}


def environment(package: str) -> Environment:
    """The templates of a package, on top of the toolkit's own."""
    env = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("tapwatt.pages")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["money"] = lambda minor, currency: show(minor, currency=currency)
    env.filters["kwh"] = show_kwh
    env.filters["clock"] = clock
    env.filters["moment"] = moment
    env.filters["power"] = lambda power_w: f"{power_w // 1000} kW"
    return env


def clock(at_ms: int) -> str:
    """A time of day in UTC, to the second."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%H:%M:%S")


def moment(at_ms: int) -> str:
    """A date and time in UTC, as machines read it."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def static(name: str) -> tuple[bytes, str] | None:
    """A file of the toolkit and its type, or None when there is no such file."""
    kind = STATIC.get(name)
    if kind is None:
        return None
    return files("tapwatt.pages").joinpath("static", name).read_bytes(), kind


def render(env: Environment, template: str, **values: Any) -> str:
    """A template as text."""
    return env.get_template(template).render(**values)
