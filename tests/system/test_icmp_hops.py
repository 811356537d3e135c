"""Ping and trace across routers in namespaces: with a raw socket, as an ordinary user, and where neither is allowed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from peers import missing, need

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.fixture(scope="module")
def across():
    unshare = need("unshare", "util-linux")
    need("nsenter", "util-linux")
    need("ip", "iproute2")
    if os.geteuid() != 0:
        missing("network namespaces need root")

    def run(*words, group="1 0"):
        script = f'echo "{group}" >/proc/sys/net/ipv4/ping_group_range; exec "$@"'
        inner = ["sh", "-c", script, "sh", sys.executable, str(HERE / "way.py"), *words]
        ran = subprocess.run(
            [unshare, "-n", "bash", str(HERE / "hops.sh"), *inner],
            capture_output=True,
            text=True,
            timeout=40,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return json.loads(ran.stdout)

    return run


ROUTERS = {"10.77.3.2": ["10.77.1.2", "10.77.2.2", "10.77.3.2"], "fd77:3::2": ["fd77:1::2", "fd77:2::2", "fd77:3::2"]}


@pytest.mark.parametrize("address", ROUTERS)
@pytest.mark.parametrize("user", ["root", "nobody"])
def test_every_hop_is_named_with_either_kind_of_socket(across, address, user):
    found = across(address, group="1 0") if user == "root" else across(address, "drop", group="0 2147483647")
    assert found["raw"] is (user == "root")
    assert found["answered"] == 2
    assert [hop["routers"] for hop in found["hops"]] == [[router] for router in ROUTERS[address]]
    assert [hop["reached"] for hop in found["hops"]] == [False, False, True]
    assert all(len(hop["milliseconds"]) == 3 for hop in found["hops"])


def test_a_way_that_ends_at_a_router_is_said(across):
    found = across("10.77.9.9")
    assert found["answered"] == 0
    assert found["hops"][-1]["blocked"]
    assert found["hops"][-1]["routers"] == ["10.77.1.2"]


def test_who_may_neither_is_told_what_to_allow(across):
    found = across("10.77.3.2", "drop", group="1 0")
    assert "net.ipv4.ping_group_range" in found["refused"]
    assert "AmbientCapabilities=CAP_NET_RAW" in found["refused"]
