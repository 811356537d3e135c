"""Reports over real gRPC with TLS to the real hub."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import grpc
import pytest

from dca.wire.report_pb2_grpc import TelemetryStub
from tests.hub.office import EPOCH, laser, report, row
from tests.hub.process import HubProcess, bearer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dca.wire.report_pb2 import ReportRequest, ReportResponse


class Agent:
    """An agent's end of the line."""

    def __init__(self, channel: grpc.aio.Channel, token: str) -> None:
        self.channel = channel
        self.token = token
        self.id = str(uuid4())

    async def send(self, request: ReportRequest, token: str | None = None) -> ReportResponse:
        metadata = bearer(self.token if token is None else token)
        return await TelemetryStub(self.channel).Report(request, metadata=metadata, timeout=20)

    async def refusal(self, request: ReportRequest, token: str | None = None) -> tuple[grpc.StatusCode, str]:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self.send(request, token)
        return caught.value.code(), caught.value.details() or ""


@pytest.fixture(scope="module")
def token(hub: HubProcess) -> str:
    return hub.add_site(f"ingest {uuid4().hex}")


@pytest.fixture
async def agent(hub: HubProcess, token: str) -> AsyncIterator[Agent]:
    async with hub.channel() as channel:
        yield Agent(channel, token)


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


@pytest.mark.parametrize("token", ["", "wrong", "é"])
async def test_a_stranger_is_told_what_to_do(hub: HubProcess, token: str) -> None:
    async with hub.channel() as channel:
        metadata = (("authorization", f"Bearer {token}".encode("ascii", "ignore").decode()),)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await TelemetryStub(channel).Report(report([row(laser(), 1)], str(uuid4())), metadata=metadata, timeout=10)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert "dca hub site" in (caught.value.details() or "")


async def test_another_sites_token_is_refused(hub: HubProcess, agent: Agent) -> None:
    await agent.send(report([row(laser(), 1)], agent.id))
    code, details = await agent.refusal(report([row(laser(), 2)], agent.id), hub.add_site(f"other {uuid4().hex}"))
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert "another site" in details
    assert len((await agent.send(report([row(laser(), 2)], agent.id))).stored) == 1


async def test_a_revoked_token_ends_at_once(hub: HubProcess) -> None:
    name = f"revoked {uuid4().hex}"
    old = hub.add_site(name)
    new = hub.command("site", "token", name).strip()
    async with hub.channel() as channel:
        agent = Agent(channel, new)
        assert (await agent.refusal(report([], agent.id), old))[0] is grpc.StatusCode.UNAUTHENTICATED
        await agent.send(report([], agent.id))


async def test_more_than_a_report_may_hold_is_refused_whole(agent: Agent) -> None:
    rows = [row(laser(), number) for number in range(1, 1002)]
    assert (await agent.refusal(report(rows, agent.id)))[0] is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_bomb_is_refused_by_what_it_would_become(hub: HubProcess, agent: Agent) -> None:
    """600 MB of zeros travel as half a megabyte of gzip."""
    before = resident(hub.pid)
    send = agent.channel.unary_unary("/dca.v1.Telemetry/Report")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await send(bytes(600 << 20), metadata=bearer("wrong"), timeout=30)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert resident(hub.pid) - before < 64 << 20


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


async def test_many_agents_at_once_are_all_served(hub: HubProcess, token: str) -> None:
    async with hub.channel() as channel:
        agents = [Agent(channel, token) for _ in range(60)]

        async def patient(agent: Agent) -> int:
            request = report([row(laser(total=number), number) for number in range(1, 21)], agent.id)
            for _ in range(50):
                try:
                    return len((await agent.send(request)).stored)
                except grpc.aio.AioRpcError as error:
                    if error.code() not in {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE}:
                        raise
                    await asyncio.sleep(0.1)
            return 0

        assert await asyncio.gather(*map(patient, agents)) == [20] * 60


async def test_plain_text_is_not_understood(hub: HubProcess) -> None:
    async with grpc.aio.insecure_channel(hub.ready["grpc"]) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await TelemetryStub(channel).Report(report([], str(uuid4())), metadata=bearer("x"), timeout=3)
    assert caught.value.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
