"""The table of roles, written out a second time by hand."""

import pytest

from tapwatt.platform.access import PERMISSIONS, Permission, Role, Who, anybody

#                     administrator  operator  support  auditor
TABLE = {
    Permission.READ: (True, True, True, True),
    Permission.NOTE: (True, True, True, False),
    Permission.STOP: (True, True, True, False),
    Permission.MONEY: (True, True, False, False),
    Permission.ALARM: (True, True, True, False),
    Permission.TARIFF: (True, True, False, False),
    Permission.STATION: (True, True, False, False),
    Permission.METER_KEY: (True, True, False, False),
    Permission.PEOPLE: (True, False, False, False),
    Permission.AUDIT: (True, False, False, True),
    Permission.TOKEN: (True, True, True, False),
    Permission.WEBHOOK: (True, False, False, False),
}


@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("role", Role)
def test_a_role_may_what_the_table_says(role: Role, permission: Permission) -> None:
    who = Who(
        operator_id="op",
        name="Ada",
        person_id="p1",
        role=role,
        permissions=PERMISSIONS[role],
        via="login",
    )
    assert who.may(permission) is TABLE[permission][list(Role).index(role)]


def test_a_token_may_no_more_than_its_scopes() -> None:
    scopes = frozenset({Permission.READ, Permission.MONEY}) & PERMISSIONS[Role.SUPPORT]
    who = Who(
        operator_id="op", name="bot", person_id="p1", role=Role.SUPPORT, permissions=scopes, via="token"
    )
    assert who.may(Permission.READ)
    assert not who.may(Permission.MONEY)
    assert not who.may(Permission.NOTE)


def test_in_an_open_house_anybody_may_everything() -> None:
    who = anybody("op")
    assert (who.name, who.person_id, who.via) == ("operator", None, "open")
    assert all(who.may(permission) for permission in Permission)
