"""Logging in and out, and what people do with their own login: the steps behind the pages.

A wrong password is told nobody: whoever has sent one is asked for a code all the same, and learns only then
that something was wrong. What took place stands in the audit log, in the commit that made it so.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tapwatt.core.effects import Effect
from tapwatt.core.ids import receipt_token
from tapwatt.core.session import Session
from tapwatt.engine import Engine
from tapwatt.platform import audit, logins, one_time, passwords, people
from tapwatt.platform.access import Role, Who
from tapwatt.platform.logins import Caller
from tapwatt.platform.people import NewPerson, UnableToChangePeople
from tapwatt.platform.sessions import Event
from tapwatt.store import Row, Transaction
from tapwatt.web.gate import NOBODY

Json = dict[str, Any]
SECRET_BYTES = 32
FIRST_PASSWORD_BYTES = 17


class WaitFirst(Exception):
    """Too many tries: for so many seconds none is judged."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many tries; wait {seconds} s")
        self.seconds = seconds


class NotThisOne(Exception):
    """Name, password or code is wrong; nobody is told which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What is shown once, to be handed over: a first password, and the address for an authenticator app."""

    login_name: str
    password: str
    otpauth: str
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """The doors of one operator's house."""

    database: Any
    engine: Engine[Session, Event, Effect]
    operator_id: str
    now_ms: Callable[[], int]
    chance: Callable[[int], bytes]
    turns: passwords.Turns = field(default_factory=passwords.Turns)

    async def password(self, login_name: str, password: str, caller: Caller) -> str:
        """Judge a name and a password; returns the value of a cookie with which the code is asked for, a
        worthless one if anything was wrong. Raises WaitFirst, TooManyAtOnce."""
        owner, now_ms = self.operator_id, self.now_ms()
        secret = self.chance(SECRET_BYTES).hex()

        def claim(tx: Transaction) -> tuple[int, Row | None]:
            wait_ms = logins.claim_try(
                tx, operator_id=owner, login_name=login_name, caller=caller, at_ms=now_ms
            )
            return wait_ms, people.by_login_name(tx, operator_id=owner, login_name=login_name)

        wait_ms, row = await self._write(claim)
        if wait_ms:
            raise WaitFirst(-(-wait_ms // 1000))
        right = await self.turns.fits(password, row.password if row else None)
        fresh = None
        if right and row is not None and passwords.stale(row.password):
            fresh = await self.turns.hash_of(password, login_name="")
        await self._write(lambda tx: self._judged(tx, row, right, fresh, secret, caller))
        return secret

    def _judged(
        self, tx: Transaction, row: Row | None, right: bool, fresh: str | None, secret: str, caller: Caller
    ) -> None:
        owner, now_ms = self.operator_id, self.now_ms()
        if row is None or not right or row.disabled:
            self._failed(tx, row.login_name if row else "", "password", caller)
            return
        if fresh is not None:
            people.rehash(tx, row, password=fresh)
        logins.forgive_try(
            tx, operator_id=owner, login_name=row.login_name, caller=caller, name_too=False, at_ms=now_ms
        )
        logins.begin(
            tx,
            operator_id=owner,
            person_id=row.person_id,
            state=logins.CODE,
            secret=secret,
            caller=caller,
            at_ms=now_ms,
        )

    async def code(self, asked: str, code: str, caller: Caller) -> tuple[str, Who]:
        """Judge the code that belongs to a password; returns the value of the new login's cookie. Raises
        NotThisOne."""
        secret = self.chance(SECRET_BYTES).hex()
        row = await self._write(lambda tx: self._coded(tx, asked, code, secret, caller))
        if row is None:
            raise NotThisOne
        return secret, people.who_of(row)

    def _coded(self, tx: Transaction, asked: str, code: str, secret: str, caller: Caller) -> Row | None:
        owner, now_ms = self.operator_id, self.now_ms()
        row = logins.find(tx, operator_id=owner, login_hash=logins.hash_of(asked), at_ms=now_ms)
        if row is None or row.state != logins.CODE:
            return None
        digits = "".join(code.split())
        step = one_time.step_of(digits, row.totp_secret, at_s=now_ms // 1000, after=row.totp_step)
        if not logins.try_code(tx, row) or step is None or not people.take_step(tx, row, step):
            self._failed(tx, row.login_name, "code", caller)
            return None
        logins.end(tx, operator_id=owner, login_hash=row.login_hash)
        logins.begin(
            tx,
            operator_id=owner,
            person_id=row.person_id,
            state=logins.OPEN,
            secret=secret,
            caller=caller,
            at_ms=now_ms,
        )
        logins.forgive_try(
            tx, operator_id=owner, login_name=row.login_name, caller=caller, name_too=True, at_ms=now_ms
        )
        people.logged_in(tx, row, at_ms=now_ms)
        audit.append(tx, people.who_of(row), "login", row.login_name, at_ms=now_ms, address=caller.address)
        return row

    def _failed(self, tx: Transaction, login_name: str, what: str, caller: Caller) -> None:
        """Write a failure down. A name that is nobody's is not: it may be a password."""
        stranger = _stranger(self.operator_id)
        audit.append(
            tx,
            stranger,
            "login failed",
            login_name or "(no such name)",
            at_ms=self.now_ms(),
            outcome=f"wrong {what}" if login_name else "refused",
            address=caller.address,
        )

    async def log_out(self, who: Who, login_hash: str) -> None:
        """End a login."""
        owner, now_ms = self.operator_id, self.now_ms()

        def work(tx: Transaction) -> None:
            logins.end(tx, operator_id=owner, login_hash=login_hash)
            audit.append(tx, who, "logout", at_ms=now_ms)

        await self._write(work)

    async def own(self, who: Who) -> Json:
        """A person's own row and logins."""
        owner, now_ms, person_id = self.operator_id, self.now_ms(), who.person_id or ""
        own: Json = await self._read(
            lambda tx: {
                "person": people.shown(people.find(tx, operator_id=owner, person_id=person_id)),
                "logins": logins.of_person(tx, operator_id=owner, person_id=person_id, at_ms=now_ms),
            }
        )
        return own

    async def end_logins(self, who: Who, *, keep: str, only: str | None = None) -> None:
        """End one other login of a person (by its hash), or all but `keep`."""
        owner, now_ms, person_id = self.operator_id, self.now_ms(), who.person_id or ""

        def work(tx: Transaction) -> None:
            if only is None:
                logins.end_others(tx, operator_id=owner, person_id=person_id, keep=keep)
            else:
                logins.end_own(tx, operator_id=owner, person_id=person_id, login_hash=only)
            audit.append(tx, who, "own logins ended", at_ms=now_ms)

        await self._write(work)

    async def change_password(self, who: Who, *, old: str, new: str, keep: str, caller: Caller) -> None:
        """Give somebody the password he chose; his other logins end. Raises NotThisOne, WaitFirst,
        UnableToTakePassword, TooManyAtOnce."""
        owner, now_ms, person_id = self.operator_id, self.now_ms(), who.person_id or ""
        row: Row = await self._read(lambda tx: people.find(tx, operator_id=owner, person_id=person_id))
        claim = {"operator_id": owner, "login_name": row.login_name, "caller": caller, "at_ms": now_ms}
        wait_ms = await self._write(lambda tx: logins.claim_try(tx, **claim))
        if wait_ms:
            raise WaitFirst(-(-wait_ms // 1000))
        if not await self.turns.fits(old, row.password):
            raise NotThisOne
        hashed = await self.turns.hash_of(new, login_name=row.login_name)

        def work(tx: Transaction) -> None:
            logins.forgive_try(tx, **claim, name_too=True)
            people.set_password(tx, who, password=hashed, at_ms=now_ms)
            logins.end_others(tx, operator_id=owner, person_id=person_id, keep=keep)

        await self._write(work)

    async def people(self) -> list[Json]:
        """Everybody, with their failed tries."""
        owner = self.operator_id

        def read(tx: Transaction) -> list[Json]:
            listed = people.listing(tx, operator_id=owner)
            failed = logins.failures(
                tx, operator_id=owner, login_names=[each["login_name"] for each in listed]
            )
            return [{**each, "failed": failed[each["login_name"]]} for each in listed]

        listed: list[Json] = await self._read(read)
        return listed

    async def add(self, who: Who, *, login_name: str, name: str, role: str) -> Handed:
        """Let somebody in. Raises UnableToChangePeople and its kinds."""
        handed, hashed = await self._handed(login_name.strip().lower())
        new = NewPerson(
            login_name=login_name,
            display_name=name,
            role=role_of(role),
            password=hashed,
            totp_secret=handed.secret,
            must_change=True,
        )
        chance, now_ms = self.chance(FIRST_PASSWORD_BYTES), self.now_ms()
        await self._write(lambda tx: people.add(tx, who, new, chance=chance, at_ms=now_ms))
        return handed

    async def reset(self, who: Who, person_id: str) -> Handed:
        """Give somebody a new first password and secret. Raises NoSuchPerson."""
        owner, now_ms = self.operator_id, self.now_ms()
        row: Row = await self._read(lambda tx: people.find(tx, operator_id=owner, person_id=person_id))
        handed, hashed = await self._handed(row.login_name)
        await self._write(
            lambda tx: people.reset(
                tx, who, person_id, password=hashed, totp_secret=handed.secret, at_ms=now_ms
            )
        )
        return handed

    async def change(self, who: Who, person_id: str, **chosen: Any) -> None:
        """Change somebody's role or name, or shut him out; see `people.change`. Raises
        UnableToChangePeople."""
        now_ms = self.now_ms()
        await self._write(lambda tx: people.change(tx, who, person_id, at_ms=now_ms, **chosen))

    async def _handed(self, login_name: str) -> tuple[Handed, str]:
        password = receipt_token(self.chance(FIRST_PASSWORD_BYTES))[:20]
        secret = one_time.secret_of(self.chance(one_time.SECRET_BYTES))
        address = one_time.otpauth(secret, login_name=login_name, issuer="Tapwatt")
        handed = Handed(login_name=login_name, password=password, otpauth=address, secret=secret)
        return handed, await self.turns.hash_of(password, login_name="")

    async def _write(self, work: Callable[[Transaction], Any]) -> Any:
        return await self.engine.transact(lambda tx, _: work(tx))

    async def _read(self, query: Callable[[Transaction], Any]) -> Any:
        return await self.database.read(query)


def role_of(text: str) -> Role:
    """A role by its name. Raises UnableToChangePeople."""
    try:
        return Role(text)
    except ValueError:
        raise UnableToChangePeople(f"role: is one of {', '.join(Role)}") from None


def _stranger(operator_id: str) -> Who:
    return Who(
        operator_id=operator_id,
        name=NOBODY.name,
        person_id=None,
        role=NOBODY.role,
        permissions=NOBODY.permissions,
        via="login",
    )
