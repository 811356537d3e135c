"""`dca sim --write-community --journal` and net-snmp's own snmpset: what is set is in the journal, once."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys

import pytest
from peers import need

DCA = [sys.executable, "-c", "from dca.cli import main; main()"]
RESET = "1.3.6.1.2.1.43.5.1.1.3.1"


@pytest.fixture
def office(tmp_path):
    """Return (how to address it, its journal)."""
    need("snmpset", "snmp")
    journal = tmp_path / "journal"
    options = ["--count", "1", "--port", "0", "--write-community", "write-me", "--journal", str(journal)]
    with subprocess.Popen([*DCA, "sim", "office", *options], stdout=subprocess.PIPE, text=True) as process:
        try:
            port = re.search(r"port (\d+)", process.stdout.readline())[1]
            yield f"127.20.0.1:{port}", journal
        finally:
            process.send_signal(signal.SIGTERM)
            process.stdout.read()
            assert process.wait(20) == 0


def assign(where, version, community, value):
    call = ["snmpset", version, "-c", community, "-t", "5", "-r", "0", where, RESET, "i", value]
    return subprocess.run(call, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("version", ["-v1", "-v2c"])
def test_snmpset_restarts_a_device_and_the_journal_has_it_once(office, version):
    where, journal = office
    refused = assign(where, version, "public", "4")
    assert ("noSuchName" if version == "-v1" else "noAccess") in refused.stderr
    assert "wrong" in assign(where, "-v2c", "write-me", "77").stderr.lower()
    assert journal.read_text() == ""
    done = assign(where, version, "write-me", "4")
    assert done.returncode == 0, done.stderr
    (line,) = map(json.loads, journal.read_text().splitlines())
    assert line.pop("time") > 1_700_000_000
    assert line == {"address": "127.20.0.1", "oid": RESET, "value": 4}
