"""The card rails: ISO 8583 messages and the wires they travel on.

Shared by gateway, acquirer, scheme, issuer, the terminal's host side and the simulator. Wire formats and
tools only: what a company decides lives in `hosts`.
"""
