"""An address that cannot be listened on says why, for whom, and what to do."""

from __future__ import annotations

import errno
import socket

import pytest

from dca.errors import HubError
from dca.hub.listen import take
from dca.hub.settings import Address


def test_a_free_one_is_taken() -> None:
    with take(Address("127.0.0.1", 0), "agents", "--grpc") as taken:
        assert taken.getsockname()[1] > 0


def test_a_taken_port_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = Address("127.0.0.1", other.getsockname()[1])
        with pytest.raises(HubError, match=rf"cannot listen on {address} for agents: .*another program.*--grpc"):
            take(address, "agents", "--grpc")


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.EACCES, "CAP_NET_BIND_SERVICE.*--grpc"),
        (errno.EADDRNOTAVAIL, "does not have that address"),
        (errno.ENOBUFS, "choose another with --grpc"),
    ],
)
def test_each_reason_has_its_own_advice(monkeypatch: pytest.MonkeyPatch, number: int, advice: str) -> None:
    class Refused(socket.socket):
        def bind(self, _address: object) -> None:
            raise OSError(number, "no")

    monkeypatch.setattr(socket, "socket", Refused)
    with pytest.raises(HubError, match=advice):
        take(Address("127.0.0.1", 443), "agents", "--grpc")


def test_a_name_that_is_none_is_told() -> None:
    with pytest.raises(HubError, match="give an address with --grpc"):
        take(Address("no such name", 443), "agents", "--grpc")
