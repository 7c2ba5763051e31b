"""The sandbox: test cards, test keys and a small network, as data. Everything here is public and protects
nothing.
"""

from tapwatt.rails.sandbox.cards import (
    AmountOutcome,
    AmountRule,
    CardStatus,
    SandboxCard,
    amount_outcome,
    card,
    cards,
    chip_card,
)
from tapwatt.rails.sandbox.keys import PanKeys, issuer_master_key, pan_keys
from tapwatt.rails.sandbox.network import Merchant, Network, Terminal, network

__all__ = [
    "AmountOutcome",
    "AmountRule",
    "CardStatus",
    "Merchant",
    "Network",
    "PanKeys",
    "SandboxCard",
    "Terminal",
    "amount_outcome",
    "card",
    "cards",
    "chip_card",
    "issuer_master_key",
    "network",
    "pan_keys",
]
