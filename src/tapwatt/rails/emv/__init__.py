"""Chip data: BER-TLV, and the application cryptogram of card and issuer (EMV Book 2 and 3)."""
