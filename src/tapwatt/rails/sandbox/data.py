"""Reads the sandbox's data files."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Any


@lru_cache(maxsize=8)
def sandbox_data(name: str) -> dict[str, Any]:
    """The content of `cards`, `network` or `keys`."""
    return tomllib.loads(files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))
