"""People and logins in the database, on both engines: what is taken once, and who stays an administrator."""

from functools import partial

import pytest
from tests.platform.conftest import OTHER_OPERATOR, Site
from tests.web.house import let_in

from tapwatt.platform import logins, people
from tapwatt.platform.access import Role
from tapwatt.platform.logins import Caller
from tapwatt.platform.people import NoSuchPerson, UnableToChangePeople

HERE = Caller(address="192.0.2.1", agent="a browser")


async def test_a_time_step_is_taken_once(site: Site) -> None:
    ada = await site.database.write(lambda tx: let_in(tx, "ada", "administrator", at_ms=1))
    row = await site.database.read(lambda tx: people.find(tx, operator_id="demo", person_id=ada))
    taken = []
    for step in (7, 7, 6, 8):
        taken.append(await site.database.write(partial(people.take_step, row=row, step=step)))
    assert taken == [True, False, False, True]


async def test_the_house_closes_and_stays_closed(site: Site) -> None:
    async def closed() -> bool:
        return await site.database.read(lambda tx: people.is_closed(tx, operator_id="demo"))

    assert await closed() is False
    ada = await site.database.write(lambda tx: let_in(tx, "ada", "administrator", at_ms=1))
    assert await closed() is True
    shell = people.shell("demo")
    with pytest.raises(UnableToChangePeople, match="the only administrator"):
        await site.database.write(lambda tx: people.change(tx, shell, ada, at_ms=2, disabled=True))
    with pytest.raises(UnableToChangePeople, match="the only administrator"):
        await site.database.write(lambda tx: people.change(tx, shell, ada, at_ms=2, role=Role.SUPPORT))
    await site.database.write(lambda tx: let_in(tx, "olga", "administrator", at_ms=3))
    await site.database.write(lambda tx: people.change(tx, shell, ada, at_ms=4, disabled=True))
    assert await closed() is True


async def test_another_operators_people_are_not_there(site: Site) -> None:
    ada = await site.database.write(lambda tx: let_in(tx, "ada", "administrator", at_ms=1))
    other = OTHER_OPERATOR["operator_id"]
    with pytest.raises(NoSuchPerson):
        await site.database.write(
            lambda tx: people.change(tx, people.shell(other), ada, at_ms=2, disabled=True)
        )
    assert await site.database.read(lambda tx: people.listing(tx, operator_id=other)) == []
    assert not await site.database.read(lambda tx: people.is_closed(tx, operator_id=other))

    await site.database.write(
        lambda tx: logins.begin(
            tx, operator_id="demo", person_id=ada, state=logins.OPEN, secret="s", caller=HERE, at_ms=2
        )
    )
    found = await site.database.read(
        lambda tx: logins.find(tx, operator_id=other, login_hash=logins.hash_of("s"), at_ms=3)
    )
    assert found is None
