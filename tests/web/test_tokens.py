"""Personal tokens: made once, used with less than all rights, revoked, over, gone with their person."""

import dataclasses

import httpx
import pytest
from tests.web.scenes import Scene

from tapwatt.platform import people, tokens
from tapwatt.platform.access import Permission, Role, Who
from tapwatt.platform.people import NewPerson
from tapwatt.store import Transaction

WANTED = {"name": "accounting", "scopes": ["read", "token"]}


async def made(web: httpx.AsyncClient, **more: object) -> dict[str, str]:
    answer = await web.post("/api/v1/tokens", json={**WANTED, **more})
    assert answer.status_code == 201, answer.text
    token: dict[str, str] = answer.json()
    return token


def person(name: str, role: Role) -> NewPerson:
    return NewPerson(
        login_name=name,
        display_name=name.title(),
        role=role,
        password="x",
        totp_secret="x",
        must_change=False,
    )


def showing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_a_token_may_what_its_scopes_say(scene: Scene, web: httpx.AsyncClient) -> None:
    token = await made(web)
    assert (await web.get("/api/v1/summary", headers=showing(token["token"]))).status_code == 200
    refused = await web.post("/api/v1/sessions/x/stop", headers=showing(token["token"]))
    assert (refused.status_code, refused.headers["content-type"]) == (403, "application/problem+json")
    more = await web.post(
        "/api/v1/tokens", json={"name": "more", "scopes": ["money"]}, headers=showing(token["token"])
    )
    assert (more.status_code, "may not money" in more.json()["detail"]) == (422, True)
    (listed,) = (await web.get("/api/v1/tokens")).json()["tokens"]
    assert "token" not in listed
    assert listed["used_ms"] == scene.at_ms


@pytest.mark.parametrize("bad", ["x", "tapwatt_" + "A" * 47, "tapwatt_"])
async def test_a_token_that_is_none_is_401(web: httpx.AsyncClient, bad: str) -> None:
    answer = await web.get("/api/v1/summary", headers=showing(bad))
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_a_revoked_token_is_over_for_good(web: httpx.AsyncClient) -> None:
    token = await made(web)
    path = f"/api/v1/tokens/{token['token_id']}"
    for _ in range(2):
        assert (await web.delete(path)).status_code == 204
    assert (await web.get("/api/v1/summary", headers=showing(token["token"]))).status_code == 401
    assert (await web.delete("/api/v1/tokens/tok-none")).status_code == 404


async def test_a_token_ends_at_its_time(scene: Scene, web: httpx.AsyncClient) -> None:
    token = await made(web, expires_ms=scene.at_ms + 1000)
    assert (await web.get("/api/v1/summary", headers=showing(token["token"]))).status_code == 200
    scene.after(1)
    assert (await web.get("/api/v1/summary", headers=showing(token["token"]))).status_code == 401


async def test_a_token_of_the_open_house_ends_with_it(scene: Scene, web: httpx.AsyncClient) -> None:
    token = await made(web)
    ada = person("ada", Role.ADMINISTRATOR)
    await scene.database.write(
        lambda tx: people.add(tx, people.shell("demo"), ada, chance=scene.random(20), at_ms=scene.at_ms)
    )
    assert (await web.get("/api/v1/summary", headers=showing(token["token"]))).status_code == 401


async def test_a_persons_token_goes_with_the_person(scene: Scene) -> None:
    shell, ids = people.shell("demo"), []
    for name, role in (("ada", Role.ADMINISTRATOR), ("sam", Role.OPERATOR)):
        chance, somebody = scene.random(20), person(name, role)

        def let_in(tx: Transaction, new: NewPerson = somebody, chance: bytes = chance) -> str:
            return people.add(tx, shell, new, chance=chance, at_ms=scene.at_ms)

        ids.append(await scene.database.write(let_in))

    def work(tx: Transaction) -> tuple[Who | None, Who | None, Who | None]:
        row = tx.one(people.BY_ID, operator_id="demo", person_id=ids[1])
        assert row is not None
        sam = dataclasses.replace(shell, person_id=ids[1], name=row.display_name)
        scopes = [Permission.READ, Permission.MONEY]
        token = tokens.make(
            tx, sam, name="t", scopes=scopes, expires_ms=None, chance=bytes(range(41)), at_ms=1
        )["token"]
        before = tokens.who_of(tx, token, 2)
        tx.run(people.SET_ROLE, owner="demo", person=ids[1], set_role=Role.SUPPORT.value)
        demoted = tokens.who_of(tx, token, 2)
        tx.run(people.SET_DISABLED, owner="demo", person=ids[1], set_disabled=1)
        return before, demoted, tokens.who_of(tx, token, 2)

    before, demoted, gone = await scene.database.write(work)
    assert before is not None
    assert demoted is not None
    assert (before.name, before.permissions) == ("Sam", frozenset({Permission.READ, Permission.MONEY}))
    assert (demoted.permissions, gone) == (frozenset({Permission.READ}), None)


async def test_an_order_with_a_token_needs_no_page_of_ours(web: httpx.AsyncClient) -> None:
    token = await made(web)
    foreign = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert (await web.post("/api/v1/tokens", json=WANTED, headers=foreign)).status_code == 403
    allowed = await web.post(
        "/api/v1/tokens", json={**WANTED, "name": "two"}, headers={**foreign, **showing(token["token"])}
    )
    assert allowed.status_code == 201


async def test_the_secret_is_shown_once_and_kept_nowhere(scene: Scene, web: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "one"}
    first = await web.post("/api/v1/tokens", json=WANTED, headers=key)
    again = await web.post("/api/v1/tokens", json=WANTED, headers=key)
    assert first.json()["token"].startswith("tapwatt_")
    assert again.json() == {**first.json(), "token": None}
    assert again.headers["idempotency-replayed"] == "true"
    kept = await scene.database.read(
        lambda tx: tx.run(tokens.AFTER, operator_id="demo", person="", after="", most=9)
    )
    assert len(kept) == 1
    assert first.json()["token"] not in repr(kept)
