"""Asks the four hosts, at their own ports, what went over their wires. One that does not answer is named so.

Hosts are other companies: what they show is what they show to anybody who may read their traces, masked by
them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

Json = dict[str, Any]
HOSTS: Final = ("gateway", "acquirer", "scheme", "issuer")
ANSWER_WITHIN_S: Final = 1.5
MOST_ROWS: Final = 400

Told = dict[str, list[Json] | None]
"""Rows by host; None when it does not answer."""


class HostTraces:
    """The hosts' traces. `addresses` are their HTTP sides by name; a host without one is not asked."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._addresses = dict(addresses)

    async def of(self, reference: str) -> Told:
        """The traces of a payment at each host."""
        import httpx  # the console starts without it

        if not reference:
            return {host: [] for host in HOSTS}
        async with httpx.AsyncClient(timeout=ANSWER_WITHIN_S, trust_env=False) as client:

            async def ask(host: str) -> list[Json] | None:
                if host not in self._addresses:
                    return None
                try:
                    answer = await client.get(
                        f"{self._addresses[host]}/api/v1/traces",
                        params={"reference": reference, "limit": str(MOST_ROWS)},
                    )
                    rows = answer.raise_for_status().json()
                except (httpx.HTTPError, ValueError):
                    return None
                return rows if isinstance(rows, list) and all(map(_is_trace, rows)) else None

            answers = await asyncio.gather(*(ask(host) for host in HOSTS))
        return dict(zip(HOSTS, answers, strict=True))


def _is_trace(row: object) -> bool:
    """Whoever answers at the port may be anybody."""
    return (
        isinstance(row, dict)
        and all(isinstance(row.get(name), int) for name in ("id", "at_ms"))
        and all(isinstance(row.get(name), str) for name in _TEXTS)
        and isinstance(row.get("fields"), dict)
        and isinstance(row.get("amount_minor"), (int, type(None)))
    )


_TEXTS: Final = ("direction", "peer", "name", "currency", "mark", "reference", "life_cycle", "link")
