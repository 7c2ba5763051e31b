"""Whether a world has come to rest: every visit over, nothing owed to anybody, nothing under way."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Executable, func, select

from tapwatt.edge.operation import WAITING
from tapwatt.edge.tables import OPERATION
from tapwatt.hosts.acquirer import tables as acquirer
from tapwatt.hosts.gateway import tables as gateway
from tapwatt.hosts.issuer import tables as issuer
from tapwatt.hosts.scheme import tables as scheme
from tapwatt.platform.tables import SESSION
from tapwatt.sim.books import AdviceState, PaymentState
from tapwatt.sim.tables import ADVICE, PAYMENT, STATION_MESSAGE, VISIT
from tapwatt.sim.visits import DONE
from tapwatt.sim.world.disk import Disks

ENDED: Final = ("closed", "failed", "review")


def _count(table: object, *conditions: object) -> Executable:
    return select(func.count().label("number")).select_from(table).where(*conditions)  # type: ignore[arg-type]


_VISITS: Final = _count(VISIT, VISIT.c.state != DONE)
_UNSETTLED: Final[tuple[tuple[str, Executable], ...]] = (
    ("platform", _count(SESSION.machine, *(SESSION.machine.c.status != status for status in ENDED))),
    ("platform", _count(SESSION.effect, SESSION.effect.c.done_ms.is_(None))),
    *(("edge", _count(OPERATION.machine, OPERATION.machine.c.status == state)) for state in WAITING),
    ("edge", _count(OPERATION.effect, OPERATION.effect.c.done_ms.is_(None))),
    ("gateway", _count(gateway.PAYMENT.effect, gateway.PAYMENT.effect.c.done_ms.is_(None))),
    ("acquirer", _count(acquirer.PAYMENT.effect, acquirer.PAYMENT.effect.c.done_ms.is_(None))),
    ("scheme", _count(scheme.PAYMENT.effect, scheme.PAYMENT.effect.c.done_ms.is_(None))),
    ("issuer", _count(issuer.AUTHORISATION.effect, issuer.AUTHORISATION.effect.c.done_ms.is_(None))),
    ("site", _count(ADVICE, ADVICE.c.state == AdviceState.WAITING)),
    ("site", _count(PAYMENT, PAYMENT.c.state == PaymentState.SENT)),
    ("site", _count(PAYMENT, PAYMENT.c.state == PaymentState.REVERSING)),
    ("site", _count(STATION_MESSAGE)),
)


def visits_done(disks: Disks) -> bool:
    """Whether every driver has left."""
    return _none(disks, "site", _VISITS)


def all_settled(disks: Disks) -> bool:
    """Whether nothing is owed."""
    return not unsettled(disks)


def unsettled(disks: Disks) -> list[str]:
    """What is still owed, by program."""
    return [
        f"{name}: {str(query).splitlines()[-1]}"
        for name, query in _UNSETTLED
        if not _none(disks, name, query)
    ]


def _none(disks: Disks, name: str, query: Executable) -> bool:
    row = disks.read(name, lambda tx: tx.one(query))
    return row is None or int(row.number) == 0
