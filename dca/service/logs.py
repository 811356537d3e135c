"""Logging: one line per change of state, as text or JSON lines, and never a secret in it."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING, Literal, TextIO

from dca.service.masks import Masks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["MASKS", "JsonFormatter", "Recent", "StateLog", "TextFormatter", "duration", "recent", "setup_logging"]

MASKS = Masks()
"""The process's masks: whoever learns a secret or a serial number registers it here."""

HANDLER = "dca"
RECENT = "dca recent"
RECENT_LINES = 2000
FILE_BYTES = 10_000_000
FILES_KEPT = 5
# Syslog priorities as the journal reads them from the start of a line (sd-daemon(3)).
PRIORITY = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
# What a device or a file could put into a line to forge another or to drive a terminal.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if code not in {0x09, 0x0A}}
_CONTROLS |= {
    code: f"\\u{code:04x}" for code in (*range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2066, 0x206A))
}


class TextFormatter(logging.Formatter):
    """``2026-01-31T12:00:00Z WARNING delivery: ...``; for the journal a priority instead of time and level."""

    def __init__(self, masks: Masks, *, journal: bool = False) -> None:
        super().__init__("%(message)s")
        self._masks = masks
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        """Return one line; a traceback follows indented, so that nothing in it can pose as a line of its own."""
        text = self._masks.clean(super().format(record)).translate(_CONTROLS).replace("\n", "\n    ")
        name = record.name.removeprefix("dca.")
        if self._journal:
            return f"<{PRIORITY.get(record.levelno, 6)}>{name}: {text}"
        return f"{_utc(record.created)} {record.levelname:7} {name}: {text}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and error for a traceback."""

    def __init__(self, masks: Masks) -> None:
        super().__init__()
        self._masks = masks

    def format(self, record: logging.LogRecord) -> str:
        """Return one line of ASCII JSON."""
        fields = {
            "time": _utc(record.created),
            "level": record.levelname.lower(),
            "logger": record.name.removeprefix("dca."),
            "message": self._masks.clean(record.getMessage()),
        }
        if record.exc_info:
            fields["error"] = self._masks.clean(self.formatException(record.exc_info))
        return json.dumps(fields)


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Recent(logging.Handler):
    """Keeps the last lines of the log in memory, as the text format has them, for the hub's support."""

    def __init__(self, masks: Masks, lines: int = RECENT_LINES) -> None:
        super().__init__()
        self._masks = masks
        self._kept: deque[str] = deque(maxlen=lines)
        self.setFormatter(TextFormatter(masks))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self._kept.append(self.format(record))

    def last(self, count: int) -> list[str]:
        """Return the last so many lines, oldest first; a secret that is known by now shows in none."""
        return [self._masks.clean(line) for line in list(self._kept)[-count:]] if count > 0 else []


def recent() -> Recent | None:
    """Return what keeps the last lines of this process's log, None before `setup_logging`."""
    return next((handler for handler in logging.getLogger().handlers if isinstance(handler, Recent)), None)


def setup_logging(
    level: str = "info",
    form: Literal["text", "json"] = "text",
    file: Path | None = None,
    *,
    masks: Masks = MASKS,
    stream: TextIO | None = None,
) -> None:
    """Send every log line of the process to `file` (rotated at 10 MB, five kept) or to stderr.

    Called again it replaces what the last call set, so a reload can change it.
    Raises OSError when the file cannot be opened.
    """
    handler: logging.Handler
    if file is not None:
        handler = RotatingFileHandler(file, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8", delay=False)
    else:
        handler = logging.StreamHandler(stream or sys.stderr)
    journal = file is None and stream is None and _is_journal()
    handler.setFormatter(JsonFormatter(masks) if form == "json" else TextFormatter(masks, journal=journal))
    root = logging.getLogger()
    for old in [old for old in root.handlers if old.name == HANDLER]:
        root.removeHandler(old)
        old.close()
    handler.name = HANDLER
    root.addHandler(handler)
    if recent() is None:
        kept = Recent(masks)
        kept.name = RECENT
        root.addHandler(kept)
    root.setLevel(level.upper())
    # Their own lines say what ours say already (each job run, each connection attempt).
    for name in ("apscheduler", "grpc", "asyncio"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(capture=True)
    # A line that cannot be written (disk full) is lost; the agent goes on.
    logging.raiseExceptions = False


def _is_journal() -> bool:
    """Tell whether stderr is the journal's stream (systemd.exec(5), JOURNAL_STREAM)."""
    try:
        where = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return os.environ.get("JOURNAL_STREAM", "") == f"{where.st_dev}:{where.st_ino}"


@dataclass
class _State:
    name: str
    since: float


class StateLog:
    """Log the changes of states, not each repetition: `usual` is not even said at first sight."""

    def __init__(
        self, logger: logging.Logger, *, usual: str = "ok", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._logger = logger
        self._usual = usual
        self._clock = clock
        self._states: dict[str, _State] = {}

    def note(self, key: str, state: str, level: int, message: str, *args: object) -> bool:
        """Log the message if `key` was in another state before; return whether it was."""
        now = self._clock()
        last = self._states.get(key)
        if last is not None and last.name == state:
            return False
        self._states[key] = _State(state, now)
        if last is None and state == self._usual:
            return False
        after = f" (after {duration(now - last.since)})" if last is not None and last.name != self._usual else ""
        self._logger.log(level, "%s%s", message % args, after)
        return True

    def forget(self, key: str) -> None:
        """Drop what is known about `key`."""
        self._states.pop(key, None)


def duration(seconds: float) -> str:
    """Say a time span in words: ``42 s``, ``7 min``, ``3 h``, ``5 days``."""
    for limit, unit, size in ((120, "s", 1), (7200, "min", 60), (172_800, "h", 3600)):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86_400:.0f} days"
