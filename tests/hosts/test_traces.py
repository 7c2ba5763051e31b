"""Every host shows what went over its wires: joined across the hops, silence and repeats among it."""

from __future__ import annotations

import pytest
from tests.hosts.chain import Chain, Json, SimTerminal, eventually

HOSTS = ("gateway", "acquirer", "scheme", "issuer")


async def traces(chain: Chain, host: str, reference: str, *, least: int = 1) -> list[Json]:
    found: list[Json] = []

    async def there() -> bool:
        found[:] = await chain.get(host, "/api/v1/traces", reference=reference)
        return len(found) >= least

    await eventually(there)
    return found


def said(rows: list[Json]) -> list[tuple[str, str, str, str]]:
    return [(row["direction"], row["peer"], row["name"][:4], row["mark"]) for row in rows]


async def test_one_payment_is_followed_over_every_hop(chain: Chain, terminal: SimTerminal) -> None:
    request = terminal.request(reference="TRACE1")
    await terminal.send(request)
    await terminal.send(terminal.completion(request, 1200))
    await chain.settled()
    left, right = "terminal", "acquirer"
    assert said(await traces(chain, "gateway", "TRACE1", least=8))[:4] == [
        ("received", left, "0100", ""),
        ("sent", right, "0100", ""),
        ("received", right, "0110", ""),
        ("sent", left, "0110", ""),
    ]
    assert said(await traces(chain, "issuer", "TRACE1", least=4)) == [
        ("received", "scheme", "0100", ""),
        ("sent", "scheme", "0110", ""),
        ("received", "scheme", "0220", ""),
        ("sent", "scheme", "0230", ""),
    ]
    rrns = {
        row["fields"]["37"] for host in HOSTS for row in await traces(chain, host, "TRACE1") if row["fields"]
    }
    assert rrns == {request.text(37)}
    sent = [row for row in await traces(chain, "gateway", "TRACE1") if row["direction"] == "sent"]
    came = await traces(chain, "acquirer", "TRACE1")
    links = {row["link"] for row in came if row["direction"] == "received" and row["peer"] == "gateway"}
    assert {row["link"] for row in sent if row["peer"] == "acquirer"} == links
    assert {row["currency"] for row in came} == {"EUR"}


async def test_a_silent_issuer_is_seen_by_the_scheme(chain: Chain, terminal: SimTerminal) -> None:
    await terminal.send(terminal.request(amount_minor=5013, reference="SILENT1"))
    await chain.settled()
    scheme = said(await traces(chain, "scheme", "SILENT1", least=6))
    assert ("awaited", "issuer", "0100", "unanswered") in scheme
    assert ("sent", "issuer", "0420", "") in scheme
    assert ("sent", "acquirer", "0110", "refused") in scheme
    assert ("sent", "scheme", "0110", "") not in said(await traces(chain, "issuer", "SILENT1"))


async def test_an_answer_that_comes_late_is_marked_so(chain: Chain, terminal: SimTerminal) -> None:
    await chain.post("issuer", "/sandbox/silence", {"seconds": 0.8, "late": True})
    await terminal.send(terminal.request(reference="LATE1"))
    await chain.settled()

    async def late() -> bool:
        rows = said(await chain.get("scheme", "/api/v1/traces", reference="LATE1"))
        return ("received", "issuer", "0110", "late") in rows

    await eventually(late)
    assert await late()


@pytest.mark.parametrize("limit", ["0", "x", "1001", "-1", ""])
async def test_a_senseless_limit_is_refused_by_name(chain: Chain, limit: str) -> None:
    url = f"http://127.0.0.1:{chain.settings.gateway_http_port}/api/v1/traces?limit={limit}"
    answer = await chain._http.get(url)
    assert (answer.status_code, answer.json()["error"]) == (400, "limit is a number from 1 to 1000")


async def test_metrics_and_health_say_how_a_host_fares(chain: Chain, terminal: SimTerminal) -> None:
    await terminal.send(terminal.request(reference="FIGURES"))
    base = f"http://127.0.0.1:{chain.settings.gateway_http_port}"
    text = (await chain._http.get(f"{base}/metrics")).text
    assert 'tapwatt_answers_total{mti="0110",code="00"} 1' in text
    assert "tapwatt_authorisation_seconds_count 1" in text
    assert "tapwatt_open_holds 1" in text
    assert 'tapwatt_line_up{party="acquirer"} 1' in text
    await chain.stop("acquirer")

    async def degraded() -> bool:
        health = (await chain._http.get(f"{base}/health")).json()
        return bool(
            health["status"] == "degraded" and "acquirer" in health["parts"]["line to acquirer"]["reason"]
        )

    await eventually(degraded)
    assert 'tapwatt_line_up{party="acquirer"} 0' in (await chain._http.get(f"{base}/metrics")).text
