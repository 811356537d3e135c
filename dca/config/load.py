"""Read the config file: every problem at once, each with its line, its key and what is allowed."""

from __future__ import annotations

import os
import re
import socket
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dca.config.channel import ChannelConfig, read_channel
from dca.config.credentials import read_credentials
from dca.config.hub import ENDPOINTS, read_hub
from dca.config.kinds import Context, Step, nearest, type_name
from dca.config.lines import line_of, scan
from dca.config.paths import default_state_dir
from dca.config.policy import PolicyConfig
from dca.config.ranges import read_ranges
from dca.config.rules import read_policy
from dca.config.sections import ARRAYS, TABLES, AgentKeys
from dca.config.settings import AgentConfig, Config, HubConfig, LimitsConfig, LogConfig, ScheduleConfig
from dca.config.table import Place, Problems, keys_of, read_table
from dca.errors import ConfigError, ConfigProblem

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["load", "parse"]

_LARGEST = 4 * 1024 * 1024
_MOST_TABLES = 1000
_TOP = frozenset(name for name in (*TABLES, *ARRAYS) if "." not in name)
_AT_LINE = re.compile(r"\(at line (\d+), column \d+\)|\(at end of document\)")


def load(
    path: Path | str,
    *,
    environ: Mapping[str, str] = os.environ,
    follow: bool = True,
    over: Mapping[str, Any] | None = None,
) -> Config:
    """Read the config file at `path`. Raises ConfigError with everything that is wrong.

    Without `follow`, secrets are not looked up, which only the agent may be able to: each is empty. `over` holds
    values by their dotted keys that stand above those of the file.
    """
    file = Path(path)
    try:
        with file.open("rb") as stream:
            data = stream.read(_LARGEST + 1)
    except OSError as error:
        raise _whole(path, f"cannot be read: {error.strerror or type(error).__name__}") from error
    if len(data) > _LARGEST:
        raise _whole(path, f"is larger than {_LARGEST // 1024 // 1024} MiB, which no config is")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        message = "is not UTF-8 text; save it as UTF-8 (some editors and shells write UTF-16 or Latin-1)"
        # Not chained: the codec's error holds the whole file.
        raise ConfigError(str(path), [ConfigProblem("", message, line)]) from None
    return parse(text, path=str(path), environ=environ, follow=follow, over=over)


def parse(
    text: str,
    *,
    path: str = "<text>",
    environ: Mapping[str, str] = os.environ,
    follow: bool = True,
    over: Mapping[str, Any] | None = None,
) -> Config:
    """Read the text of a config file; `path` is named in errors, and relative paths start beside it.

    For `follow` and `over` see `load`. Raises ConfigError.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(path, [_syntax(error, text)]) from None
    except RecursionError:
        raise _whole(path, "is nested deeper than any config needs") from None
    for name, value in (over or {}).items():
        table, _, key = name.partition(".")
        if isinstance(document.setdefault(table, {}), dict):
            document[table][key] = value
    problems = Problems()
    context = Context(environ, Path(path).absolute().parent, follow)
    config = _read(document, Place((), problems, context, _homes()), path)
    if config is None:
        lines = scan(text)
        found = [ConfigProblem(_dotted(place), message, line_of(lines, place)) for place, message in problems.found]
        raise ConfigError(path, sorted(found, key=lambda problem: problem.line or 0))
    return config


def _read(document: dict[str, Any], top: Place, path: str) -> Config | None:
    for name, value in document.items():
        if name not in _TOP:
            top.fail(_unknown_table(name, value, top), name)
    hub = _hub(document, top)
    channel = _channel(document, top)
    agent = _table(AgentKeys, document, "agent", top)
    schedule = _table(ScheduleConfig, document, "schedule", top)
    limits = _table(LimitsConfig, document, "limits", top)
    log = _table(LogConfig, document, "log", top)
    credentials = read_credentials(_array(document, "credential", top), top.child("credential"))
    ranges = read_ranges(_array(document, "range", top), credentials, top.child("range"))
    policy = _policy(document, top)
    if top.problems.found:
        return None
    assert channel is not None
    assert agent is not None
    assert schedule is not None
    assert limits is not None
    assert log is not None
    return Config(
        agent=AgentConfig(
            state_dir=agent.state_dir or default_state_dir(top.context.environ),
            name=agent.name or socket.gethostname() or "agent",
        ),
        hub=hub,
        channel=channel,
        schedule=schedule,
        limits=limits,
        log=log,
        credentials={name: credential for name, credential in credentials.items() if credential is not None},
        ranges=ranges,
        policy=policy,
        path=path,
    )


def _hub(document: dict[str, Any], top: Place) -> HubConfig | None:
    if "hub" not in document or _is_doubled("hub", document, top):
        return None
    return read_hub(document["hub"], top.child("hub"))


def _policy(document: dict[str, Any], top: Place) -> PolicyConfig:
    if "policy" not in document or _is_doubled("policy", document, top):
        return PolicyConfig()
    table, place = document["policy"], top.child("policy")
    rules = _array(table, "rule", place) if isinstance(table, dict) else []
    ranges = document.get("range")
    found = [item.get("label") for item in ranges if isinstance(item, dict)] if isinstance(ranges, list) else []
    return read_policy(table, rules, [label for label in found if isinstance(label, str)], place)


def _channel(document: dict[str, Any], top: Place) -> ChannelConfig | None:
    return (
        None
        if _is_doubled("channel", document, top)
        else read_channel(document.get("channel", {}), top.child("channel"))
    )


def _table(section: type[Any], document: dict[str, Any], name: str, top: Place) -> Any:
    return None if _is_doubled(name, document, top) else read_table(section, document.get(name, {}), top.child(name))


def _is_doubled(name: str, document: dict[str, Any], top: Place) -> bool:
    if not isinstance(document.get(name), list):
        return False
    top.fail(f"is written [[{name}]]; there is one, so write [{name}]", name)
    return True


def _array(document: dict[str, Any], name: str, top: Place) -> list[Any]:
    tables = document.get(name, [])
    if isinstance(tables, list):
        if len(tables) > _MOST_TABLES:
            top.fail(f"stands there {len(tables)} times; allowed is up to {_MOST_TABLES}", name)
        return tables[:_MOST_TABLES]
    whole = _dotted((*top.path, name))
    several = f"[{whole}]; there can be several, so write [[{whole}]]"
    written = several if isinstance(tables, dict) else type_name(tables)
    top.fail(f"is {written}", name)
    return []


def _homes() -> dict[str, str]:
    """Map each key to a table that has it; a key of several tables to none."""
    homes: dict[str, str] = {}
    for name, section in TABLES.items():
        if name.removeprefix("hub.") not in ENDPOINTS:
            homes |= dict.fromkeys(keys_of(section), f"[{name}]")
    for name, section in ARRAYS.items():
        homes |= dict.fromkeys(keys_of(section), f"[[{name}]]")
    return homes


def _unknown_table(name: str, value: object, top: Place) -> str:
    home = top.homes.get(name)
    if home and not isinstance(value, dict | list):
        return f"is not known here; it belongs into {home}"
    near = nearest(name, sorted(_TOP))
    return f"is not known; meant {near}?" if near else f"is not known; known are {', '.join(sorted(_TOP))}"


def _syntax(error: tomllib.TOMLDecodeError, text: str) -> ConfigProblem:
    words = str(error)
    match = _AT_LINE.search(words)
    line = None if match is None else int(match[1]) if match[1] else max(1, len(text.splitlines()))
    hint = ""
    if "Unescaped" in words or "hex" in words.lower():
        hint = r": a Windows path goes between single quotes, 'C:\path'"
    return ConfigProblem("", f"is no TOML: {_AT_LINE.sub('', words).strip()}{hint}", line)


def _whole(path: Path | str, message: str) -> ConfigError:
    return ConfigError(str(path), [ConfigProblem("", message)])


def _dotted(place: tuple[Step, ...]) -> str:
    """Write a place as people count: ``range[2].include[1]`` is the second range's first entry."""
    text = ""
    for step in place:
        text += f"[{step + 1}]" if isinstance(step, int) else f"{'.' if text else ''}{step}"
    return text
