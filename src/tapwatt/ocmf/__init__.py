"""Signed meter values in OCMF: read as bytes, verified with the meter's key, judged for billing."""
