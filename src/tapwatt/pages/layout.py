"""Templates with one layout and one style, in the reader's language, and the headers that keep a page to
itself."""

import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from jinja2.ext import Extension

from tapwatt.pages import written
from tapwatt.pages.catalogue import install, languages_of
from tapwatt.pages.reader import READER

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


ORDER_FORM = re.compile(r'<form\b[^>]*\bmethod="post"[^>]*>')


class _Tokens(Extension):
    """Puts `csrf_field()` into every form that orders something, so that no page can forget it."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """A template's text before it is compiled."""
        return ORDER_FORM.sub(lambda form: form[0] + "{{ csrf_field() }}", source)


def environment(
    package: str,
    *,
    links: tuple[tuple[str, str], ...] = (),
    csrf_field: Callable[[], str] | None = None,
) -> Environment:
    """The templates of a package, on top of the toolkit's own. Everything is escaped; no template may say
    otherwise. `links` (words and address) stand in every page's header and lead to other programs;
    `csrf_field` is the hidden field of each form, where people log in."""
    env = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("tapwatt.pages")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals["links"] = links
    for write in (
        written.money, written.number, written.clock, written.when, written.day, written.moment,
        written.power, written.duration, written.exact, written.percent, written.kwh,
    ):  # fmt: skip
        env.filters[write.__name__] = write
    env.filters["typed"] = written.plain_amount
    env.filters["sentence"] = lambda text: text[:1].upper() + text[1:]
    env.globals["reader"] = READER.get
    env.globals["languages"] = languages_of(package)
    install(env, package)
    if csrf_field is not None:
        env.globals["csrf_field"] = csrf_field
        env.add_extension(_Tokens)
    return env


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
