"""``dca config``: check a config file, or print an example of one."""

from __future__ import annotations

import asyncio
from pathlib import Path  # noqa: TC003 - typer reads the annotation at run time
from typing import TYPE_CHECKING, Annotated

import typer

from dca.cli.render import counted, plain
from dca.config import ChannelConfig, Config, HubConfig, default_path, example, load
from dca.discovery.ranges import Ranges, ResolvedRange
from dca.net.dns import Answer
from dca.tasks.policy import Policy
from dca.tasks.policy import check as check_policy

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["app"]

MQTTS = 8883

app = typer.Typer(
    name="config",
    help="Check a config file, or print an example.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def check(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="The usual place if absent.")] = None,
) -> None:
    """Read a config file and say what it comes to, or everything that is wrong with it.

    Secrets are looked up, nothing is contacted. Exit codes: 0 it can be used, 2 it cannot.
    """
    path = file or default_path()
    config = load(path)
    check_policy(config)
    print(f"{plain(str(path), 500)} can be used.")
    for line in _summary(config):
        print(f"  {plain(line, 500)}")


@app.command("example")
def show_example() -> None:
    """Print a config file that explains every key and contacts nothing."""
    print(example(), end="")


def _summary(config: Config) -> Iterator[str]:
    if config.hub is None:
        yield "no hub: `dca run` needs the [hub] table"
    else:
        yield from _hub(config.hub, config.channel)
    yield _policy(config)
    ranges = Ranges(config.ranges)
    closed = ranges.warnings if ranges.closed else ()
    asyncio.run(ranges.resolve(_not_asked))
    for found in ranges.resolved:
        yield _range(found, len(ranges.names_of(found.range)))
    yield f"ranges together: {counted(ranges.count, 'address')} to sweep" if config.ranges else "no range"
    for warning in (*closed, *ranges.warnings):
        yield f"note: {warning}"


def _policy(config: Config) -> str:
    policy = Policy(config)
    if policy.closed:
        return f"policy: everything is denied: {policy.closed}"
    kinds: dict[str, list[str]] = {}
    for kind, word in policy.summary().items():
        kinds.setdefault(word, []).append(kind)
    order = {"allow": "allow", "ask": "ask", "deny": "deny", "rules": "by rules"}
    return "policy: " + "; ".join(f"{order[word]} {', '.join(kinds[word])}" for word in order if word in kinds)


async def _not_asked(name: str) -> Answer:
    """Stand in for a resolver: a check sends nothing, so names count as none."""
    return Answer(failure=f"{name}: not asked", unknown=True)


def _hub(hub: HubConfig, channel: ChannelConfig) -> Iterator[str]:
    yield f"hub gRPC: {hub.grpc}{', plain text' if hub.grpc_plaintext else ''}"
    yield f"hub MQTT: {_mqtt(hub, channel)}"
    yield f"hub SSH: {hub.ssh}, else {hub.ssh_fallback}"
    yield f"hub downloads: {hub.downloads}"
    if hub.proxy is None:
        return
    endpoints = {"gRPC": hub.grpc, "MQTT": hub.mqtt, "SSH": hub.ssh, "downloads": hub.downloads}
    direct = [name for name, endpoint in endpoints.items() if hub.proxy_for(endpoint) is None]
    except_for = f", not for {', '.join(direct)}" if direct else ""
    yield f"proxy: {hub.proxy}{except_for}"


def _mqtt(hub: HubConfig, channel: ChannelConfig) -> str:
    if not channel.enabled:
        return "off, tasks come with each delivery"
    if channel.fallback_port == 0:
        return str(hub.mqtt)
    if channel.fallback_port is None and channel.kind == "hub":
        return f"{hub.mqtt}, else the port that the hub names"
    return f"{hub.mqtt}, else port {channel.fallback_port or MQTTS}"


def _range(found: ResolvedRange, names: int) -> str:
    title = f'range "{found.label}"'
    if not found.range.enabled:
        return f"{title}: off"
    amount = counted(found.count, "address")
    hosts = f", {counted(names, 'host name')}" if names else ""
    credentials = ", ".join(credential.name for credential in found.credentials)
    return f"{title}: {amount}{hosts}, port {found.port}, credentials {credentials}"
