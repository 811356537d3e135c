from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="prctl(2) is Linux's")

HOLDER = """
import ctypes, os, resource, sys
from dca.service.sealed import seal_memory
resource.setrlimit(resource.RLIMIT_CORE, (4096, 4096))
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # as it is without a change of user
if sys.argv[1] == "sealed":
    seal_memory()
print(os.getpid(), *resource.getrlimit(resource.RLIMIT_CORE), flush=True)
sys.stdin.read()
"""
READER = """
import os, sys
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
for name in ("mem", "environ", "maps"):
    try:
        with open(f"/proc/{sys.argv[1]}/{name}", "rb") as file:
            if name != "mem":
                file.read(1)
        print(name)
    except PermissionError:
        pass
"""
ROOT = Path(__file__).resolve().parents[2]


def readable(how: str) -> tuple[set[str], list[int]]:
    """What another process of the same user reads of a holder of secrets, and its limits of core files."""
    command = [sys.executable, "-c", HOLDER, how]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        pid, *limits = map(int, holder.stdout.readline().split())
        done = subprocess.run([sys.executable, "-c", READER, str(pid)], capture_output=True, text=True, check=True)
        holder.communicate()
    return set(done.stdout.split()), limits


def test_another_process_of_the_same_user_reads_nothing() -> None:
    assert readable("open") == ({"mem", "environ", "maps"}, [4096, 4096])
    assert readable("sealed") == (set(), [0, 0])
