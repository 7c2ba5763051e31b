"""Terminals: what card terminals say and hear, one folder a protocol, one data file a profile (design.md
section 6)."""
