"""A day with everything in it, for pages to show."""

from __future__ import annotations

import httpx
from tests.web.scenes import CURVE, Scene


async def busy_day(scene: Scene) -> dict[str, str]:
    """Paid, declined, doubtful and running sessions; returns the addresses worth a page."""
    await scene.opens()
    closed = await scene.visit(1, *CURVE)
    await scene.visit(2, 44, 118, 121, 116, last_four="4444", brand="mastercard")
    await scene.declined(1)
    review = await scene.review(2)
    await scene.visit(1, *CURVE[:7], last_four="0004", brand="visa")
    running, _, _ = await scene.charging(1, *CURVE[:9])
    await scene.pays(2, last_four="4444", brand="mastercard")
    story = await scene.page(closed) or {}
    receipt = f"/d/receipts/{story['receipt']['token']}"
    return {"closed": closed, "review": review, "running": running, "receipt": receipt}


async def drafted(url: str) -> None:
    """A draft of the site's tariff: a night price, and an idle fee whose grace was forgotten."""
    form = {"tariff_id": "DC-0.58", "currency": "EUR", "kwh": "0.59", "tax": "19", "inside": "yes"}
    more = {"night": "0.39", "idle_fee": "0.10", "grace": "0", "note": "from autumn on"}
    async with httpx.AsyncClient(base_url=url) as client:
        answer = await client.post("/tariffs/new", data={**form, **more})
    if not answer.has_redirect_location:
        raise ValueError(f"the draft was not kept: {answer.status_code}")
