"""Authorisations a second from terminals through gateway, acquirer, scheme and issuer: real processes on
loopback, every hop durable (SQLite, synchronous=FULL), a right cryptogram from a card of its own each time.

The load generator runs on the same cores and makes the cryptograms; it is weighed as well. Holds stay open:
the cards are bench cards with money enough, put into the issuer's tables before it starts.
"""

import asyncio
import contextlib
import itertools
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.figures import Section, percentile, spread
from bench.programs import Program, cpu_s, running

from tapwatt.hosts.issuer import tables
from tapwatt.hosts.issuer.seed import seed
from tapwatt.rails.additional import HOLD_FLAGS
from tapwatt.rails.emv.tap import ChipCard, TapTerms, personalise, tap_chip_data
from tapwatt.rails.iso8583 import Message
from tapwatt.rails.keys import PanCipher, mask
from tapwatt.rails.link import HostClient
from tapwatt.rails.messages import RESPONSE_CODE, Acceptor, CardData, authorisation
from tapwatt.rails.sandbox import issuer_master_key, network, pan_keys
from tapwatt.store import SyncDatabase, Transaction

ABOUT: Final = (
    "Terminals, gateway, acquirer, scheme and issuer, all durable, cryptograms made and verified; load "
    "generator on the same cores. Wall time, median (p10–p90) over the rounds; milliseconds from tap to "
    "answer; milliseconds of processor time an authorisation costs each program."
)
OUTSTANDING: Final = (1, 16, 64)
KEPT: Final[dict[str, dict[str, object]]] = {"kept": {}, "not kept": {"trace_rows": 0}}
"""Two chains of hosts, by what becomes of their wires' messages afterwards (ADR 0020)."""
ROUNDS: Final = 5
ROUND_S: Final = 2.0
REST_S: Final = 1.0
WARM_UP: Final = 40
CARDS: Final = 128
TERMINALS: Final = ("52523535", "52523536")
AMOUNT_MINOR: Final = 2500
BALANCE_MINOR: Final = 10**9
EXPIRY: Final = "3112"
TIMEOUT_S: Final = 40.0
HOSTS: Final = ("issuer", "scheme", "acquirer", "gateway")
_EUR: Final = "978"


def bench_pan(number: int) -> str:
    """A card number of the sandbox's issuer that nobody else has, with its check digit."""
    body = f"40009{number:010d}"
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(body))]
    total = sum(value - 9 if value > 9 else value for value in doubled)
    return f"{body}{-total % 10}"


class Card:
    """A card and its transaction counter."""

    def __init__(self, number: int) -> None:
        self.pan = bench_pan(number)
        self.chip: ChipCard = personalise(
            pan=self.pan,
            sequence="01",
            expiry=EXPIRY,
            aid=bytes.fromhex("A0000000031010"),
            label="VISA DEBIT",
            issuer_master_key=issuer_master_key("visa"),
        )
        self.counter = 0

    def tap(self, terms: TapTerms) -> CardData:
        """Hold it to a reader."""
        self.counter += 1
        chip_data = tap_chip_data(self.chip, terms, counter=self.counter)
        return CardData(pan=self.pan, expiry=EXPIRY, sequence="01", chip_data=chip_data)


class Terminals:
    """Several terminals, each with its line to the gateway."""

    def __init__(self, port: int) -> None:
        self._acceptors = [network().acceptor(tid) for tid in TERMINALS]
        self._clients = [HostClient("127.0.0.1", port, forwarder_id=tid) for tid in TERMINALS]
        self._stans = itertools.count(1)

    async def start(self) -> None:
        """Dial and sign on."""
        for client in self._clients:
            await client.start()
            await client.wait_connected(10)

    async def stop(self) -> None:
        """Hang up."""
        for client in self._clients:
            await client.stop()

    async def authorise(self, card: Card) -> float:
        """One hold, approved; the seconds from tap to answer."""
        number = next(self._stans)
        place = number % len(TERMINALS)
        began = time.perf_counter()
        request = _request(card, self._acceptors[place], f"{number:06d}")
        answer = await self._clients[place].request(request, timeout_s=TIMEOUT_S)
        assert answer.get(RESPONSE_CODE) == "00", f"declined with {answer.text(RESPONSE_CODE)}"
        return time.perf_counter() - began


def _request(card: Card, acceptor: Acceptor, stan: str) -> Message:
    terms = TapTerms(
        amount_minor=AMOUNT_MINOR,
        currency=_EUR,
        country=acceptor.country_numeric,
        date=time.strftime("%y%m%d", time.gmtime()),
        unpredictable=os.urandom(4),
        stan=stan,
        terminal_serial=acceptor.terminal_serial,
    )
    rrn = f"{time.strftime('%j%H', time.gmtime())}0{stan}"
    return authorisation(
        card=card.tap(terms),
        acceptor=acceptor,
        amount_minor=AMOUNT_MINOR,
        currency=_EUR,
        stan=stan,
        rrn=rrn,
        now_ms=time.time_ns() // 1_000_000,
        life_cycle=f"{acceptor.terminal_id}-{rrn}",
        payment_reference=f"bench-{stan}",
        additional=HOLD_FLAGS,
    )


def issue_cards(data: Path, cards: list[Card]) -> None:
    """Put the bench's cards into the issuer's database, before the issuer starts on it."""
    keys = pan_keys("issuer")
    cipher = PanCipher(keys.aes, keys.hash, random=os.urandom)

    def work(tx: Transaction) -> None:
        seed(tx, cipher)
        for card in cards:
            account_id = f"account-{card.pan[-8:]}"
            tx.run(tables.ADD_ACCOUNT, id=account_id, currency=_EUR, balance_minor=BALANCE_MINOR)
            tx.run(
                tables.ADD_CARD,
                pan_match=cipher.match(card.pan),
                pan_sealed=cipher.seal(card.pan),
                masked=mask(card.pan),
                account_id=account_id,
                expiry=EXPIRY,
                sequence="01",
                master_key="visa",
                status="active",
                partial=0,
                last_counter=0,
            )

    database = SyncDatabase.open(
        f"sqlite:///{data}/issuer.sqlite",
        metadata=tables.METADATA,
        migrations="tapwatt.hosts.issuer.migrations",
    )
    database.write(work)
    database.close()


@contextlib.contextmanager
def hosts(data: Path, settings: dict[str, object]) -> Iterator[dict[str, Program]]:
    """The four hosts, right to left, each told where the next one listens."""
    chosen = settings | {f"{name}{kind}_port": 0 for name in HOSTS for kind in ("", "_http")}
    started: dict[str, Program] = {}
    with contextlib.ExitStack() as stack:
        for name in HOSTS:
            program = stack.enter_context(running(name, "host", name, data=data, **chosen))
            started[name] = program
            chosen |= {f"{name}_port": program.ports["iso8583"], f"{name}_http_port": program.ports["http"]}
        yield started


class Tally:
    """What was found at one number of outstanding authorisations."""

    def __init__(self) -> None:
        self.rates: list[float] = []
        self.taken_ms: list[float] = []
        self.cpu_ms: dict[str, list[float]] = {}

    def row(self, outstanding: int, kept: str) -> tuple[str, ...]:
        """As a row of the table."""
        cpu = ", ".join(f"{name} {spread(values).median:.2f}" for name, values in self.cpu_ms.items())
        return (
            str(outstanding),
            kept,
            spread(self.rates).text(0),
            f"{percentile(self.taken_ms, 50):.1f}",
            f"{percentile(self.taken_ms, 99):.1f}",
            cpu,
        )


class Chain:
    """The hosts, the terminals in front of them, and cards that only they know."""

    def __init__(self, programs: dict[str, Program], cards: list[Card]) -> None:
        self.programs = programs
        self.cards = cards
        self.terminals = Terminals(programs["gateway"].ports["iso8583"])
        self.tallies = {outstanding: Tally() for outstanding in OUTSTANDING}


def measure() -> Section:
    """Rounds with 1, 16 and 64 authorisations outstanding, with and without traces, in turn."""
    with contextlib.ExitStack() as stack:
        chains = {kept: _chain(stack, settings) for kept, settings in KEPT.items()}
        asyncio.run(_measure(list(chains.values())))
    return Section(
        title="terminal to issuer and back",
        about=ABOUT,
        head=("outstanding", "traces", "authorisations a second", "p50 ms", "p99 ms", "processor ms each"),
        rows=tuple(
            chain.tallies[outstanding].row(outstanding, kept)
            for outstanding in OUTSTANDING
            for kept, chain in chains.items()
        ),
        notes=(
            "An authorisation waits for seven commits, one after the other: gateway, acquirer and scheme two "
            "each, issuer one.",
            "Traces: the messages of every wire, masked, for the sequence chart (ADR 0020). They are written "
            "twice a second, in commits that no answer waits for.",
        ),
    )


def _chain(stack: contextlib.ExitStack, settings: dict[str, object]) -> Chain:
    cards = [Card(number) for number in range(CARDS)]
    data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    issue_cards(data, cards)
    return Chain(stack.enter_context(hosts(data, settings)), cards)


async def _measure(chains: list[Chain]) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for chain in chains:
            await chain.terminals.start()
            stack.push_async_callback(chain.terminals.stop)
            for number in range(WARM_UP):
                await chain.terminals.authorise(chain.cards[number % CARDS])
        for _ in range(ROUNDS):
            for outstanding in OUTSTANDING:
                for chain in chains:
                    await _round(chain, outstanding)


async def _serve(
    terminals: Terminals, cards: list[Card], worker: int, workers: int, until: float
) -> list[float]:
    """One worker's authorisations, one after the other, on cards nobody else uses."""
    taken = []
    for card in itertools.cycle(cards[worker::workers]):
        taken.append(await terminals.authorise(card))
        if time.perf_counter() > until:
            return taken
    return taken


async def _round(chain: Chain, outstanding: int) -> None:
    tally = chain.tallies[outstanding]
    began = time.perf_counter()
    before = _weights(chain.programs)
    lists = await asyncio.gather(
        *(
            _serve(chain.terminals, chain.cards, worker, outstanding, began + ROUND_S)
            for worker in range(outstanding)
        )
    )
    wall_s = time.perf_counter() - began
    await asyncio.sleep(REST_S)  # what is written late belongs to the round that caused it
    number = sum(map(len, lists))
    tally.rates.append(number / wall_s)
    tally.taken_ms += [taken_s * 1000 for taken in lists for taken_s in taken]
    for name, used_s in _weights(chain.programs).items():
        tally.cpu_ms.setdefault(name, []).append((used_s - before[name]) * 1000 / number)


def _weights(programs: dict[str, Program]) -> dict[str, float]:
    weights = {name: program.cpu_s() for name, program in reversed(programs.items())}
    return weights | {"load": cpu_s(os.getpid())}
