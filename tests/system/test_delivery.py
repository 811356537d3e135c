"""The delivery with real programs: through a proxy that asks for a password, and the proof on a small scale."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import grpc.aio
import pytest
from peers import missing, need

from dca.errors import DeliveryError
from dca.hub.pki import Authority
from dca.net.calls import HubCalls
from dca.telemetry import Uplink
from dca.wire.report_pb2 import ReportRequest, ReportResponse
from dca.wire.report_pb2_grpc import TelemetryServicer, add_TelemetryServicer_to_server
from tests.proof_delivery.wallclock import library

ROOT = Path(__file__).resolve().parents[2]


class Hub(TelemetryServicer):
    async def Report(self, request, _):  # noqa: N802 - the service's name
        return ReportResponse(wanted_config=request.agent_id)


@contextlib.asynccontextmanager
async def serving(authority: Authority):
    server = grpc.aio.server()
    add_TelemetryServicer_to_server(Hub(), server)
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([authority.server_pair()]))
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def tinyproxy(folder: Path, connect_port: int):
    """Run tinyproxy on loopback with a password; give its port and its log."""
    port, log = free_port(), folder / "tinyproxy.log"
    config = folder / "tinyproxy.conf"
    config.write_text(
        f'Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 10\nLogFile "{log}"\nLogLevel Connect\n'
        f"Allow 127.0.0.1\nBasicAuth agent passw0rd\nConnectPort {connect_port}\n"
    )
    with subprocess.Popen([need("tinyproxy", "tinyproxy"), "-d", "-c", config], stdout=subprocess.DEVNULL) as proxy:
        try:
            for _ in range(100):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                time.sleep(0.05)
            yield port, log
        finally:
            proxy.terminate()


@pytest.fixture
def authority(tmp_path):
    made = Authority(tmp_path)
    made.ensure((), dt.datetime.now(dt.UTC))
    return made


async def test_through_a_proxy_that_asks_for_a_password(tmp_path, authority, monkeypatch):
    for name in ("no_proxy", "NO_PROXY", "no_grpc_proxy"):
        monkeypatch.delenv(name, raising=False)
    roots = authority.ca_file.read_bytes()
    async with serving(authority) as port:
        with tinyproxy(tmp_path, port) as (proxy, log):

            async def report(user: str, target: int = port) -> str:
                calls = HubCalls(f"127.0.0.1:{target}", roots=roots, proxy_url=f"http://{user}127.0.0.1:{proxy}")
                uplink = Uplink(calls, deadline=1.5)
                try:
                    return (await uplink.report(ReportRequest(agent_id="through"))).wanted_config
                finally:
                    await uplink.close()

            assert await report("agent:p%61ssw0rd@") == "through"
            assert f"CONNECT 127.0.0.1:{port}" in log.read_text(), "it did go through the proxy"
            for user in ("", "agent:wrong@"):
                with pytest.raises(DeliveryError, match="the proxy asks for a user and password"):
                    await report(user)
            with pytest.raises(DeliveryError, match="the proxy"):
                await report("agent:p%61ssw0rd@", free_port())


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_a_small_proof_of_delivery():
    """Kills of the real agent and hub, cuts, a day by the agent's clock, damage: `make proof-delivery` does many."""
    if sys.platform != "linux":
        missing("the hub's embedded engines run on Linux")
    done = subprocess.run(
        [sys.executable, "-m", "tests.proof_delivery", "--tiny"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=140,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["kills"] >= 3
    assert figures["read"] >= figures["stored"] > 0
    assert (figures["lost"], figures["twice"]) == (0, 0)
    assert figures["clock_jumps"] >= 2 or not library(), "the agent's clock was stepped"
