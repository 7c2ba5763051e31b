"""The sandbox's cards and accounts, loaded into empty tables at the start."""

from __future__ import annotations

from tapwatt.hosts.issuer.tables import ADD_ACCOUNT, ADD_CARD, ANY_CARD
from tapwatt.rails.keys import PanCipher, mask
from tapwatt.rails.sandbox import cards, network
from tapwatt.store import Transaction


def seed(tx: Transaction, cipher: PanCipher) -> None:
    """One account a card; card numbers sealed. Does nothing where there are cards already."""
    if tx.one(ANY_CARD) is not None:
        return
    numeric = {merchant.currency: merchant.currency_numeric for merchant in network().merchants}
    for card in cards():
        if not card.known:
            continue
        account_id = f"account-{card.name}"
        tx.run(
            ADD_ACCOUNT,
            id=account_id,
            currency=numeric[card.currency],
            balance_minor=card.balance_minor,
        )
        tx.run(
            ADD_CARD,
            pan_match=cipher.match(card.pan),
            pan_sealed=cipher.seal(card.pan),
            masked=mask(card.pan),
            account_id=account_id,
            expiry=card.expiry,
            sequence=card.sequence,
            master_key=card.brand,
            status=str(card.status),
            partial=int(card.partial),
            last_counter=0,
        )
