"""Revisions of the issuer's database, `NNNN_name.py`, found by folder and run by alembic (ADR 0011)."""
