from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from dca.hub.web.security import HEADERS, Guard, is_own_host


@pytest.mark.parametrize("host", ["localhost", "localhost:4480", "127.0.0.1:1", "[::1]:4480", "[::1]", "LOCALHOST:1"])
def test_the_names_of_this_machine_are_served(host: str) -> None:
    assert is_own_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "::1",
        "[::2]",
        "192.0.2.1",
        "127.0.0.1 evil",
        "evil.example",
        "evil.example:4480",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "localhost:80@evil.example",
    ],
)
def test_other_names_are_not(host: str) -> None:
    assert not is_own_host(host)


@pytest.fixture
async def client():
    async def hello(_request: object) -> PlainTextResponse:
        return PlainTextResponse("hello")

    app = Guard(Starlette(routes=[Route("/", hello)]))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:4480") as made:
        yield made


async def test_every_answer_carries_the_headers(client: httpx.AsyncClient) -> None:
    for answer in (
        await client.get("/"),
        await client.get("/none"),
        await client.post("/"),
        await client.get("/", headers={"host": "evil.example"}),
    ):
        for name, value in HEADERS.items():
            assert answer.headers[name] == value


async def test_a_rebound_name_gets_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/", headers={"host": "evil.example"})
    assert answer.status_code == 421
    assert "hello" not in answer.text


async def test_the_page_is_for_reading(client: httpx.AsyncClient) -> None:
    assert (await client.post("/")).status_code == 405
    assert (await client.get("/")).text == "hello"


def test_the_policy_allows_nothing_inline_and_nothing_foreign() -> None:
    policy = HEADERS["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "http" not in policy
