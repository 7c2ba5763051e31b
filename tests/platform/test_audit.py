"""The audit chain on both engines: whatever is done to it afterwards is found and named."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from tests.platform.conftest import Site, sown

from tapwatt.platform import audit
from tapwatt.platform.access import anybody
from tapwatt.platform.tables import AUDIT_ENTRY, METADATA
from tapwatt.store import Database, Transaction

A = AUDIT_ENTRY.c
ADA = anybody("demo")


async def write(site: Site, count: int, operator_id: str = "demo") -> None:
    for number in range(count):

        def work(tx: Transaction, n: int = number) -> None:
            audit.append(tx, anybody(operator_id), "stop", f"s{n}", at_ms=n)

        await site.database.write(work)


async def verdict(site: Site, checkpoint: str = "", operator_id: str = "demo") -> audit.Verdict:
    kept = audit.read_checkpoint(checkpoint) if checkpoint else None
    return await site.database.read(lambda tx: audit.verify(tx, operator_id=operator_id, checkpoint=kept))


async def tamper(site: Site, *statements: Any) -> None:
    def work(tx: Transaction) -> None:
        for statement in statements:
            tx.run(statement.where(A.operator_id == "demo"))

    await site.database.write(work)


async def test_a_chain_that_nobody_touched_is_whole(site: Site) -> None:
    assert (await verdict(site)).checkpoint == f"0:{audit.BEGINNING}"
    await write(site, 5)
    await write(site, 2, "other")
    found = await verdict(site)
    assert (found.entries, found.head_seq, found.reason) == (5, 5, "")
    await write(site, 3)
    assert (await verdict(site, found.checkpoint)).reason == ""
    assert (await verdict(site, operator_id="other")).entries == 2
    page = await site.database.read(lambda tx: audit.page(tx, operator_id="demo", before=4, most=2))
    assert [entry["seq"] for entry in page] == [3, 2]


@pytest.mark.parametrize("column", [name for name in audit._CHAINED if name != "seq"])
async def test_a_changed_byte_is_found(site: Site, column: str) -> None:
    await write(site, 5)
    value: Any = 77 if column == "at_ms" else '{"x": 1}' if column == "detail" else "x"
    await tamper(site, update(AUDIT_ENTRY).values({column: value}).where(A.seq == 3))
    found = await verdict(site)
    assert (found.broken_at, found.reason) == (3, "entry 3 was changed after it was written")


async def test_a_changed_hash_is_found(site: Site) -> None:
    await write(site, 5)
    await tamper(site, update(AUDIT_ENTRY).values(hash="0" * 64).where(A.seq == 5))
    assert (await verdict(site)).broken_at == 5
    await tamper(site, update(AUDIT_ENTRY).values(previous="0" * 64).where(A.seq == 2))
    assert (await verdict(site)).reason == "entry 2 does not follow entry 1: removed, moved or replaced"


@pytest.mark.parametrize("seq", [1, 3])
async def test_a_removed_entry_is_found(site: Site, seq: int) -> None:
    await write(site, 5)
    await tamper(site, delete(AUDIT_ENTRY).where(A.seq == seq))
    found = await verdict(site)
    assert (found.broken_at, found.reason) == (
        seq,
        f"entry {seq} is missing: {seq - 1} is followed by {seq + 1}",
    )
    # whoever closes the gap has moved the others
    await tamper(site, *(update(AUDIT_ENTRY).values(seq=n - 1).where(A.seq == n) for n in range(seq + 1, 6)))
    assert (await verdict(site)).broken_at == seq


async def test_entries_in_another_order_are_found(site: Site) -> None:
    await write(site, 5)
    await tamper(
        site,
        update(AUDIT_ENTRY).values(seq=99).where(A.seq == 2),
        update(AUDIT_ENTRY).values(seq=2).where(A.seq == 3),
        update(AUDIT_ENTRY).values(seq=3).where(A.seq == 99),
    )
    found = await verdict(site)
    assert (found.broken_at, "does not follow" in found.reason) == (2, True)


async def test_a_cut_tail_and_a_chain_written_anew_are_found_with_a_checkpoint(site: Site) -> None:
    await write(site, 5)
    kept = (await verdict(site)).checkpoint
    await tamper(site, delete(AUDIT_ENTRY).where(A.seq > 3))
    assert (await verdict(site)).reason == ""
    cut, gone = await verdict(site, kept), "entry 5 of the checkpoint is gone: cut off"
    assert (cut.broken_at, cut.reason) == (4, f"the chain ends at 3, {gone}")
    await write(site, 3)
    anew = await verdict(site, kept)
    assert (anew.broken_at, "not the one of the checkpoint" in anew.reason) == (5, True)


async def test_many_at_once_leave_no_gap(site: Site) -> None:
    works = [site.database.write(lambda tx: audit.append(tx, ADA, "stop", at_ms=1)) for _ in range(30)]
    await asyncio.gather(*works)
    assert ((await verdict(site)).entries, (await verdict(site)).reason) == (30, "")


async def test_what_is_undone_leaves_no_entry(site: Site) -> None:
    def work(tx: Transaction) -> None:
        audit.append(tx, ADA, "stop", at_ms=1)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await site.database.write(work)
    await write(site, 1)
    assert (await verdict(site)).head_seq == 1


async def test_two_nodes_write_one_chain(postgres_url: str) -> None:
    one, two = [await Database.open(postgres_url, metadata=METADATA) for _ in range(2)]
    site = await sown(one)
    works = [node.write(lambda tx: audit.append(tx, ADA, "stop", at_ms=1)) for node in (one, two) * 10]
    await asyncio.gather(*works)
    assert ((await verdict(site)).entries, (await verdict(site)).reason) == (20, "")
    await two.close()
    await one.close()


async def test_no_card_number_and_no_control_sign_is_written(site: Site) -> None:
    def work(tx: Transaction) -> None:
        audit.append(tx, ADA, "decide", "s\x1b[2J", at_ms=1, why="card 4111 1111 1111 1111 was declined")

    await site.database.write(work)
    rows = await site.database.read(lambda tx: tx.run(select(AUDIT_ENTRY)))
    assert "1111" not in rows[0].detail
    assert "\x1b" not in rows[0].subject


@pytest.mark.parametrize("text", ["", "5", "5:abc", f"x:{'0' * 64}", f"5:{'G' * 64}"])
def test_a_checkpoint_is_a_number_and_a_hash(text: str) -> None:
    with pytest.raises(ValueError, match="a checkpoint is"):
        audit.read_checkpoint(text)
