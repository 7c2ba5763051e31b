"""Webhooks as they are sent: signed, tried again, never sent inside, known when they come twice."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import RedirectResponse, Response
from tests.platform.conftest import Site, sown
from tests.programs.receiver import Receiver, receiving, until
from tests.web.scenes import NOON_MS

from tapwatt.platform import views, webhook_outbox, webhooks
from tapwatt.platform.access import anybody
from tapwatt.platform.tables import METADATA
from tapwatt.platform.webhook_events import EVENTS, happened
from tapwatt.platform.webhook_outbox import CLAIM_MS, GIVE_UP_MS, Attempt
from tapwatt.platform.webhook_signing import verify
from tapwatt.programs.webhooks import NotAllowed, WebhookSender, checked
from tapwatt.store import Database

WHO = anybody("demo")


class Post:
    """A platform's database with webhooks, and a clock that moves when it is told to."""

    def __init__(self, database: Database, site: Site) -> None:
        self.database, self.site, self.at_ms, self.number = database, site, NOON_MS, 0

    def now_ms(self) -> int:
        return self.at_ms

    async def hook(self, url: str) -> dict[str, Any]:
        """Have every event sent there."""
        self.number += 1
        chance = bytes([self.number]) * 41
        return await self.database.write(
            lambda tx: webhooks.make(tx, WHO, url=url, events=list(EVENTS), chance=chance, at_ms=self.at_ms)
        )

    async def happens(self, subject: str) -> None:
        """Something that everybody is told."""
        await self.database.write(
            lambda tx: happened(
                tx, "alarm.raised", operator_id="demo", subject=subject, data={"n": subject}, at_ms=self.at_ms
            )
        )

    async def log(self, hook: dict[str, Any]) -> list[dict[str, Any]]:
        """Its deliveries, newest first."""
        page = await self.database.read(
            lambda tx: webhook_outbox.deliveries(
                tx, operator_id="demo", webhook_id=hook["webhook_id"], cursor=None, most=50
            )
        )
        rows: list[dict[str, Any]] = page["deliveries"]
        return rows

    @contextlib.asynccontextmanager
    async def sending(self, **more: Any) -> AsyncIterator[WebhookSender]:
        """The sender at work."""
        sender = WebhookSender(self.database, now_ms=self.now_ms, inside=True, **more)
        task = asyncio.create_task(sender.run())
        try:
            yield sender
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def tried(self, hook: dict[str, Any], attempts: int) -> dict[str, Any]:
        """Wait for so many attempts of the newest delivery."""
        async with asyncio.timeout(8):
            while True:
                rows = await self.log(hook)
                if rows and rows[0]["attempts"] >= attempts:
                    return rows[0]
                await asyncio.sleep(0.02)


@pytest.fixture
async def post(database_url: str) -> AsyncIterator[Post]:
    database = await Database.open(database_url, metadata=METADATA)
    yield Post(database, await sown(database))
    await database.close()


async def test_an_event_comes_signed_by_the_secret_that_was_shown_once(post: Post) -> None:
    receiver = Receiver()
    async with receiving(receiver) as url, post.sending():
        hook = await post.hook(f"{url}/in?x=1")
        await post.happens("one")
        await until(lambda: len(receiver.came) == 1)
        headers, body = receiver.came[0]
        event_id = verify(hook["secret"], headers, body, now_s=post.at_ms // 1000)
        row = await post.tried(hook, 1)
    assert (row["event_id"], row["state"], row["due_ms"]) == (event_id, "delivered", None)
    assert [(one["attempt"], one["status"], one["error"]) for one in row["log"]] == [(1, 204, "")]
    assert headers["host"] == url.removeprefix("http://")


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (lambda: Response("no", status_code=500), 500, "no"),
        (lambda: RedirectResponse("http://127.0.0.1:1/"), 307, ""),
        (lambda: Response("x" * 100_000, status_code=400), 400, "x" * 200),
    ],
)
async def test_what_is_not_taken_is_tried_again_under_the_same_id(
    post: Post, answer: Any, status: int, error: str
) -> None:
    receiver = Receiver(answer=answer)
    async with receiving(receiver) as url, post.sending() as sender:
        hook = await post.hook(url)
        await post.happens("one")
        row = await post.tried(hook, 1)
        assert (row["state"], row["log"][0]["status"], row["log"][0]["error"]) == ("waiting", status, error)
        assert 4_000 <= row["due_ms"] - post.at_ms <= 6_000
        receiver.answer = lambda: Response(status_code=200)
        post.at_ms = row["due_ms"]
        sender.wake()
        row = await post.tried(hook, 2)
    assert (row["state"], len(set(receiver.ids)), len(receiver.ids)) == ("delivered", 1, 2)


async def test_one_slow_receiver_holds_nobody_up_and_is_not_waited_for(post: Post) -> None:
    slow, quick = Receiver(waits=asyncio.Event()), Receiver()
    async with receiving(slow) as there, receiving(quick) as here, post.sending(within_s=0.5):
        slow_hook, _ = await post.hook(there), await post.hook(here)
        for number in range(6):
            await post.happens(str(number))
        await until(lambda: len(quick.came) == 6)
        tried = []
        for _ in range(400):
            tried = [row for row in await post.log(slow_hook) if row["attempts"]]
            if tried:
                break
            await asyncio.sleep(0.02)
        assert tried[0]["log"][0]["error"] == "no answer within 0.5 s"
        assert slow.waits is not None
        slow.waits.set()


async def test_a_receiver_that_is_down_is_noted(post: Post) -> None:
    async with post.sending():
        hook = await post.hook("http://127.0.0.1:1/")
        await post.happens("one")
        row = await post.tried(hook, 1)
    assert (row["log"][0]["status"], row["log"][0]["error"][:12]) == (None, "ConnectError")


async def test_a_certificate_that_nobody_trusts_is_refused(post: Post, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*own_certificate(tmp_path))
    got: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await reader.read(100))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    async with post.sending():
        hook = await post.hook(f"https://localhost:{port}/")
        await post.happens("one")
        row = await post.tried(hook, 1)
    server.close()
    assert "CERTIFICATE_VERIFY_FAILED" in row["log"][0]["error"]
    assert not any(got)


def own_certificate(folder: Path) -> tuple[str, str]:
    """A certificate that signed itself."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    begins = datetime(2020, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=36500))
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "cert.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return str(certificate), str(private)


async def test_what_was_in_hand_when_the_platform_died_comes_again(post: Post) -> None:
    receiver = Receiver(waits=asyncio.Event())
    async with receiving(receiver) as url:
        hook = await post.hook(url)
        await post.happens("one")
        async with post.sending():
            await until(lambda: len(receiver.came) == 1)  # and the sender dies with it in hand
        assert (await post.log(hook))[0]["attempts"] == 0
        receiver.waits = None
        post.at_ms += CLAIM_MS
        async with post.sending():
            await post.tried(hook, 1)
    assert (len(receiver.ids), len(set(receiver.ids))) == (2, 1)


@pytest.mark.parametrize(
    ("url", "inside", "reason"),
    [
        ("https://127.0.0.1/", False, "inside this house"),
        ("https://10.1.2.3/", False, "inside this house"),
        ("https://[::1]/", False, "inside this house"),
        ("https://[::ffff:192.168.1.1]/", False, "inside this house"),
        ("https://169.254.169.254/latest", True, "where no event goes"),
        ("https://0.0.0.0/", True, "where no event goes"),
        ("http://192.0.2.1/", True, "only https"),
    ],
)
async def test_no_event_goes_inside(url: str, inside: bool, reason: str) -> None:
    with pytest.raises(NotAllowed, match=reason):
        await checked(url, inside=inside)


async def test_what_is_dialled_is_what_was_checked() -> None:
    target = await checked("http://localhost:8099/in?a=b", inside=True)
    assert target.url in ("http://127.0.0.1:8099/in?a=b", "http://[::1]:8099/in?a=b")
    assert (target.host, target.name) == ("localhost:8099", "localhost")


async def test_after_three_days_a_webhook_is_switched_off_with_an_alarm(post: Post) -> None:
    hook = await post.hook("http://127.0.0.1:1/")
    await post.happens("one")
    key = ("demo", hook["webhook_id"])
    for _ in range(40):
        (row,) = await post.log(hook)
        if row["due_ms"] is None:
            break
        post.at_ms = row["due_ms"]
        attempt = Attempt(at_ms=post.at_ms, took_ms=1, status=503, error="busy")

        def fail(tx: Any, attempt: Attempt = attempt) -> None:
            (sent,) = webhook_outbox.claim(tx, key, most=5, now_ms=attempt.at_ms)
            webhook_outbox.settle(tx, sent, attempt, chance=500)

        await post.database.write(fail)
    (row,) = await post.log(hook)
    assert row["state"] == "given up"
    assert post.at_ms - NOON_MS <= GIVE_UP_MS
    assert 10 < row["attempts"] < 30
    alarms = await post.database.read(lambda tx: views.alarms(tx, operator_id="demo"))
    assert [alarm["text"] for alarm in alarms if "in three days" in alarm["text"]]


async def test_a_receiver_that_is_gone_is_switched_off(post: Post) -> None:
    receiver = Receiver(answer=lambda: Response(status_code=410))
    async with receiving(receiver) as url, post.sending():
        hook = await post.hook(url)
        await post.happens("one")
        await post.tried(hook, 1)
    shown = await post.database.read(
        lambda tx: webhooks.one(tx, operator_id="demo", webhook_id=hook["webhook_id"])
    )
    assert shown is not None
    assert (shown["state"], shown["off_why"]) == ("off", "the receiver says it is gone (410)")
    await post.happens("two")
    assert len(await post.log(hook)) == 1


async def test_an_old_secret_signs_too_for_a_day(post: Post) -> None:
    receiver = Receiver()
    async with receiving(receiver) as url, post.sending():
        hook = await post.hook(url)
        new = await post.database.write(
            lambda tx: webhooks.exchange_secret(
                tx, WHO, hook["webhook_id"], chance=b"n" * 32, at_ms=post.at_ms
            )
        )
        assert new is not None
        await post.happens("one")
        await until(lambda: len(receiver.came) == 1)
        headers, body = receiver.came[0]
        for secret in (hook["secret"], new["secret"]):
            assert verify(secret, headers, body, now_s=post.at_ms // 1000)
        post.at_ms += webhooks.BOTH_MS
        await post.happens("two")
        await until(lambda: len(receiver.came) == 2)
        assert len(receiver.came[1][0]["webhook-signature"].split(" ")) == 1
