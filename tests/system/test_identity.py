"""Certificates as they live: renewed, replaced, copied, revoked, ended; against the real hub."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import grpc
import grpc.aio
import psutil
import pytest
from mqtt_client import Mqtt, lets_in

from dca.errors import IdentityError
from dca.hub.activation.requests import key_of
from dca.hub.pki import Authority
from dca.identity.activate import renew
from dca.identity.identity import load_identity
from dca.identity.keys import new_key, renewal, request_for
from dca.identity.vault import Vault
from dca.wire.activation_pb2 import ActivateRequest, RenewRequest
from dca.wire.activation_pb2_grpc import ActivationStub
from dca.wire.report_pb2_grpc import TelemetryStub
from tests.hub.database import rows
from tests.hub.enrolled import channel, elsewhere, enrol, place_of, report_as
from tests.hub.office import laser, report, row
from tests.identity.fake_hub import made_identity
from tests.system.agent import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from dca.identity.identity import Identity
    from tests.hub.process import HubProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

OF_AGENT = "WHERE agent = (SELECT id FROM agents WHERE agent_id = $1::text::uuid)"


@pytest.fixture
def agent(hub: HubProcess) -> Identity:
    return enrol(hub, "Identity")


def renewed(hub: HubProcess, identity: Identity, folder: Path, *, over: bool = False) -> Identity:
    return elsewhere(renew(identity, place_of(hub), Vault(folder), over=over))


def word(hub: HubProcess, agent: Identity, column: str) -> Any:
    return rows(hub, f"SELECT {column} FROM agents WHERE agent_id = $1::text::uuid", agent.agent_id)[0][0]


# renewal


def test_a_renewed_certificate_has_a_new_key_and_token_and_reports_go_on(hub, agent, tmp_path: Path) -> None:
    report_as(hub, agent, [row(laser(), 1)])
    after = renewed(hub, agent, tmp_path)
    assert after.agent_id == agent.agent_id
    assert after.key != agent.key
    assert after.certificate.serial_number != agent.certificate.serial_number
    assert after.channel is not None
    assert agent.channel is not None
    assert after.channel.password != agent.channel.password
    assert load_identity(Vault(tmp_path)) == after
    report_as(hub, after, [row(laser(), 2)])
    assert lets_in(hub, after)


def test_until_the_new_one_is_used_the_old_one_holds(hub, agent, tmp_path: Path) -> None:
    """The answer to a renewal may be lost, several times."""
    report_as(hub, agent)
    for _ in range(3):
        after = renewed(hub, agent, tmp_path)
        report_as(hub, agent)
    report_as(hub, after)
    with pytest.raises(grpc.aio.AioRpcError, match="a newer certificate"):
        report_as(hub, agent)


def test_a_certificate_that_has_ended_is_renewed_within_its_grace(hub, tmp_path: Path) -> None:
    agent = enrol(hub, "Identity")
    ended = aged(hub, agent, timedelta(days=-300))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        report_as(hub, ended)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    after = renewed(hub, ended, tmp_path, over=True)
    report_as(hub, after)


def test_one_that_ended_too_long_ago_is_not(hub, tmp_path: Path) -> None:
    agent = enrol(hub, "Identity")
    ended = aged(hub, agent, timedelta(days=-401))
    with pytest.raises(IdentityError, match="too long ago: activate the agent anew"):
        renewed(hub, ended, tmp_path, over=True)


def aged(hub: HubProcess, agent: Identity, ends: timedelta) -> Identity:
    """The agent as the hub would know it, with a certificate that ends then."""
    key, life = new_key(), timedelta(days=90)
    begun = datetime.now(UTC) + ends - life
    issued = Authority(hub.data).issue(key_of(request_for(key)), UUID(agent.agent_id), begun, life)
    rows(
        hub,
        f"UPDATE certificates SET serial = $2, not_before = $3, not_after = $4 {OF_AGENT} RETURNING serial",
        agent.agent_id, issued.serial, issued.not_before, issued.not_after,
    )  # fmt: skip
    return replace(agent, key=key, chain=issued.chain)


def test_a_replaced_certificate_is_not_renewed_and_the_copy_is_noticed(hub, agent, tmp_path: Path) -> None:
    report_as(hub, agent)
    after = renewed(hub, agent, tmp_path)
    report_as(hub, after)
    with pytest.raises(IdentityError, match="this is a copy of it, or its state was restored"):
        renewed(hub, agent, tmp_path)
    assert word(hub, agent, "clone_seen_at") is not None
    assert report_as(hub, after).clone_seen
    assert load_identity(Vault(tmp_path)) == after


def test_a_revoked_agent_is_not_renewed(hub, agent, tmp_path: Path) -> None:
    hub.command("agent", "revoke", agent.agent_id, "--reason", "stolen")
    with pytest.raises(IdentityError, match="this agent was revoked: stolen"):
        renewed(hub, agent, tmp_path)


def test_a_renewal_is_signed_by_the_present_key_and_of_this_hubs_certificate(hub, agent, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    stranger = made_identity(tmp_path / "other")
    own = renewal(agent, new_key())
    forged = RenewRequest(csr=own.csr, certificate=own.certificate, signature=own.signature[:-1] + b"\0")
    swapped = RenewRequest(csr=renewal(agent, new_key()).csr, certificate=own.certificate, signature=own.signature)
    by_another = replace(agent, key=stranger.key)
    invalid, unknown = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNAUTHENTICATED
    for request, code, says in (
        (forged, invalid, "not signed by the certificate's key"),
        (swapped, invalid, "not signed by the certificate's key"),
        (renewal(by_another, new_key()), invalid, "not signed by the certificate's key"),
        (
            RenewRequest(csr=own.csr[:-1], certificate=own.certificate, signature=own.signature),
            invalid,
            "cannot be used",
        ),
        (RenewRequest(csr=b"x" * 9000), invalid, "too large"),
        (RenewRequest(), invalid, "cannot be used"),
        (renewal(stranger, new_key()), unknown, "another hub has issued that certificate"),
    ):
        with pytest.raises(grpc.aio.AioRpcError, match=says) as caught:
            elsewhere(asked(hub, request))
        assert caught.value.code() is code
    elsewhere(asked(hub, own))


async def asked(hub: HubProcess, request: RenewRequest) -> Any:
    async with hub.stranger() as line:
        return await ActivationStub(line).Renew(request, timeout=10)


# the door


def test_without_a_certificate_only_activation_answers(hub, agent) -> None:
    async def work() -> None:
        async with hub.stranger() as line:
            with pytest.raises(grpc.aio.AioRpcError, match="no certificate of this hub was shown") as caught:
                await TelemetryStub(line).Report(report([], agent.agent_id), timeout=10)
            assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
            with pytest.raises(grpc.aio.AioRpcError, match="the request cannot be used") as caught:
                await ActivationStub(line).Activate(ActivateRequest(), timeout=10)
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT

    elsewhere(work())


def test_an_agent_does_not_report_for_another(hub, agent) -> None:
    other = enrol(hub, "Identity")
    with pytest.raises(grpc.aio.AioRpcError, match="names another agent than its certificate"):
        report_as(hub, replace(agent, agent_id=other.agent_id))


def test_a_certificate_of_another_ca_does_not_get_in(hub, agent, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    forged = made_identity(tmp_path / "other")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        report_as(hub, replace(forged, agent_id=agent.agent_id, hub_ca=agent.hub_ca))
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def listens_on(hub: HubProcess) -> set[int]:
    """The TCP ports that the hub's own process listens on."""
    connections = psutil.Process(hub.pid).net_connections("tcp")
    return {one.laddr.port for one in connections if one.status == psutil.CONN_LISTEN}


def test_the_ports_behind_the_door_know_nobody(hub, agent) -> None:
    outer = {int(hub.ready[name].rstrip("/").rpartition(":")[2]) for name in ("grpc", "mqtt", "web")}
    agents, strangers = listens_on(hub) - outer

    async def work(port: int) -> None:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as line:
            for call, request in (
                (TelemetryStub(line).Report, report([], agent.agent_id)),
                (ActivationStub(line).Activate, ActivateRequest(code="x", csr=renewal(agent, new_key()).csr)),
                (ActivationStub(line).Renew, renewal(agent, new_key())),
            ):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await call(request, timeout=10)
                assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED

    elsewhere(work(agents))
    elsewhere(work(strangers))


# revocation


@pytest.mark.parametrize("websocket", [True, False])
def test_revoking_cuts_every_line_at_once_says_why_and_can_be_taken_back(hub, agent, websocket) -> None:
    mqtt = Mqtt(hub, agent, websocket=websocket)
    assert mqtt.is_in
    assert mqtt.subscribes(f"dca/{agent.agent_id}/tasks")

    async def work() -> float:
        async with channel(hub, agent) as line:
            telemetry = TelemetryStub(line)
            await telemetry.Report(report([], agent.agent_id), timeout=10)
            states = asyncio.create_task(_leaves_ready(line))
            assert not mqtt.ended.is_set()
            await asyncio.to_thread(hub.command, "agent", "revoke", agent.agent_id, "--reason", "the PC was stolen")
            began = time.monotonic()
            await asyncio.wait_for(states, 10)
            cut = time.monotonic() - began
            with pytest.raises(grpc.aio.AioRpcError, match="this agent was revoked: the PC was stolen") as caught:
                await telemetry.Report(report([], agent.agent_id), timeout=10, wait_for_ready=True)
            assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
            return cut

    assert elsewhere(work()) < 1.0
    assert mqtt.until(mqtt.ended.is_set, 1.0)
    mqtt.close()
    assert not lets_in(hub, agent)
    assert "is not revoked" not in hub.command("agent", "restore", agent.agent_id)
    report_as(hub, agent)
    wait_for(lambda: lets_in(hub, agent), "the channel", 5)


async def _leaves_ready(line: grpc.aio.Channel) -> None:
    while (state := line.get_state()) is grpc.ChannelConnectivity.READY:
        await line.wait_for_state_change(state)
