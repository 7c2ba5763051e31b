"""The switch between languages: a form at the foot of every page; the choice is kept in a cookie."""

from urllib.parse import urlsplit

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from tapwatt.pages.reader import COOKIE, LANGUAGES
from tapwatt.web.forms import read_form

FORM_BYTES_MAX = 512
YEAR_S = 31_536_000


async def choose(request: Request) -> Response:
    """Remember the language and show the page again on which it was chosen."""
    language = (await read_form(request, most_bytes=FORM_BYTES_MAX)).get("language", "")
    if language not in LANGUAGES:
        raise HTTPException(422, f"language is one of {', '.join(LANGUAGES)}")
    answer = RedirectResponse(_back(request), status_code=303)
    answer.set_cookie(COOKIE, language, max_age=YEAR_S, httponly=True, samesite="lax")
    return answer


def add_to(router: APIRouter) -> None:
    """Add the switch's route."""
    router.add_api_route("/language", choose, methods=["POST"])


def _back(request: Request) -> str:
    """The page that the form stood on, by its path alone: a foreign one leads nowhere."""
    came = urlsplit(request.headers.get("referer", ""))
    own = came.netloc == request.headers.get("host") and came.path.startswith("/")
    if not own or came.path.startswith(("//", "/\\")):
        return "/"
    return came.path + (f"?{came.query}" if came.query else "")
