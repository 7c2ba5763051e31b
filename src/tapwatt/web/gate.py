"""The gate: who asks, and whether they may. One table (`permits.py`) says what each route needs; the check is
a dependency of the whole application, so that a route without a row is closed to everybody.

While the operator has no administrator the house is open: whoever reaches this machine is the operator. From
the first administrator on a page needs a login and a program a token. An order that comes with a login's
cookie also brings that login's CSRF token: a foreign page cannot know it.
"""

import hmac
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from urllib.parse import urlencode, urlsplit

import structlog
from fastapi import HTTPException, Request
from markupsafe import Markup

from tapwatt.pages.guard import READING
from tapwatt.platform import audit, logins, people, tokens
from tapwatt.platform.access import Permission, Role, Who, anybody
from tapwatt.store import Database, Row, Transaction, UnableToQueue, UnableToStore
from tapwatt.web.forms import read_form
from tapwatt.web.permits import LOCAL, PERSON, PUBLIC, SECOND, TABLE, Need

NOBODY = Who(
    operator_id="",
    name="nobody",
    person_id=None,
    role=Role.AUDITOR,
    permissions=frozenset(),
    via="login",
)
"""A stranger, and whoever is not yet known."""
WHO: ContextVar[Who] = ContextVar("who", default=NOBODY)
CSRF: ContextVar[str] = ContextVar("csrf", default="")
"""What the forms of this page bring back."""
CSRF_FIELD, CSRF_HEADER = "csrf", "x-csrf-token"
FORM_BYTES_MAX = 1_000_000
"""No form of ours is longer."""
NEXT_MAX = 512
TOKENS_NOTED_MAX = 1_000
FOR_MACHINES = ("/api/", "/live/", "/static/", "/health", "/metrics")
SECOND_PERSON = (Permission.MONEY, Permission.TARIFF)
NOT_AGAIN = ("/login", "/logout", "/live/", "/api/")
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")

TokenLookup = Callable[[Transaction, str, int], Who | None]
log = structlog.get_logger("tapwatt.web")


class LoginNeeded(Exception):
    """A person has to log in first; `address` is where."""

    def __init__(self, address: str) -> None:
        super().__init__("log in first")
        self.address = address


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Who asks, and the login or the token behind it, if one is. `here`: from this machine."""

    who: Who
    login: Row | None = None
    csrf: str = ""
    token: str = field(default="", repr=False)
    here: bool = False


@dataclass(slots=True, kw_only=True)
class Gate:
    """The gate of one operator's console. `secure` says that browsers come by https alone; `who_of_token`
    finds the person behind a bearer token."""

    database: Database
    operator_id: str
    now_ms: Callable[[], int]
    secure: bool = False
    who_of_token: TokenLookup | None = None
    closed: bool = False
    """Whether there is an administrator; once true it stays."""
    _noted: dict[str, int] = field(default_factory=dict)
    """When each token's use was last written down."""

    @property
    def cookie(self) -> str:
        """The cookie's name; `__Host-` binds it to this host, to https and to every path (RFC 6265bis)."""
        return "__Host-tapwatt-login" if self.secure else "tapwatt-login"

    async def check(self, request: Request) -> None:
        """Let a request pass or not; the dependency of every route. Raises LoginNeeded, HTTPException."""
        need = TABLE.get((request.method, request.scope["route"].path))
        if need is None:
            raise HTTPException(403, "this address has no row in the gate's table")
        if need is PUBLIC:
            return
        known = await self.know(request)
        if need is LOCAL:
            if not is_local(request) and not known.who.may(Permission.READ):
                raise HTTPException(401, "this is for this machine, or for a token that may read")
            return
        self._let_in(request, known, need)
        await _same_page(request, known)
        await self._seen(request, known)

    def _let_in(self, request: Request, known: Known, need: Need) -> None:
        who = known.who
        if who is NOBODY:
            raise _stranger(request)
        if need is PERSON:
            if who.person_id is None or who.via != "login":
                raise HTTPException(404, "nobody is logged in here")
            return
        if known.login is not None and known.login.must_change:
            if for_machines(request):
                raise HTTPException(403, "the password has to be changed first")
            raise LoginNeeded("/me")
        if need is SECOND and not any(map(who.may, SECOND_PERSON)):
            raise HTTPException(403, f"{who.name} may not do this: it needs the permission money or tariff")
        if isinstance(need, Permission) and not who.may(need):
            raise HTTPException(403, f"{who.name} may not do this: it needs the permission {need.value}")

    async def know(self, request: Request) -> Known:
        """Find out who asks and remember it for this request. Raises what the store raises."""
        found: Known | None = getattr(request.state, "known", None)
        if found is None:
            secret, token = request.cookies.get(self.cookie, ""), _bearer(request)
            now_ms = self.now_ms()
            here = is_local(request)
            found = await self.database.read(lambda tx: self._known(tx, secret, token, now_ms, here))
            request.state.known = found
        WHO.set(found.who)
        CSRF.set(found.csrf)
        return found

    def _known(self, tx: Transaction, secret: str, token: str | None, now_ms: int, here: bool) -> Known:
        if token is not None:
            return Known(who=self._shown(tx, token, now_ms, here), token=token, here=here)
        if not self.closed:
            self.closed = people.is_closed(tx, operator_id=self.operator_id)
            if not self.closed:
                return Known(who=anybody(self.operator_id) if here else NOBODY)
        if not secret:
            return Known(who=NOBODY)
        login = logins.find(tx, operator_id=self.operator_id, login_hash=logins.hash_of(secret), at_ms=now_ms)
        if login is None or login.state != logins.OPEN:
            return Known(who=NOBODY)
        return Known(who=people.who_of(login), login=login, csrf=csrf_of(secret))

    def _shown(self, tx: Transaction, token: str, now_ms: int, here: bool) -> Who:
        """Whoever shows a token is taken at their word, in an open house too; one of nobody stays inside."""
        who = self.who_of_token(tx, token, now_ms) if self.who_of_token else None
        if who is None or who.operator_id != self.operator_id:
            return NOBODY
        return who if here or who.person_id is not None else NOBODY

    async def _seen(self, request: Request, known: Known) -> None:
        """Keep a login alive. An open page's own stream does not: nobody may be sitting there."""
        login, now_ms, token = known.login, self.now_ms(), _bearer(request)
        if token is not None and self._noted.get(token, 0) <= now_ms - tokens.USED_EVERY_MS:
            if len(self._noted) >= TOKENS_NOTED_MAX:
                self._noted.clear()
            self._noted[token] = now_ms
            await self.database.write(lambda tx: tokens.use(tx, token, now_ms=now_ms))
        if login is None or request.url.path.startswith("/live/"):
            return
        if now_ms - login.seen_ms >= logins.SEEN_EVERY_MS:
            await self.database.write(lambda tx: logins.see(tx, login, at_ms=now_ms))

    async def look(self) -> bool:
        """Whether there is an administrator by now."""
        if not self.closed:
            self.closed = await self.database.read(
                lambda tx: people.is_closed(tx, operator_id=self.operator_id)
            )
        return self.closed

    async def stands(self, known: Known) -> bool:
        """Whether what a stream began with still holds: the same login, the token and all that it may, or the
        house still open."""
        now_ms = self.now_ms()

        def look(tx: Transaction) -> bool:
            if known.token:
                return self._shown(tx, known.token, now_ms, known.here) == known.who
            if known.login is None:
                return not people.is_closed(tx, operator_id=self.operator_id)
            found = logins.find(
                tx, operator_id=self.operator_id, login_hash=known.login.login_hash, at_ms=now_ms
            )
            return found is not None

        return await self.database.read(look)

    async def may_see(self, request: Request) -> bool:
        """Whether the details of health are for this reader."""
        if is_local(request):
            return True
        try:
            return (await self.know(request)).who.may(Permission.READ)
        except (UnableToStore, UnableToQueue):
            return False

    async def refused(self, request: Request, status: int) -> None:
        """Write a refused order down, in a transaction of its own: the order's own was undone."""
        who, path, now_ms = WHO.get(), request.url.path, self.now_ms()
        if request.method in READING or who is NOBODY or who.via == "open":
            return
        what = f"{request.method} refused"
        try:
            await self.database.write(
                lambda tx: audit.append(tx, who, what, path, at_ms=now_ms, outcome=f"refused ({status})")
            )
        except (UnableToStore, UnableToQueue) as error:
            log.error("refused order not written down", reason=str(error))


def acting(operator_id: str, by: str = "operator") -> Who:
    """Who gives an order, and whose name stands under it: whoever is logged in. What an order itself says
    counts only in an open house."""
    who = WHO.get()
    return who if who.person_id is not None else replace(anybody(operator_id), name=by)


def csrf_of(secret: str) -> str:
    """The token of a login's forms, made from the cookie's value: nothing more has to be kept."""
    return hmac.digest(secret.encode("utf-8", "replace"), b"forms of this login", "sha256").hex()


def csrf_field() -> Markup:
    """The hidden field of a form that orders something; nothing where nobody is logged in."""
    token = CSRF.get()
    return (
        Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, token) if token else Markup()
    )


def is_local(request: Request) -> bool:
    """Whether the other end is this very machine, and not a proxy on it that passes somebody on."""
    if request.client is None or any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def for_machines(request: Request) -> bool:
    """Whether no person reads the answer."""
    return request.url.path.startswith(FOR_MACHINES)


def local_path(address: str) -> str:
    """An address to go on to after the login: a path of ours, else the first page."""
    parts = urlsplit(address) if address.isprintable() and len(address) <= NEXT_MAX else None
    if parts is None or parts.scheme or parts.netloc or "\\" in address:
        return "/"
    if not address.startswith("/") or address.startswith(("//", *NOT_AGAIN)):
        return "/"
    return address


async def _same_page(request: Request, known: Known) -> None:
    """An order from a browser that is logged in brings the token of that login's forms."""
    if request.method in READING or known.login is None:
        return
    if for_machines(request):
        given = request.headers.get(CSRF_HEADER, "")
    else:
        given = (await read_form(request, most_bytes=FORM_BYTES_MAX)).get(CSRF_FIELD, "")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), known.csrf.encode()):
        raise HTTPException(403, "this form is not of your login any more: open the page again")


def _stranger(request: Request) -> Exception:
    if _bearer(request) is not None:
        bad = {"WWW-Authenticate": 'Bearer realm="tapwatt", error="invalid_token"'}
        return HTTPException(401, "the token is unknown, revoked or over", bad)
    if for_machines(request):
        return HTTPException(401, "log in, or send a token", {"WWW-Authenticate": 'Bearer realm="tapwatt"'})
    if request.method not in READING:
        return LoginNeeded("/login")
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    address = local_path(path)
    return LoginNeeded("/login" if address == "/" else f"/login?{urlencode({'next': address})}")


def _bearer(request: Request) -> str | None:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else None
