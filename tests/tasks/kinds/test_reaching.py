"""`ping`, `trace` and `ports`: only a device that a range holds, and never a port that prints."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from types import SimpleNamespace

import pytest

from dca.errors import TaskError
from dca.net import icmp, ports

raw_or_dgram = pytest.mark.skipif(
    os.name == "nt" or (os.geteuid() != 0), reason="this user may not send ICMP, which tests/system shows"
)


@raw_or_dgram
async def test_ping_counts_and_times(site_of):
    async with site_of("hp-mono") as (site, _, _):
        told = await site.run("ping", '{"count": 3, "size": 200, "interval": 0.2}')
    assert (told["sent"], told["received"], told["said"]) == (3, 3, [])
    assert 0 < told["least_ms"] <= told["mean_ms"] <= told["most_ms"]
    assert [text.partition(":")[0] for text in site.said] == ["1 of 3", "2 of 3", "3 of 3"]


@raw_or_dgram
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="traced on Linux only")
async def test_trace_says_the_hops(site_of):
    async with site_of("hp-mono") as (site, _, _):
        told = await site.run("trace")
    assert told["reached"] is True
    assert told["silent"] == []
    assert [hop["routers"] for hop in told["hops"]] == [["127.25.0.1"]]


@pytest.mark.parametrize("kind", ["ping", "trace"])
async def test_who_may_not_is_told_what_to_allow(site_of, monkeypatch, kind):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    async with site_of("hp-mono") as (site, _, _):
        monkeypatch.setattr(icmp, "socket", SimpleNamespace(**{**vars(socket), "socket": refuse}))
        with pytest.raises(TaskError, match=r"net\.ipv4\.ping_group_range.*CAP_NET_RAW") as told:
            await site.run(kind)
    assert told.value.code == "not_permitted"


async def test_other_systems_are_told_that_trace_is_for_linux(site_of, monkeypatch):
    async with site_of("hp-mono") as (site, _, _):
        monkeypatch.setattr("dca.net.trace.sys", SimpleNamespace(platform="win32"))
        monkeypatch.setattr("dca.tasks.kinds.trace.IcmpSocket", lambda _: contextlib.nullcontext(None))
        with pytest.raises(TaskError, match="on Linux only") as told:
            await site.run("trace")
    assert told.value.code == "unsupported"


async def test_ports_tell_open_from_closed_and_send_nothing(site_of, monkeypatch):
    async with site_of("hp-mono", address="127.25.0.9") as (site, _, _):
        with socket.create_server(("127.25.0.9", 0)) as listener:
            port = listener.getsockname()[1]
            known = {port: "IPP", 23: "Telnet"}
            monkeypatch.setattr("dca.net.ports.KNOWN", known)
            monkeypatch.setattr("dca.tasks.kinds.ports.KNOWN", known)
            told = await site.run("ports")
            listener.settimeout(5)
            link, _ = listener.accept()
            with link:
                link.settimeout(5)
                assert link.recv(10) == b""
    states = {door["port"]: door["state"] for door in told["ports"]}
    assert states == {port: "open", 23: "closed"}
    assert sorted(site.said) == sorted([f"port {port}: open", "port 23: closed"])


@pytest.mark.parametrize("port", range(9100, 9108))
async def test_a_port_that_prints_is_never_connected_to(site_of, port):
    async with site_of("hp-mono") as (site, _, _):
        with pytest.raises(TaskError, match="raw printing") as told:
            site.order("ports", f'{{"ports": [80, {port}]}}')
    assert told.value.code == "bad_parameters"


@pytest.mark.parametrize(
    ("kind", "parameters", "words"),
    [
        ("ports", '{"ports": [2500]}', "none of the ports that are tried"),
        ("ports", '{"ports": ["80"]}', "not of its type"),
        ("ping", '{"count": 21}', "1 to 20"),
        ("ping", '{"size": 65000}', "16 to 1400 octets"),
        ("ping", '{"interval": 0.01}', "0.2 to 10.0 s"),
        ("trace", '{"hops": 31}', "1 to 30"),
    ],
)
async def test_bounds_are_told_in_words(site_of, kind, parameters, words):
    async with site_of("hp-mono") as (site, _, _):
        with pytest.raises(TaskError, match=words):
            site.order(kind, parameters)


@pytest.mark.parametrize("kind", ["ping", "trace", "ports"])
async def test_a_device_outside_the_ranges_is_not_contacted(site_of, monkeypatch, kind):
    async with site_of("hp-mono", held=False) as (site, _, _):
        monkeypatch.setattr(icmp, "socket", None)
        monkeypatch.setattr(ports, "socket", None)
        with pytest.raises(TaskError, match="nothing was sent") as told:
            await site.run(kind)
        assert told.value.code == "no_device"
        site.known = None
        with pytest.raises(TaskError, match="names none"):
            await site.run(kind)
