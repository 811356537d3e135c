"""The uplink against real gRPC on loopback: patient, soon told what is wrong, and with a renewed certificate."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket

import grpc
import grpc.aio
import pytest

from dca.errors import DeliveryError
from dca.model import Secret
from dca.net.calls import HubCalls
from dca.telemetry import Uplink
from dca.telemetry.uplink import DEADLINE
from dca.wire.report_pb2 import ReportRequest, Row
from dca.wire.report_pb2_grpc import add_TelemetryServicer_to_server
from tests.net.hubs import Hub, listening, make_pair, serving


@contextlib.asynccontextmanager
async def linked(calls: HubCalls, **options):
    options.setdefault("deadline", 5.0)
    uplink = Uplink(calls, **options)
    try:
        yield uplink
    finally:
        await uplink.close()


def plain(port: int, **options):
    return linked(HubCalls(f"127.0.0.1:{port}", plaintext_on_loopback=True), **options)


@pytest.fixture
def hub():
    return Hub()


@pytest.fixture
def calls_of():
    """Calls to a port with a certificate of this name, and the hub's own certificate and CA for `serving`."""
    authority = make_pair("Test CA")

    def make(port: int, name: str) -> HubCalls:
        pair = make_pair(name, authority)
        return HubCalls(f"127.0.0.1:{port}", roots=authority.pem, key=Secret(pair.key_pem.decode()), chain=pair.pem)

    make.server = (make_pair("127.0.0.1", authority), authority)
    return make


async def test_the_next_report_goes_with_the_renewed_certificate(hub, calls_of):
    async with serving(hub, *calls_of.server) as port, linked(calls_of(port, "first")) as uplink:
        await uplink.report(ReportRequest())
        await uplink.use(calls_of(port, "second"))
        await uplink.report(ReportRequest())
    assert hub.names == [b"first", b"second"]


async def test_a_report_under_way_is_not_cut_off_by_a_renewal(hub, calls_of):
    reached, gate = asyncio.Event(), asyncio.Event()

    async def behave(_count, _context):
        reached.set()
        await gate.wait()

    hub.behave = behave
    async with serving(hub, *calls_of.server) as port, linked(calls_of(port, "first"), deadline=20) as uplink:
        under_way = asyncio.create_task(uplink.report(ReportRequest()))
        await reached.wait()
        using = asyncio.create_task(uplink.use(calls_of(port, "second")))
        await asyncio.sleep(0)
        gate.set()
        assert (await under_way).wanted_config == "seen"
        await using
        await uplink.report(ReportRequest())
    assert hub.names == [b"first", b"second"]


async def test_a_large_report_is_tried_again_too(hub):
    """More than 256 KiB: without its own buffer size gRPC would silently not retry."""

    async def behave(count, context):
        if count < 3:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "restarting")

    hub.behave = behave
    rows = [Row(epoch=bytes(16), number=number, payload=os.urandom(1000)) for number in range(1000)]
    async with serving(hub) as port, plain(port) as uplink:
        answer = await uplink.report(ReportRequest(rows=rows))
    assert answer.wanted_config == "seen"
    assert [request.rows[-1].number for request in hub.requests] == [999, 999, 999]


async def test_a_hub_that_stays_away_and_returns(hub):
    """No new channel has to be made: the next call finds it."""
    async with serving(hub) as port:
        pass
    async with plain(port, deadline=0.5) as uplink:
        with pytest.raises(DeliveryError, match="nothing listens there"):
            await uplink.report(ReportRequest())
        server = grpc.aio.server()
        add_TelemetryServicer_to_server(hub, server)
        assert server.add_insecure_port(f"127.0.0.1:{port}") == port
        await server.start()
        for _ in range(10):
            with contextlib.suppress(DeliveryError):
                await uplink.report(ReportRequest())
                break
        await server.stop(None)
    assert hub.requests


async def test_a_hub_that_does_not_answer_in_time(hub):
    async def behave(_count, _context):
        await asyncio.sleep(30)

    hub.behave = behave
    async with serving(hub) as port, plain(port, deadline=0.5) as uplink:
        with pytest.raises(DeliveryError, match="did not answer in time"):
            await uplink.report(ReportRequest())
    assert len(hub.requests) == 1


async def test_a_silent_listener_is_told_from_a_slow_hub():
    def swallow(connection):
        while connection.recv(4096):
            pass

    with listening(swallow) as port:
        async with linked(HubCalls(f"127.0.0.1:{port}"), deadline=0.5) as uplink:
            with pytest.raises(DeliveryError, match="neither accepted nor refused"):
                await uplink.report(ReportRequest())


async def test_a_line_that_is_cut_in_the_middle(hub):
    """A relay that lets some kilobytes through and then hangs up, every time."""
    async with serving(hub) as upstream:

        def cut(connection):
            passed = 0
            with socket.create_connection(("127.0.0.1", upstream)) as far:
                while passed < 100_000:
                    for ready in select.select([connection, far], [], [], 10)[0]:
                        if not (data := ready.recv(4096)):
                            return
                        (far if ready is connection else connection).sendall(data)
                        passed += len(data)
            cuts.append(passed)

        cuts: list[int] = []
        rows = [Row(epoch=bytes(16), number=number, payload=os.urandom(1000)) for number in range(500)]
        with listening(cut) as port:
            async with plain(port, deadline=1) as uplink:
                with pytest.raises(DeliveryError):
                    await uplink.report(ReportRequest(rows=rows))
    assert cuts
    assert hub.requests == []


def test_the_deadline_leaves_room_for_three_tries_in_a_cycle_of_five_minutes():
    assert 3 * (DEADLINE + 5) + 30 < 300


async def test_the_first_report_tells_at_once_what_is_wrong():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        async with plain(port, deadline=300, ask_at_once=True) as uplink:
            with pytest.raises(DeliveryError, match="nothing listens there") as caught:
                async with asyncio.timeout(30):
                    await uplink.report(ReportRequest())
            assert caught.value.code == "UNAVAILABLE"


async def test_the_first_report_arrives_at_once_too(hub):
    async with serving(hub) as port, plain(port, ask_at_once=True) as uplink:
        for _ in range(2):
            await uplink.report(ReportRequest())
    assert len(hub.requests) == 2
