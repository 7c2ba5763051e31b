"""Orders that need two people, on both engines: performed once, by somebody else, on what was meant."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from tests.platform.conftest import Site, sown

from tapwatt.core.tariff import kwh_tariff
from tapwatt.platform import approvals, audit, tariffs
from tapwatt.platform.access import PERMISSIONS, Role, Who
from tapwatt.platform.approvals import Kind, Means, NoSuchApproval, NotTheirs, Order, UnableToApprove
from tapwatt.platform.tables import METADATA
from tapwatt.platform.tariffs import UnableToChangeTariff
from tapwatt.store import Database

NOW = 1_800_000_000_000


def who(name: str, role: Role = Role.OPERATOR, operator_id: str = "demo") -> Who:
    return Who(
        operator_id=operator_id,
        name=name,
        person_id=f"p-{name}",
        role=role,
        permissions=PERMISSIONS[role],
        via="login",
    )


ADA, BEN, CEM = who("Ada"), who("Ben"), who("Cem")


async def means(site: Site, work: Any, *, at_ms: int = NOW, operator_id: str = "demo") -> Any:
    chance = site.random(32)
    return await site.engine.transact(
        lambda tx, stepper: work(
            Means(tx=tx, stepper=stepper, operator_id=operator_id, chance=chance, at_ms=at_ms)
        )
    )


async def drafted(site: Site, kwh: str = "0.77") -> Order:
    """A draft that somebody wants published."""
    tariff = kwh_tariff("NEW", currency="EUR", kwh_price=Decimal(kwh), tax_rate_percent=Decimal(19))
    version = await site.database.write(
        lambda tx: tariffs.put(tx, tariff, operator_id="demo", by="Ada", at_ms=NOW)
    )
    return Order(kind=Kind.PUBLISH, subject=f"NEW/{version}", body={"accept": "as agreed"})


async def asked(site: Site, order: Order, by: Who = ADA, at_ms: int = NOW) -> str:
    told = await means(site, lambda m: approvals.ask(m, by, order), at_ms=at_ms)
    return str(told["approval_id"])


async def state(site: Site) -> tuple[str, str]:
    row = await site.database.read(lambda tx: tariffs.version_of(tx, operator_id="demo", tariff_id="NEW"))
    return row.state, row.published_by or ""


async def test_a_second_person_approves_and_it_is_done(site: Site) -> None:
    order = await drafted(site)
    approval_id = await asked(site, order)
    assert await state(site) == ("draft", "")
    done = await means(site, lambda m: approvals.approve(m, BEN, approval_id))
    assert (done["state"], done["decided_by"]) == ("approved", "Ben")
    assert await state(site) == ("published", "Ada, approved by Ben")
    entries = await site.database.read(lambda tx: audit.page(tx, operator_id="demo"))
    assert [entry["what"] for entry in entries] == ["publish approved", "publish asked"]
    with pytest.raises(UnableToApprove, match="it is approved by Ben"):
        await means(site, lambda m: approvals.approve(m, CEM, approval_id))


async def test_whoever_asks_does_not_approve(site: Site) -> None:
    approval_id = await asked(site, await drafted(site))
    with pytest.raises(NotTheirs, match="a second person does"):
        await means(site, lambda m: approvals.approve(m, ADA, approval_id))
    for role in (Role.SUPPORT, Role.AUDITOR):
        with pytest.raises(NotTheirs, match="needs the permission tariff"):
            await means(site, lambda m, r=role: approvals.approve(m, who("Sue", r), approval_id))
    assert await state(site) == ("draft", "")
    await means(site, lambda m: approvals.reject(m, ADA, approval_id, why="my mistake"))


async def test_what_was_rejected_or_has_expired_does_nothing(site: Site) -> None:
    order = await drafted(site)
    rejected = await asked(site, order)
    told = await means(site, lambda m: approvals.reject(m, BEN, rejected, why="too dear"))
    assert (told["state"], told["why"]) == ("rejected", "too dear")
    late = await asked(site, order)
    for approval_id, says in ((rejected, "rejected by Ben"), (late, "it is expired")):
        with pytest.raises(UnableToApprove, match=says):
            await means(
                site, lambda m, a=approval_id: approvals.approve(m, BEN, a), at_ms=NOW + approvals.EXPIRES_MS
            )
    assert await state(site) == ("draft", "")
    await asked(site, order, at_ms=NOW + approvals.EXPIRES_MS)
    listed = await site.database.read(
        lambda tx: approvals.listing(tx, operator_id="demo", now_ms=NOW + approvals.EXPIRES_MS)
    )
    assert len(listed["waiting"]) == 1
    assert sorted(each["state"] for each in listed["decided"]) == ["expired", "rejected"]


async def test_the_same_order_waits_once(site: Site) -> None:
    order = await drafted(site)
    assert await asked(site, order) == await asked(site, order)
    assert await asked(site, order) != await asked(site, order, BEN)


async def test_what_has_changed_meanwhile_is_not_done(site: Site) -> None:
    order = await drafted(site)
    one, two = await asked(site, order), await asked(site, order, BEN)
    await means(site, lambda m: approvals.approve(m, CEM, one))
    with pytest.raises(UnableToApprove, match="NEW/1 has changed since Ben asked: reject this"):
        await means(site, lambda m: approvals.approve(m, CEM, two))
    listed = await site.database.read(lambda tx: approvals.listing(tx, operator_id="demo", now_ms=NOW))
    assert [each["approval_id"] for each in listed["waiting"]] == [two], "it waits on, and can be rejected"


async def test_an_assignment_is_for_the_tariff_that_the_station_had(site: Site) -> None:
    first = await asked(site, await drafted(site))
    await means(site, lambda m: approvals.approve(m, BEN, first))
    order = Order(kind=Kind.ASSIGN, subject="CS1", body={"tariff_id": "NEW"})
    one, two = await asked(site, order), await asked(site, order, BEN)
    await means(site, lambda m: approvals.approve(m, CEM, one))
    with pytest.raises(UnableToApprove, match="CS1 has changed"):
        await means(site, lambda m: approvals.approve(m, CEM, two))


async def test_what_cannot_be_done_leaves_the_order_waiting(site: Site) -> None:
    order = await drafted(site)
    approval_id = await asked(site, Order(kind=Kind.RETIRE, subject=order.subject, body={"why": ""}))
    with pytest.raises(UnableToChangeTariff):
        await means(site, lambda m: approvals.approve(m, BEN, approval_id))
    told = await site.database.read(
        lambda tx: approvals.one(tx, operator_id="demo", approval_id=approval_id, now_ms=NOW)
    )
    assert (told["state"], await state(site)) == ("waiting", ("draft", ""))


async def test_another_operators_approval_is_not_there(site: Site) -> None:
    approval_id = await asked(site, await drafted(site))
    with pytest.raises(NoSuchApproval):
        await means(
            site,
            lambda m: approvals.approve(m, who("Eve", operator_id="other"), approval_id),
            operator_id="other",
        )


async def test_of_two_who_approve_at_once_one_does(site: Site) -> None:
    approval_id = await asked(site, await drafted(site))
    done = await asyncio.gather(
        *(means(site, lambda m, w=each: approvals.approve(m, w, approval_id)) for each in (BEN, CEM)),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in done) == ["UnableToApprove", "dict"]


async def test_of_two_nodes_that_approve_at_once_one_does(postgres_url: str) -> None:
    one, two = [await Database.open(postgres_url, metadata=METADATA) for _ in range(2)]
    site, other = await sown(one), Site(two)
    for number in range(5):
        order = await drafted(site, f"0.{number + 10}")
        approval_id = await asked(site, order)
        done = await asyncio.gather(
            means(site, lambda m, a=approval_id: approvals.approve(m, BEN, a), at_ms=NOW + number),
            means(other, lambda m, a=approval_id: approvals.approve(m, CEM, a), at_ms=NOW + number),
            return_exceptions=True,
        )
        assert sorted(type(each).__name__ for each in done) == ["UnableToApprove", "dict"], done
    entries = await one.read(lambda tx: audit.page(tx, operator_id="demo"))
    assert [entry["what"] for entry in entries].count("publish approved") == 5
    await two.close()
    await one.close()
