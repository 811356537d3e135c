"""A hub that does what a test tells it: the real contract over real TLS, and a count of what came."""

from __future__ import annotations

import tempfile
import threading
from concurrent import futures
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

import grpc

from dca.contract.codes import Code, make_code, pin_of
from dca.hub.activation.requests import fingerprint, key_of
from dca.hub.pki import Authority
from dca.identity.activate import HubPlace
from dca.identity.identity import Identity
from dca.identity.keys import new_key, request_for
from dca.wire.activation_pb2 import ActivateRequest, ActivateResponse, ChannelSettings, RenewResponse

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

LIFE = timedelta(days=90)


def accept(_request: ActivateRequest, _context: grpc.ServicerContext) -> None:
    """Let everybody in."""


def refuse(_request: ActivateRequest, context: grpc.ServicerContext) -> None:
    """Judge a code and refuse it."""
    context.abort(grpc.StatusCode.PERMISSION_DENIED, "this activation code is not valid")


def saying(code: grpc.StatusCode, words: str = "words") -> Callable[[ActivateRequest, grpc.ServicerContext], None]:
    """Return a judge that ends each call with this status."""

    def judge(_request: ActivateRequest, context: grpc.ServicerContext) -> None:
        context.abort(code, words)

    return judge


class FakeHub:
    """Serves on a port of 127.0.0.1; `judge` decides on each activation, `seen` and `keys` have what came."""

    def __init__(self, folder: Path, judge: Any = accept) -> None:
        self.judge = judge
        self.seen: list[ActivateRequest] = []
        self.keys: set[bytes] = set()
        self.arrived = threading.Event()
        self.gate = threading.Event()
        self.gate.set()
        self.authority = Authority(folder)
        self.authority.ensure([], datetime.now(UTC))
        self._ids: dict[bytes, UUID] = {}
        self._server = grpc.server(futures.ThreadPoolExecutor(8))
        methods = {
            "Activate": grpc.unary_unary_rpc_method_handler(self._activate, ActivateRequest.FromString, _bytes),
            "Renew": grpc.unary_unary_rpc_method_handler(self._renew, None, _bytes),
        }
        handler = grpc.method_handlers_generic_handler("dca.v1.Activation", methods)
        self._server.add_generic_rpc_handlers((handler,))
        credentials = grpc.ssl_server_credentials([self.authority.server_pair()])
        self.port = self._server.add_secure_port("127.0.0.1:0", credentials)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.gate.set()
        self._server.stop(None).wait()

    @property
    def place(self) -> HubPlace:
        """Where it is."""
        return HubPlace("127.0.0.1", self.port)

    def code(self) -> Code:
        """A new code with its pin."""
        return make_code(pin_of(self.authority.ca_der()))

    def _activate(self, request: ActivateRequest, context: grpc.ServicerContext) -> ActivateResponse:
        key = key_of(request.csr)
        self.seen.append(request)
        self.keys.add(fingerprint(key))
        self.arrived.set()
        assert self.gate.wait(30)
        self.judge(request, context)
        agent_id = self._ids.setdefault(fingerprint(key), uuid4())
        chain = self.authority.issue(key, agent_id, datetime.now(UTC), LIFE).chain
        channel = ChannelSettings(client_id=str(agent_id), password="pass-word", tasks_topic=f"dca/{agent_id}/tasks")
        return ActivateResponse(
            agent_id=str(agent_id), site="Office", certificate_chain=chain, task_key=bytes(32), channel=channel
        )

    def _renew(self, _request: bytes, context: grpc.ServicerContext) -> RenewResponse:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the renewal cannot be used")
        raise AssertionError


def made_identity(folder: Path | None = None, life: timedelta = LIFE) -> Identity:
    """An identity as an activation brings it, of a CA in the folder or of one that is thrown away."""
    with tempfile.TemporaryDirectory() as own:
        authority = Authority(folder or Path(own))
        authority.ensure([], datetime.now(UTC))
        key, agent_id = new_key(), uuid4()
        chain = authority.issue(key_of(request_for(key)), agent_id, datetime.now(UTC), life).chain
        channel = ChannelSettings(client_id=str(agent_id), password="pass-word")
        return Identity(str(agent_id), "Office", key, chain, authority.ca_file.read_text(), bytes(32), channel)


def _bytes(message: Any) -> bytes:
    return message.SerializeToString()
