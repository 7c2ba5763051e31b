"""The register of meter keys, on both engines: added to, ended once, never two in force; what it makes
billable."""

import asyncio
import threading
import time
from typing import Any

import pytest
from tests.ocmf.meter import BEGIN, END, document, payload, public_der, public_point
from tests.platform.conftest import Site, sown

from tapwatt.ocmf.billing import Verdict
from tapwatt.ocmf.check import check
from tapwatt.ocmf.container import read_file
from tapwatt.platform import meter_keys
from tapwatt.platform.meter_keys import NoSuchKey, SenselessKey, UnableToChangeKeys
from tapwatt.platform.tables import METADATA
from tapwatt.store import Database, Transaction

NOW = 1_800_000_000_000
METER, SIGNED_MS = "TEST-METER-1", 1_772_355_600_000
KEY = public_der("secp256r1").hex()
OTHER_KEY = public_der("secp256k1").hex()
DOCUMENT = document(payload(3, BEGIN, END))


async def add(site: Site, operator_id: str = "demo", **more: Any) -> dict[str, Any]:
    row = {"meter": METER, "key": KEY, "source": "label on the meter", "by": "Ada", "at_ms": NOW, **more}
    return await site.database.write(lambda tx: meter_keys.add(tx, operator_id=operator_id, **row))


async def end(site: Site, at_ms: int, *, meter: str = METER, operator_id: str = "demo") -> dict[str, Any]:
    return await site.database.write(
        lambda tx: meter_keys.end(tx, operator_id=operator_id, meter=meter, at_ms=at_ms)
    )


async def listed(site: Site, operator_id: str = "demo") -> list[dict[str, Any]]:
    page = await site.database.read(lambda tx: meter_keys.listing(tx, operator_id=operator_id))
    keys: list[dict[str, Any]] = page["meter_keys"]
    return keys


async def verdict(site: Site, operator_id: str = "demo") -> Verdict:
    register = await site.database.read(lambda tx: meter_keys.register_of(tx, operator_id=operator_id))
    return check(read_file(DOCUMENT), register=register).verdict


async def test_a_key_is_kept_as_it_was_given(site: Site) -> None:
    spaced = " ".join(KEY[at : at + 4] for at in range(0, len(KEY), 4)).upper()
    added = await add(site, key=f" {spaced}\n")
    assert added == {
        "meter": METER,
        "key": spaced,
        "source": "label on the meter",
        "valid_from_ms": 0,
        "valid_to_ms": None,
        "added_by": "Ada",
        "added_ms": NOW,
    }
    assert await listed(site) == [added]


async def test_a_registered_key_makes_energy_billable_and_nothing_else_does(site: Site) -> None:
    none = await verdict(site)
    assert (none.valid, none.billable) == (False, False)
    assert none.reason == f"document T3: no key is registered for meter {METER}"
    await add(site)
    found = await verdict(site)
    assert (found.valid, found.billable) == (True, True)
    assert found.energy_wh == 12_500
    assert not (await verdict(site, "other")).valid


async def test_another_meters_key_makes_nothing_billable(site: Site) -> None:
    await add(site, meter="TEST-METER-2")
    await add(site, key=OTHER_KEY)
    assert not (await verdict(site)).billable


@pytest.mark.parametrize(
    ("validity", "billable"),
    [
        ({"valid_from_ms": SIGNED_MS}, True),
        ({"valid_from_ms": SIGNED_MS + 1}, False),
        ({"valid_to_ms": SIGNED_MS + 40 * 60_000 + 1}, True),
        ({"valid_to_ms": SIGNED_MS + 40 * 60_000}, False),
    ],
)
async def test_only_the_key_of_that_time_counts(site: Site, validity: dict[str, Any], billable: bool) -> None:
    await add(site, **validity)
    assert (await verdict(site)).billable is billable


async def test_a_meter_is_exchanged(site: Site) -> None:
    await add(site, key=OTHER_KEY)
    assert (await end(site, SIGNED_MS))["valid_to_ms"] == SIGNED_MS
    await add(site, valid_from_ms=SIGNED_MS)
    assert (await verdict(site)).billable
    assert [(row["valid_from_ms"], row["valid_to_ms"]) for row in await listed(site)] == [
        (0, SIGNED_MS),
        (SIGNED_MS, None),
    ]


@pytest.mark.parametrize(
    ("validity", "overlaps"),
    [
        ({}, True),
        ({"valid_to_ms": 1001}, True),
        ({"valid_to_ms": 1000}, False),
        ({"valid_from_ms": 1999}, True),
        ({"valid_from_ms": 2000}, False),
        ({"valid_from_ms": 1000, "valid_to_ms": 2000}, True),
        ({"valid_from_ms": 1500, "valid_to_ms": 1600}, True),
        ({"meter": "TEST-METER-2"}, False),
    ],
)
async def test_two_keys_are_not_in_force_at_once(
    site: Site, validity: dict[str, Any], overlaps: bool
) -> None:
    await add(site, valid_from_ms=1000, valid_to_ms=2000)
    await add(site, "other")
    if overlaps:
        with pytest.raises(
            UnableToChangeKeys, match=f"a key of meter {METER} is registered from .* until .*: end it first"
        ):
            await add(site, **validity)
    else:
        await add(site, **validity)
    assert len(await listed(site)) == 2 - overlaps


async def test_an_end_is_set_once(site: Site) -> None:
    with pytest.raises(NoSuchKey, match="no key of meter TEST-METER-1 is registered"):
        await end(site, NOW)
    await add(site, valid_from_ms=1000)
    with pytest.raises(SenselessKey, match="must be later than 1000, when the key begins"):
        await end(site, 1000)
    await end(site, NOW)
    with pytest.raises(UnableToChangeKeys, match="has its end: 2027-01-15 08:00 UTC"):
        await end(site, NOW + 1)
    assert [row["valid_to_ms"] for row in await listed(site)] == [NOW]


async def test_another_operators_keys_are_neither_seen_nor_ended(site: Site) -> None:
    await add(site)
    assert await listed(site, "other") == []
    with pytest.raises(NoSuchKey):
        await end(site, NOW, operator_id="other")
    await add(site, "other", key=OTHER_KEY)
    await end(site, NOW, operator_id="other")
    assert [row["valid_to_ms"] for row in await listed(site)] == [None]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"key": ""}, "key: is empty"),
        ({"key": "zz"}, "key: is neither hex nor base64"),
        ({"key": "00" * 64}, "key: is no point of a known curve; is a digit wrong"),
        ({"key": "0" * 5000}, "key: over the limit"),
        ({"meter": " "}, "meter: must be 1 to 64 printable characters"),
        ({"meter": "M\x1b[2J"}, "meter: must be"),
        ({"source": "s" * 201}, "source: must be 1 to 200"),
        ({"by": ""}, "by: must be 1 to 64"),
        ({"valid_from_ms": -1}, "valid_from_ms: must be 0 to"),
        ({"valid_from_ms": 5, "valid_to_ms": 5}, "valid_to_ms: must be later than 5"),
        ({"valid_to_ms": 10**15}, "valid_to_ms: must be"),
    ],
)
async def test_what_makes_no_sense_is_not_registered(site: Site, row: dict[str, Any], reason: str) -> None:
    with pytest.raises(SenselessKey, match=reason):
        await add(site, **row)
    assert await listed(site) == []


async def test_a_bare_point_is_a_key(site: Site) -> None:
    await add(site, key=public_point("secp256r1")[1:].hex())
    assert (await verdict(site)).billable


async def test_there_are_only_so_many_keys(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter_keys, "KEYS_MAX", 2)
    for meter in ("A", "B"):
        await add(site, meter=meter)
    with pytest.raises(UnableToChangeKeys, match="there are 2 keys, the most allowed"):
        await add(site, meter="C")
    await add(site, "other", meter="C")


async def test_of_two_at_once_one_is_registered(site: Site) -> None:
    done = await asyncio.gather(
        *(add(site, valid_from_ms=begin) for begin in (1000, 2000)), return_exceptions=True
    )
    assert sum(isinstance(one, UnableToChangeKeys) for one in done) == 1
    assert len(await listed(site)) == 1


async def test_of_two_nodes_at_once_one_registers(postgres_url: str) -> None:
    one, two = [await Database.open(postgres_url, metadata=METADATA) for _ in range(2)]
    site = await sown(one)
    row: dict[str, Any] = {"operator_id": "demo", "meter": METER, "key": KEY, "source": "label", "by": "Ada"}
    added = threading.Event()

    def first(tx: Transaction) -> None:
        meter_keys.add(tx, at_ms=NOW, valid_from_ms=1000, **row)
        added.set()
        time.sleep(0.3)  # the other has this long to miss what is not yet committed

    def second(tx: Transaction) -> None:
        added.wait(10)
        meter_keys.add(tx, at_ms=NOW, valid_from_ms=2000, **row)

    done = await asyncio.gather(one.write(first), two.write(second), return_exceptions=True)
    assert (done[0], type(done[1])) == (None, UnableToChangeKeys)
    assert [key["valid_from_ms"] for key in await listed(site)] == [1000]
    await two.close()
    await one.close()
