"""Passwords as they are kept: argon2id, and the time that a stranger's name takes too.

Parameters: 64 MiB, three passes, four lanes, 16 bytes of salt, 32 of hash: the second recommended option of
RFC 9106, section 4 (for where 2 GiB a hash is too much), well above the OWASP floor of 19 MiB and two passes.
They stand in every hash (PHC string format), so a later change finds the old ones, and `stale` says which to
make anew at the next login. What a password must be: NIST SP 800-63B, section 5.1.1: its length counts, no
rules of composition, no change without a reason.
"""

import asyncio
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST, MOST = 12, 256
"""Characters of a password."""
AT_ONCE = 2
"""Hashes in work at once: each takes 64 MiB and a core for some tenths of a second."""
WAITING_MAX = 32
"""So many may wait for their turn; one more is told to come back."""

NOBODYS = "$argon2id$v=19$m=65536,t=3,p=4$sn1ILKzC/TT/IwgCDmuixg$k/0KujKmnP7eclohSpU2As4V0GoCH5QywDQrbTxqj8g"
"""What a stranger's password is held against, so that his name is not told by the time it takes."""
_HASHER = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4, hash_len=32, salt_len=16)


class UnableToTakePassword(ValueError):
    """A password is none that we take; the sentence says why and does not repeat it."""


class TooManyAtOnce(Exception):
    """Too many logins wait for their turn."""


def hash_of(password: str, *, login_name: str = "") -> str:
    """The hash of a new password. Raises UnableToTakePassword."""
    word = _normal(password)
    if not LEAST <= len(word) <= MOST:
        raise UnableToTakePassword(f"a password has {LEAST} to {MOST} characters")
    if len(set(word)) < 5 or (login_name and login_name.casefold() in word.casefold()):
        raise UnableToTakePassword("a password is neither a few characters repeated nor built on the name")
    return _HASHER.hash(word)


def fits(password: str, known: str | None) -> bool:
    """Whether a password is the one behind a hash. Without a hash (nobody of that name) it takes as long and
    is False."""
    if len(password) > MOST:
        password = ""
    try:
        right = _HASHER.verify(known or NOBODYS, _normal(password))
    except (VerificationError, InvalidHashError):
        return False
    return right and known is not None


def stale(known: str) -> bool:
    """Whether a hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(known)


class Turns:
    """Hashing beside the loop, so many at once."""

    def __init__(self, *, at_once: int = AT_ONCE, most_waiting: int = WAITING_MAX) -> None:
        self._turn = asyncio.Semaphore(at_once)
        self._most = at_once + most_waiting
        self._inside = 0

    async def fits(self, password: str, known: str | None) -> bool:
        """As `fits`, in a thread. Raises TooManyAtOnce."""
        async with self:
            return await asyncio.to_thread(fits, password, known)

    async def hash_of(self, password: str, *, login_name: str) -> str:
        """As `hash_of`, in a thread. Raises TooManyAtOnce, UnableToTakePassword."""
        async with self:
            return await asyncio.to_thread(hash_of, password, login_name=login_name)

    async def __aenter__(self) -> None:
        if self._inside >= self._most:
            raise TooManyAtOnce("too many log in at once; try again in a moment")
        self._inside += 1
        try:
            await self._turn.acquire()
        except BaseException:
            self._inside -= 1
            raise

    async def __aexit__(self, *_: object) -> None:
        self._turn.release()
        self._inside -= 1


def _normal(password: str) -> str:
    """The same password typed on another keyboard is the same (NIST SP 800-63B, 5.1.1.2: NFKC)."""
    return unicodedata.normalize("NFKC", password.encode("utf-8", "replace").decode())
