"""Reports over real gRPC with TLS to the real hub."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import grpc
import pytest

from dca.wire.report_pb2_grpc import TelemetryStub
from tests.hub.enrolled import channel, enrol
from tests.hub.office import EPOCH, laser, report, row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dca.wire.report_pb2 import ReportRequest, ReportResponse
    from tests.hub.process import HubProcess


class Agent:
    """An agent's end of the line."""

    def __init__(self, channel: grpc.aio.Channel, name: str) -> None:
        self.channel = channel
        self.id = name

    async def send(self, request: ReportRequest) -> ReportResponse:
        return await TelemetryStub(self.channel).Report(request, timeout=20)

    async def refusal(self, request: ReportRequest) -> tuple[grpc.StatusCode, str]:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self.send(request)
        return caught.value.code(), caught.value.details() or ""


@pytest.fixture
async def agent(hub: HubProcess) -> AsyncIterator[Agent]:
    identity = enrol(hub, "ingest")
    async with channel(hub, identity) as line:
        yield Agent(line, identity.agent_id)


async def test_a_thousand_rows_are_acknowledged_by_name(agent: Agent) -> None:
    rows = [row(laser(total=number), number) for number in range(1, 1001)]
    answer = await agent.send(report(rows, agent.id))
    assert {(name.epoch, name.number) for name in answer.stored} == {(EPOCH, number) for number in range(1, 1001)}
    assert not answer.refused
    assert answer.hub_time.seconds > 0


async def test_twice_and_at_the_same_time_is_once(agent: Agent) -> None:
    request = report([row(laser(total=number), number) for number in range(1, 101)], agent.id)
    answers = [*await asyncio.gather(*(agent.send(request) for _ in range(6))), await agent.send(request)]
    assert all(len(answer.stored) == 100 and not answer.refused for answer in answers)


async def test_bad_rows_are_refused_and_the_others_stored(agent: Agent) -> None:
    damaged = row(laser(), 2)
    damaged.crc32 ^= 1
    unknown = row(laser(), 3)
    unknown.kind = 9
    nameless = row(laser(), 4, epoch=b"")
    answer = await agent.send(report([row(laser(), 1), damaged, unknown, nameless, row(b"\xff", 5)], agent.id))
    assert [name.number for name in answer.stored] == [1]
    assert {refused.row.number: refused.reason.split()[0] for refused in answer.refused} == {
        2: "the",
        3: "9",
        4: "the",
        5: "the",
    }


async def test_a_cloned_state_is_told(agent: Agent) -> None:
    await agent.send(report([row(laser(total=1), 1)], agent.id))
    answer = await agent.send(report([row(laser(total=2), 1)], agent.id))
    assert not answer.stored
    assert "two copies" in answer.refused[0].reason


async def test_a_stranger_is_told_what_to_do(hub: HubProcess) -> None:
    async with hub.stranger() as line:
        code, details = await Agent(line, "").refusal(report([row(laser(), 1)], str(uuid4())))
    assert code is grpc.StatusCode.UNAUTHENTICATED
    assert "dca activate" in details


async def test_strangers_who_hold_every_place_that_they_can_keep_no_agent_out(hub: HubProcess, agent: Agent) -> None:
    over = asyncio.Event()

    async def nothing() -> AsyncIterator[bytes]:
        await over.wait()
        yield b""

    async with AsyncExitStack() as stack:
        for _ in range(3):
            line = await stack.enter_async_context(hub.stranger())
            for _ in range(32):
                stack.callback(line.stream_unary("/dca.v1.Telemetry/Report")(nothing()).cancel)
        code = None
        while code is not grpc.StatusCode.RESOURCE_EXHAUSTED:  # then they hold them
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await line.unary_unary("/dca.v1.Activation/Renew")(b"", timeout=20)
            code = caught.value.code()
        assert (await agent.send(report([row(laser(), 1)], agent.id))).stored
        over.set()


async def test_nobody_reports_as_another_agent(hub: HubProcess, agent: Agent) -> None:
    other = enrol(hub, "ingest")
    code, details = await agent.refusal(report([row(laser(), 1)], other.agent_id))
    assert code is grpc.StatusCode.UNAUTHENTICATED
    assert "another agent" in details


async def test_more_than_a_report_may_hold_is_refused_whole(agent: Agent) -> None:
    rows = [row(laser(), number) for number in range(1, 1002)]
    assert (await agent.refusal(report(rows, agent.id)))[0] is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_bomb_is_refused_by_what_it_would_become(hub: HubProcess, agent: Agent) -> None:
    """600 MB of zeros travel as half a megabyte of gzip."""
    before = resident(hub.pid)
    send = agent.channel.unary_unary("/dca.v1.Telemetry/Report")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await send(bytes(600 << 20), timeout=30)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert resident(hub.pid) - before < 64 << 20


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


async def test_many_reports_at_once_are_all_served(hub: HubProcess) -> None:
    identities = [enrol(hub, "ingest") for _ in range(4)]
    async with AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(channel(hub, identity)) for identity in identities]
        pairs = zip(lines, identities, strict=True)
        agents = [(Agent(line, one.agent_id), uuid4().bytes) for line, one in pairs for _ in range(15)]

        async def patient(agent: Agent, epoch: bytes) -> int:
            rows = [row(laser(total=number), number, epoch=epoch) for number in range(1, 21)]
            request = report(rows, agent.id)
            for _ in range(50):
                try:
                    return len((await agent.send(request)).stored)
                except grpc.aio.AioRpcError as error:
                    if error.code() not in {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE}:
                        raise
                    await asyncio.sleep(0.1)
            return 0

        assert await asyncio.gather(*(patient(*one) for one in agents)) == [20] * 60


async def test_plain_text_is_not_understood(hub: HubProcess) -> None:
    async with grpc.aio.insecure_channel(hub.ready["grpc"]) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await TelemetryStub(channel).Report(report([], str(uuid4())), timeout=3)
    assert caught.value.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
