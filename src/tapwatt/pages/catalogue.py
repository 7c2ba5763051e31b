"""Message catalogues: what a page says, in the reader's language.

English is what stands in templates and tables; the other languages are gettext catalogues, `locale/*.po` of
the package whose pages they are for, read at start. A message that a catalogue lacks is said in English.
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from io import BytesIO

from babel.messages.pofile import read_po
from jinja2 import Environment

from tapwatt.pages.reader import LANGUAGES, READER

Messages = Mapping[str, str | tuple[str, ...]]
SOURCE = "en"


@cache
def languages_of(package: str) -> Mapping[str, str]:
    """The languages that a package's pages can be read in, by code; none where it has no catalogues and
    speaks English alone."""
    return LANGUAGES if files(package).joinpath("locale").is_dir() else {}


@cache
def catalogue(package: str, language: str) -> Messages:
    """The messages of a language by their English; a message with a number by its English singular."""
    if language == SOURCE or language not in languages_of(package):
        return {}
    raw = files(package).joinpath("locale", f"{language}.po").read_bytes()
    messages: dict[str, str | tuple[str, ...]] = {}
    for message in read_po(BytesIO(raw), locale=language):
        several = isinstance(message.id, (tuple, list))
        name = message.id[0] if several else message.id
        if name and message.string:
            messages[str(name)] = tuple(message.string) if several else str(message.string)
    return messages


def translator(package: str) -> tuple[Callable[[str], str], Callable[[str, str, int], str]]:
    """`gettext` and `ngettext` of a package's catalogues, for whoever reads at the time."""
    for language in LANGUAGES:
        catalogue(package, language)

    def one(message: str) -> str:
        found = catalogue(package, READER.get().language).get(message, message)
        return found if isinstance(found, str) else found[0]

    def several(singular: str, plural: str, count: int) -> str:
        found = catalogue(package, READER.get().language).get(singular)
        if isinstance(found, tuple):
            # German counts as English does; Chinese has one form.
            return found[0] if count == 1 else found[-1]
        return singular if count == 1 else plural

    return one, several


def install(env: Environment, package: str) -> None:
    """Let the templates of a package say `_("…")` and `{% trans %}`."""
    env.add_extension("jinja2.ext.i18n")
    one, several = translator(package)
    env.install_gettext_callables(one, several, newstyle=True)  # type: ignore[attr-defined]
