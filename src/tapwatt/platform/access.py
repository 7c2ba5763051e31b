"""Who may do what: permissions, the roles that hold them, and the person or program behind an order.

Pure: who somebody is, is found elsewhere (a login, a token), and what a page or route needs stands in
`web/gate.py`. A token's scopes are permissions too: it can do what its scopes and its owner's role both
allow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Permission(StrEnum):
    """One thing that somebody may do. The values are the scopes of tokens."""

    READ = "read"
    """See everything but people and the audit log."""
    NOTE = "note"
    """Write notes on sessions."""
    STOP = "stop"
    """Stop a session, choose its hold."""
    MONEY = "money"
    """Decide a review, credit a receipt."""
    ALARM = "alarm"
    """Acknowledge alarms."""
    TARIFF = "tariff"
    """Write, publish, retire and assign tariffs."""
    STATION = "station"
    """Send commands to stations."""
    METER_KEY = "meter_key"
    """Register and end meters' keys."""
    PEOPLE = "people"
    """See and change who may log in."""
    AUDIT = "audit"
    """Read the audit log."""
    TOKEN = "token"
    """Make and end tokens of one's own."""
    WEBHOOK = "webhook"
    """Have events sent to an address."""


class Role(StrEnum):
    """What somebody is to the operator."""

    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"
    SUPPORT = "support"
    AUDITOR = "auditor"


ALL = frozenset(Permission)
PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.ADMINISTRATOR: ALL,
    Role.OPERATOR: ALL - {Permission.PEOPLE, Permission.AUDIT, Permission.WEBHOOK},
    Role.SUPPORT: frozenset(
        {Permission.READ, Permission.NOTE, Permission.STOP, Permission.ALARM, Permission.TOKEN}
    ),
    Role.AUDITOR: frozenset({Permission.READ, Permission.AUDIT}),
}
"""Support touches neither money nor prices nor stations; an auditor changes nothing; what leaves the house
(people's access, webhooks) is an administrator's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Whoever asks, already known: a person, a token of one, or anybody on this machine."""

    operator_id: str
    name: str
    """What is written as `by`."""
    person_id: str | None
    """None while the house is open."""
    role: Role
    permissions: frozenset[Permission]
    via: Literal["open", "login", "token"]

    def may(self, permission: Permission) -> bool:
        """Whether this is allowed to them."""
        return permission in self.permissions


def anybody(operator_id: str) -> Who:
    """Everyone on this machine, as long as the operator has no administrator: the open house."""
    return Who(
        operator_id=operator_id,
        name="operator",
        person_id=None,
        role=Role.ADMINISTRATOR,
        permissions=ALL,
        via="open",
    )
