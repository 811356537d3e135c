"""The declarations, written out: ``dca config example`` and the tables of docs/configuration.md."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

from dca.config.durations import Duration, duration_text
from dca.config.hub import ENDPOINTS
from dca.config.quiet import QuietHours
from dca.config.sections import ARRAYS, TABLES
from dca.config.table import keys_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dca.config.table import Key

__all__ = ["example", "reference"]

_WIDTH = 100
_HEAD = """\
# The config file of dca, with every key at its default. Prose begins with "# ", a key that is not in
# force with "#" alone: remove that "#" to set it, and the "#" before the [table] above it as well.
# `dca config check` says what is wrong with the file, all at once, with line and key.
# As it stands here, no address is contacted: there is no range.
"""
_OPEN = frozenset({"channel", "agent", "schedule", "limits", "log"})
"""Tables that change nothing while they are empty, so their headers need no "#"."""
_CREDENTIALS: tuple[dict[str, str], ...] = (
    {"name": '"office"', "community": '"public"'},
    {
        "name": '"secure"',
        "version": "",
        "user": "",
        "auth": "",
        "auth_password": "",
        "priv": "",
        "priv_password": "",
        "context": "",
    },
)
"""The two ways to write a credential: which keys, and their samples where they are not the declared ones."""


def example() -> str:
    """Return a config file that explains itself, parses, and contacts nothing."""
    parts = [_HEAD]
    for name, section in TABLES.items():
        if name == f"hub.{ENDPOINTS[0]}":
            others = ", ".join(f"[hub.{other}]" for other in ENDPOINTS[1:])
            parts.append(_table(f"[{name}]", section, also=f"The same for {others}."))
        elif not name.startswith("hub."):
            parts.append(_table(f"[{name}]", section, commented=name not in _OPEN))
    told: set[str] = set()
    for samples in _CREDENTIALS:
        parts.append(_table("[[credential]]", ARRAYS["credential"], samples=samples, told=told))
        told |= set(samples)
    parts += [_table(f"[[{name}]]", ARRAYS[name]) for name in ("range", "policy.rule")]
    return "\n".join(parts)


def _table(
    header: str,
    section: type[Any],
    *,
    commented: bool = True,
    also: str = "",
    samples: dict[str, str] | None = None,
    told: set[str] | frozenset[str] = frozenset(),
) -> str:
    """Write one table; `told` are keys that were explained before."""
    lines = [] if told else [*_prose(f"{_summary(section)} {also}".strip())]
    lines.append(f"#{header}" if commented else header)
    for name, entry in keys_of(section).items():
        if samples is not None and name not in samples:
            continue
        if name not in told:
            unit = f" Unit: {entry.unit}." if entry.unit not in entry.kind.allowed else ""
            lines += _prose(f"{entry.why} Allowed: {entry.kind.allowed}.{unit}{_absent(entry)}")
        lines.append(f"#{name} = {(samples or {}).get(name) or _sample(entry)}")
    return "\n".join(lines) + "\n"


def _absent(entry: Key) -> str:
    if entry.required:
        return " Needed."
    return f" If absent: {entry.otherwise}." if entry.otherwise else ""


def _prose(text: str) -> Iterator[str]:
    for line in textwrap.wrap(text, _WIDTH - 2, break_long_words=False, break_on_hyphens=False):
        yield f"# {line}"


def _summary(section: type[Any]) -> str:
    return " ".join((section.__doc__ or "").split("\n\n")[0].split()).replace("``", "`")


def _sample(entry: Key) -> str:
    return entry.sample or _toml(entry, entry.default)


def _toml(entry: Key, value: object) -> str:
    """Write a default as it would stand in the file."""
    if isinstance(entry.kind, Duration) and isinstance(value, float):
        return json.dumps(duration_text(value))
    if isinstance(value, QuietHours | tuple):
        return "[]"  # the lists that have a default are empty by default
    return json.dumps(value, ensure_ascii=False)


def reference() -> str:
    """Return the Markdown of every table and key."""
    parts: list[str] = []
    for name, section in TABLES.items():
        if name == f"hub.{ENDPOINTS[0]}":
            headers = ", ".join(f"`[hub.{endpoint}]`" for endpoint in ENDPOINTS)
            parts.append(_markdown(headers, section))
        elif not name.startswith("hub."):
            parts.append(_markdown(f"`[{name}]`", section))
    parts += [_markdown(f"`[[{name}]]`", section) for name, section in ARRAYS.items()]
    return "\n".join(parts)


def _markdown(header: str, section: type[Any]) -> str:
    lines = [
        f"### {header}",
        "",
        _summary(section),
        "",
        "| Key | Default | Unit | Allowed | What it is for |",
        "|---|---|---|---|---|",
    ]
    for name, entry in keys_of(section).items():
        default = "**needed**" if entry.required else entry.otherwise or f"`{_toml(entry, entry.default)}`"
        cells = (f"`{name}`", default, entry.unit or "-", entry.kind.allowed, entry.why)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
