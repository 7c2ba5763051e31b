"""What stands in front of the application: host names, foreign orders, HEAD, headers."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tapwatt.pages.guard import Guard, is_own_host
from tapwatt.pages.layout import HEADERS

HOST = "127.0.0.1:8080"


async def hello(request: Request) -> Response:
    return PlainTextResponse("hello", headers={"Cache-Control": "public"})


async def broken(request: Request) -> Response:
    raise RuntimeError("broken")


def client() -> httpx.AsyncClient:
    app = Starlette(routes=[Route("/", hello, methods=["GET", "POST"]), Route("/broken", broken)])
    transport = httpx.ASGITransport(Guard(app, headers=HEADERS), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}")


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080"],
)
def test_this_machine_is_served(host: str) -> None:
    assert is_own_host(host)


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.1.7:8080", "0.0.0.0",
     "::", "[::", "a@localhost:x@evil.example", "metadata"],
)  # fmt: skip
def test_any_other_name_is_not(host: str) -> None:
    assert not is_own_host(host)


async def test_a_rebound_name_gets_a_reason_and_nothing_else() -> None:
    async with client() as web:
        answer = await web.get("/", headers={"Host": "evil.example:8080"})
    assert answer.status_code == 421
    assert answer.json()["error"] == "this console is at localhost, not at evil.example:8080"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "null"},
        {"Origin": f"http://{HOST}", "Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_a_foreign_order_is_refused(headers: dict[str, str]) -> None:
    async with client() as web:
        answer = await web.post("/", headers=headers)
        said = answer.json()["error"]
        assert (answer.status_code, said) == (403, "orders are taken from our own pages only")
        assert (await web.get("/", headers=headers)).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-origin", "Origin": f"http://{HOST}"}])
async def test_our_own_order_and_a_program_without_a_browser_pass(headers: dict[str, str]) -> None:
    async with client() as web:
        assert (await web.post("/", headers=headers)).text == "hello"


async def test_head_is_get_without_its_body() -> None:
    async with client() as web:
        whole, head = await web.get("/"), await web.head("/")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"] == "5"


async def test_every_answer_has_our_headers_once_even_a_crash() -> None:
    async with client() as web:
        answers = [
            await web.get("/"),
            await web.get("/missing"),
            await web.get("/broken"),
            await web.get("/", headers={"Host": "evil.example"}),
            await web.post("/", headers={"Origin": "null"}),
        ]
    assert [answer.status_code for answer in answers] == [200, 404, 500, 421, 403]
    for answer in answers:
        for name, value in HEADERS.items():
            assert answer.headers.get_list(name) == [value]
