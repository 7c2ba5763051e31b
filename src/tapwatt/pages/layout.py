"""Templates with one layout and one style, and the headers that keep a page to itself."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from tapwatt.core.energy import show_kwh
from tapwatt.core.money import show

# No inline script or style, nothing from elsewhere, no framing: what a page may do is what we wrote.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: with that a browser names no origin in our own forms, and we ask for it.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
STATIC = {"tapwatt.css": "text/css", "live.js": "text/javascript", "icon.svg": "image/svg+xml"}
DAY_MS = 86_400_000


def environment(package: str, *, links: tuple[tuple[str, str], ...] = ()) -> Environment:
    """The templates of a package, on top of the toolkit's own. Everything is escaped; no template may say
    otherwise. `links` (words and address) stand in every page's header and lead to other programs."""
    env = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("tapwatt.pages")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals["links"] = links
    env.filters["money"] = lambda minor, currency: show(minor, currency=currency)
    env.filters["typed"] = lambda minor, currency: show(minor, currency=currency).split()[0]
    env.filters["kwh"] = show_kwh
    env.filters["clock"] = clock
    env.filters["when"] = when
    env.filters["moment"] = moment
    env.filters["power"] = power
    env.filters["duration"] = duration
    env.filters["exact"] = exact
    env.filters["sentence"] = lambda text: text[:1].upper() + text[1:]
    return env


def clock(at_ms: int) -> str:
    """A time of day in UTC, to the second."""
    return _utc(at_ms).strftime("%H:%M:%S")


def when(at_ms: int, now_ms: int) -> str:
    """A time as short as it can be: without the date if it is today's (UTC)."""
    if at_ms // DAY_MS == now_ms // DAY_MS:
        return clock(at_ms)
    return _utc(at_ms).strftime("%-d %b %Y, %H:%M")


def moment(at_ms: int) -> str:
    """A date and time in UTC, as machines read it."""
    return _utc(at_ms).strftime("%Y-%m-%dT%H:%M:%SZ")


def power(power_w: int) -> str:
    """Power in kilowatts, to a tenth."""
    return f"{power_w // 1000}.{power_w % 1000 // 100} kW"


def exact(number: str) -> str:
    """An exact decimal as people read it: at most six decimals, none that say nothing."""
    shown = f"{Decimal(number).quantize(Decimal('0.000001'), rounding=ROUND_HALF_UP):f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def duration(passed_ms: int) -> str:
    """A stretch of time, short: seconds, minutes, or hours and minutes."""
    seconds = max(0, passed_ms) // 1000
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02} min"


def _utc(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC)


def static(name: str) -> tuple[bytes, str] | None:
    """A file of the toolkit and its type, or None when there is no such file."""
    kind = STATIC.get(name)
    return None if kind is None else (_read(name), kind)


@cache
def _read(name: str) -> bytes:
    return files("tapwatt.pages").joinpath("static", name).read_bytes()


def render(env: Environment, template: str, **values: Any) -> str:
    """A template as text."""
    return env.get_template(template).render(**values)
