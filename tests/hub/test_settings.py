from __future__ import annotations

from pathlib import Path

import pytest

from dca.errors import HubError
from dca.hub.settings import Address, HubSettings


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:4443", Address("127.0.0.1", 4443)),
        ("[::1]:0", Address("::1", 0)),
        ("hub.example.com:443", Address("hub.example.com", 443)),
    ],
)
def test_an_address_is_read_and_written_the_same(text: str, address: Address) -> None:
    assert Address.parse(text) == address
    assert str(address) == text


@pytest.mark.parametrize("text", ["", "host", ":443", "host:", "host:x", "host:65536", "::1:443", "host:-1", "host:٣"])
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(HubError, match="4443"):
        Address.parse(text)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("hub.example.com", False),
        ("localhost.example.com", False),
    ],
)
def test_loopback_is_this_machine_only(host: str, loopback: bool) -> None:
    assert Address(host, 1).is_loopback is loopback


def test_the_page_binds_nothing_but_loopback() -> None:
    with pytest.raises(HubError, match="no sign-in yet"):
        HubSettings(data=Path("x"), web=Address("0.0.0.0", 4480))


def test_certificate_and_key_come_together() -> None:
    with pytest.raises(HubError, match="both or neither"):
        HubSettings(data=Path("x"), certificate=Path("c.pem"))


@pytest.mark.parametrize("days", [0.0, -1.0, 398.0])
def test_a_certificate_has_a_life_that_libraries_take(days: float) -> None:
    with pytest.raises(HubError, match="up to 397 days"):
        HubSettings(data=Path("x"), certificate_days=days)


@pytest.mark.parametrize(
    ("grpc", "mqtt", "found"),
    [
        ("192.0.2.1:443", None, "192.0.2.1:8883"),
        ("127.0.0.1:4443", None, "127.0.0.1:0"),
        ("192.0.2.1:443", "127.0.0.1:1", "127.0.0.1:1"),
    ],
)
def test_mqtt_listens_beside_grpc(grpc: str, mqtt: str | None, found: str) -> None:
    given = Address.parse(mqtt) if mqtt else None
    settings = HubSettings(data=Path("x"), grpc=Address.parse(grpc), mqtt=given)
    assert str(settings.mqtt_address) == found
