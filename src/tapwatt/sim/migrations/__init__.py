"""Revisions of the site's database, `NNNN_name.py`, found by folder and run by alembic (ADR 0011)."""
