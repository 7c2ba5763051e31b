"""Institutions, scheme members, routing by first digits, merchants and terminals (network.toml)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from tapwatt.rails.messages import Acceptor
from tapwatt.rails.sandbox.data import sandbox_data


@dataclass(frozen=True, slots=True, kw_only=True)
class Institutions:
    """The identifiers of the four parties, as fields 32 and 33 carry them."""

    gateway: str
    acquirer: str
    scheme: str
    issuer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A bank that takes part in the scheme."""

    id: str
    name: str
    role: str  # acquirer or issuer
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BinRoute:
    """First digits of card numbers and the issuer behind them."""

    prefix: str
    brand: str
    issuer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Merchant:
    """Who is paid. `id` is field 42."""

    id: str
    acquirer: str
    legal_name: str
    category: str
    name: str
    city: str
    country: str
    country_numeric: str
    currency: str
    currency_numeric: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """A card terminal bound to a merchant. `terminal_id` is field 41."""

    serial: str
    terminal_id: str
    merchant_id: str
    model: str
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The whole sandbox network."""

    institutions: Institutions
    members: tuple[Member, ...]
    routes: tuple[BinRoute, ...]
    merchants: tuple[Merchant, ...]
    terminals: tuple[Terminal, ...]

    def route(self, pan: str) -> BinRoute | None:
        """The issuer's route for a card number, the longest prefix first; None when nobody issues it."""
        fitting = [route for route in self.routes if pan.startswith(route.prefix)]
        return max(fitting, key=lambda route: len(route.prefix), default=None)

    def merchant(self, merchant_id: str) -> Merchant:
        """The merchant of this id; KeyError for another."""
        return {known.id: known for known in self.merchants}[merchant_id]

    def terminal(self, terminal_id: str) -> Terminal:
        """The terminal of this id; KeyError for another."""
        return {known.terminal_id: known for known in self.terminals}[terminal_id]

    def acceptor(self, terminal_id: str) -> Acceptor:
        """What a terminal of the sandbox says about itself in an authorisation request."""
        terminal = self.terminal(terminal_id)
        merchant = self.merchant(terminal.merchant_id)
        return Acceptor(
            terminal_id=terminal.terminal_id,
            merchant_id=merchant.id,
            name=merchant.name,
            city=merchant.city,
            country=merchant.country,
            country_numeric=merchant.country_numeric,
            terminal_serial=terminal.serial,
            acquirer_id=merchant.acquirer,
            merchant_category=merchant.category,
        )


@lru_cache(maxsize=1)
def network() -> Network:
    """The network of the data file."""
    data = sandbox_data("network")
    return Network(
        institutions=Institutions(**data["institution"]),
        members=tuple(Member(**row) for row in data["member"]),
        routes=tuple(BinRoute(**row) for row in data["bin"]),
        merchants=tuple(Merchant(**row) for row in data["merchant"]),
        terminals=tuple(Terminal(**row) for row in data["terminal"]),
    )
