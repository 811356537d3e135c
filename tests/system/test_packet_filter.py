"""A packet filter in a namespace of its own counts what `dca scan` sends: to the ranges, and nowhere else."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from peers import missing, need

SCRIPT = r"""
set -eu
ip link set lo up
ip addr add 10.9.0.254/32 dev lo
ip route add 10.9.0.0/16 dev lo src 10.9.0.254
ip -6 addr add fd00:9::fe/128 dev lo nodad
ip -6 route add fd00:9::/64 dev lo
nft -f - <<'N'
add table inet t
add counter inet t rightful
add counter inet t other
add set inet t four { type ipv4_addr; flags interval; }
add element inet t four { 10.9.1.1-10.9.1.6, 10.9.1.9-10.9.1.62, 10.9.7.7 }
add set inet t six { type ipv6_addr; }
add element inet t six { fd00:9::1, fd00:9::2 }
add chain inet t o { type filter hook output priority 0; }
add rule inet t o ip daddr @four udp dport 161 counter name rightful accept
add rule inet t o ip6 daddr @six udp dport 161 counter name rightful accept
add rule inet t o meta skuid 0-4294967294 counter name other
N
"$@" || code=$?
echo "exit ${code:-0}"
nft list counters
"""
CONFIG = """
[[credential]]
name = "public"
community = "public"

[[range]]
label = "office"
include = ["10.9.1.0/26", "10.9.7.7", "fd00:9::1-fd00:9::2"]
exclude = ["10.9.1.7-10.9.1.8"]
credentials = ["public"]
"""


@pytest.fixture(scope="module")
def in_namespace():
    unshare, _ = need("unshare", "util-linux"), need("nft", "nftables")
    need("ip", "iproute2")
    if os.geteuid() != 0:
        missing("a network namespace with a packet filter needs root")
    return [unshare, "-n", "bash", "-c", SCRIPT, "bash"]


def test_a_scan_sends_to_the_ranges_and_nowhere_else(in_namespace, tmp_path):
    config = tmp_path / "dca.toml"
    config.write_text(CONFIG)
    scan = [sys.executable, "-m", "dca", "scan", "--config", str(config), "--timeout", "0.3", "--json"]
    ran = subprocess.run([*in_namespace, *scan], capture_output=True, text=True, timeout=50, check=False)
    assert "exit 3" in ran.stdout, ran.stdout + ran.stderr
    counted = dict(re.findall(r"counter (\w+) \{\s+packets (\d+)", ran.stdout))
    addresses = 6 + 54 + 1 + 2
    assert counted == {"rightful": str(2 * addresses), "other": "0"}, ran.stdout + ran.stderr
