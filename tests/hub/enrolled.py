"""Agents with an identity at a real hub, for tests that speak for them."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
import grpc.aio

from dca.contract.codes import Code
from dca.identity.activate import HubPlace, activate
from dca.identity.lockout import Lockout
from dca.identity.vault import Vault
from dca.wire.report_pb2 import ReportRequest
from dca.wire.report_pb2_grpc import TelemetryStub
from tests.hub.office import report

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

    from dca.identity.identity import Identity
    from dca.wire.report_pb2 import ReportResponse, Row
    from tests.hub.process import HubProcess

T = TypeVar("T")
OPTIONS = (("grpc.max_receive_message_length", 4 << 20),)


def elsewhere(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on a loop of its own, wherever this is called from."""
    found: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(asyncio.run(work))
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return found[0]


def place_of(hub: HubProcess) -> HubPlace:
    """Where a running hub takes agents."""
    host, _, port = hub.ready["grpc"].rpartition(":")
    return HubPlace(host, int(port))


def new_code(hub: HubProcess, site: str, *options: str) -> Code:
    """A new activation code of a site, which is made if it is not there."""
    if f"{site} " not in hub.command("site", "list") + " ":
        hub.command("site", "add", site)
    return Code.parse(hub.command("code", "new", "--site", site, *options))


def enrol(hub: HubProcess, site: str = "Office") -> Identity:
    """A new agent of a site."""
    return enrol_with(hub, new_code(hub, site))


def enrol_with(hub: HubProcess, code: Code) -> Identity:
    """The agent that a code makes."""
    with tempfile.TemporaryDirectory(prefix="dca-enrol-") as folder:
        return elsewhere(activate(code, place_of(hub), Vault(Path(folder)), Lockout(Path(folder))))


def channel(hub: HubProcess, identity: Identity, *options: tuple[str, str | int]) -> grpc.aio.Channel:
    """A gRPC channel as that agent makes it."""
    credentials = grpc.ssl_channel_credentials(
        (identity.hub_ca or Path(hub.data / "ca.pem").read_text()).encode(),
        identity.key.reveal().encode(),
        identity.chain.encode(),
    )
    return grpc.aio.secure_channel(hub.ready["grpc"], credentials, (*OPTIONS, *options), grpc.Compression.Gzip)


def report_as(hub: HubProcess, identity: Identity, rows: Iterable[Row] = (), **fields: Any) -> ReportResponse:
    """Report once as that agent, and return the hub's answer; `fields` are more of the request's."""

    async def work() -> ReportResponse:
        request = report(rows, identity.agent_id)
        request.MergeFrom(ReportRequest(**fields))
        async with channel(hub, identity) as line:
            answer: ReportResponse = await TelemetryStub(line).Report(request, timeout=20)
            return answer

    return elsewhere(work())
