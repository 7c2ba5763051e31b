"""No card number is found at rest or in any log, in no form (design.md law 7)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import structlog
from tests.hosts.chain import Chain, SimTerminal, eventually

from tapwatt.programs.logs import set_up_logs
from tapwatt.rails.iso8583 import Message
from tapwatt.rails.keys import leaks
from tapwatt.rails.sandbox import card

NAMES = ("visa-good", "mastercard-partial", "mastercard-good", "visa-forged", "mastercard-replayed")


@pytest.fixture
def logs(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """Logs as the programs have them, on this test's own stderr (the programs look for it at each line)."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    set_up_logs("debug", program="test")
    yield capsys
    structlog.reset_defaults()
    root.handlers[:] = before
    root.setLevel(level)


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def _traced(chain: Chain, host: str) -> bool:
    """Whether the last payment is in the host's traces, so that they are searched too."""
    return any(row["reference"] == "CANARYS" for row in await chain.get(host, "/api/v1/traces", limit=1000))


async def _traffic(chain: Chain, terminal: SimTerminal) -> None:
    """Every kind of message, with everything of the card that must not be kept."""
    for number, name in enumerate(NAMES):
        pan = card(name).pan
        request = terminal.request(name, amount_minor=2000, reference=f"CANARY{number}")
        tracked = request.replace({35: f"{pan}=31122010000012345678", 52: b"\x12" * 8})
        answer = await terminal.send(tracked)
        if answer.text(39) in ("00", "10"):
            await terminal.send(terminal.completion(request, 500))
        await terminal.send(terminal.reversal(request))
    silent = terminal.request(amount_minor=5013, reference="CANARYS")
    await terminal.send(silent)
    await terminal.send(Message("0100", {2: card("visa-good").pan, 11: "000001", 4: "000000000001"}))
    await chain.settled()


async def test_no_card_number_at_rest_and_none_in_the_logs(
    logs: pytest.CaptureFixture[str], chain: Chain, terminal: SimTerminal, tmp_path: Path
) -> None:
    await _traffic(chain, terminal)
    views = ""
    for host in chain.running:
        views += str(await chain.get(host, "/api/v1/transactions"))
        views += str(await chain.get(host, "/api/v1/summary"))
        await eventually(partial(_traced, chain, host))
        views += str(await chain.get(host, "/api/v1/traces", limit=1000))
    views += str(await chain.get("issuer", "/api/v1/cards"))
    written = _files(tmp_path)
    written["logs"] = logs.readouterr().err.encode()
    written["views"] = views.encode()
    assert b"authorisation answered" in written["logs"]
    assert {"issuer.sqlite", "gateway.sqlite"} <= set(written)
    for name in NAMES:
        for place, content in written.items():
            assert leaks(card(name).pan, content) == [], f"{name} in {place}"


async def test_track_and_chip_data_are_not_stored(
    chain: Chain, terminal: SimTerminal, tmp_path: Path
) -> None:
    request = terminal.request(reference="CHIP")
    await terminal.send(request)
    cryptogram = request.data(55)[-8:]
    content = b"".join(_files(tmp_path).values())
    assert cryptogram not in content
    assert cryptogram.hex().encode() not in content.lower()
