"""The simulator against net-snmp's own commands, and its command line as a process."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import pytest
from peers import need

from dca.sim import V3_USER, Clock, office, running

V3 = ["-v3", "-l", "authPriv", "-u", V3_USER.user, "-a", "SHA-256", "-x", "AES"]
V3 += ["-A", V3_USER.auth_password.reveal(), "-X", V3_USER.priv_password.reveal()]
ROOT, NAME = ".1.3.6.1", ".1.3.6.1.2.1.1.5.0"
DCA = [sys.executable, "-c", "from dca.cli import main; main()"]
HP, KYOCERA, BROTHER_V1, KONICA_V3 = 0, 1, 4, 7


@pytest.fixture(scope="module")
def served():
    with running(office(Clock())) as fleet:
        yield fleet


def run(command, where, served, *args):
    need(command, "snmp")
    call = [command, *args[:-1], "-On", "-t", "5", "-r", "0", f"{served.addresses[where]}:{served.port}", args[-1]]
    return subprocess.run(call, capture_output=True, text=True, errors="replace", timeout=50, check=False)


@pytest.mark.parametrize(
    ("command", "where", "how"),
    [
        ("snmpwalk", BROTHER_V1, ["-v1", "-c", "public"]),
        ("snmpwalk", HP, ["-v2c", "-c", "public"]),
        ("snmpbulkwalk", HP, ["-v2c", "-c", "public", "-Cr25"]),
        ("snmpbulkwalk", KYOCERA, ["-v2c", "-c", "public", "-Cr50"]),
        ("snmpbulkwalk", KONICA_V3, V3),
    ],
)
def test_net_snmp_walks_the_whole_tree(served, command, where, how):
    done = run(command, where, served, *how, ROOT)
    assert done.returncode == 0, done.stderr
    names = re.findall(r"^(\.1\.3\.[\d.]+) = (?!No more)", done.stdout, re.MULTILINE)
    arcs = [tuple(map(int, name[1:].split("."))) for name in names]
    assert len(arcs) > 150
    assert arcs == sorted(set(arcs))
    assert served.devices[where].identity.name in done.stdout


def test_net_snmp_understands_what_is_missing(served):
    done = run("snmpget", HP, served, "-v2c", "-c", "public", f"{NAME}.1")
    assert "No Such Instance" in done.stdout or "No Such Object" in done.stdout
    done = run("snmpget", BROTHER_V1, served, "-v1", "-c", "public", ".1.3.6.1.2.1.99.1.0")
    assert "noSuchName" in done.stderr


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"-u": "nobody"}, "Unknown user name"),
        ({"-A": "another-password"}, "Authentication failure"),
        ({"-X": "another-password"}, "Decryption error"),
        ({"-l": "authNoPriv"}, "authorizationError"),
    ],
)
def test_net_snmp_is_told_why_not(served, changes, words):
    how = list(V3)
    for option, value in changes.items():
        how[how.index(option) + 1] = value
    done = run("snmpget", KONICA_V3, served, *how, NAME)
    assert done.returncode != 0
    assert words in done.stderr


def test_net_snmp_hears_nothing_where_nothing_is_said(served):
    need("snmpget", "snmp")
    for where, how in (
        (HP, ["-v2c", "-c", "private"]),
        (BROTHER_V1, ["-v2c", "-c", "public"]),
        (KONICA_V3, ["-v1", "-c", "public"]),
    ):
        call = ["snmpget", *how, "-t", "0.2", "-r", "0", f"{served.addresses[where]}:{served.port}", NAME]
        done = subprocess.run(call, capture_output=True, text=True, timeout=30, check=False)
        assert "Timeout" in done.stderr


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT, None])
def test_the_command_says_when_it_is_ready_and_stops_when_told(end):
    call = [*DCA, "sim", "office", "--port", "0", "--address", "127.25.0.1", "--count", "3"]
    call += [] if end else ["--seconds", "0.2"]
    with subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert re.match(r"ready: 3 devices on 127\.25\.0\.1 to 127\.25\.0\.3, UDP port \d+", process.stdout.readline())
        if end:
            process.send_signal(end)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert out.startswith("stopped: 0 requests")
    assert err == ""


def test_the_command_refuses_an_address_that_others_could_reach():
    call = [*DCA, "sim", "fleet", "--first", "192.0.2.1", "--count", "1"]
    done = subprocess.run(call, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "192.0.2.1 is no loopback address" in done.stderr
