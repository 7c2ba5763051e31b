"""Signatures of webhooks, judged by the reference library of Standard Webhooks."""

import json
import time

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tapwatt.platform.webhook_signing import UnableToVerify, headers_of, secret_of, verify

SECRET, OTHER = secret_of(bytes(range(32))), secret_of(bytes(32))
BODY = json.dumps({"type": "webhook.test", "data": {"name": "Säule"}}).encode()


def test_their_receiver_takes_what_we_sign() -> None:
    at_s = int(time.time())
    headers = headers_of([OTHER, SECRET], event_id="evt_1", at_s=at_s, body=BODY)
    assert Webhook(SECRET).verify(BODY, headers) == json.loads(BODY)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY + b" ", headers)


def test_our_receiver_takes_what_they_sign() -> None:
    from datetime import UTC, datetime

    moment = datetime.fromtimestamp(1_800_000_000, UTC)
    signature = Webhook(SECRET).sign("evt_1", moment, BODY.decode())
    headers = {"webhook-id": "evt_1", "webhook-timestamp": "1800000000", "webhook-signature": signature}
    assert verify(SECRET, headers, BODY, now_s=1_800_000_200) == "evt_1"
    for changed in (
        {"webhook-id": "evt_2"},
        {"webhook-timestamp": "1800000001"},
        {"webhook-signature": "v1,"},
    ):
        with pytest.raises(UnableToVerify):
            verify(SECRET, {**headers, **changed}, BODY, now_s=1_800_000_200)
    with pytest.raises(UnableToVerify):
        verify(OTHER, headers, BODY, now_s=1_800_000_200)
    with pytest.raises(UnableToVerify, match="not of now"):
        verify(SECRET, headers, BODY, now_s=1_800_000_301)
