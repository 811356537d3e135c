"""Simulated devices on loopback, known to a stand-in for the running agent that hands handlers their tools."""

from __future__ import annotations

import dataclasses
from contextlib import asynccontextmanager

import pytest

from dca.discovery.ranges import Ranges
from dca.discovery.registry import Registry
from dca.discovery.visit import visit
from dca.errors import TaskError
from dca.model import Credential, Range, Secret
from dca.printers.profiles import load_profiles
from dca.sim import Clock, Device, Habits, running
from dca.sim.load import load_models
from dca.snmp.client import SnmpClient
from dca.snmp.types import Peer
from dca.tasks.kind import Order, read_parameters
from dca.tasks.kinds import kinds

PUBLIC = Credential("public", "2c", Secret("public"))
WRITER = Credential("writer", "2c", Secret("very-private"))


class Hand:
    """A clock's source that stands until it is moved."""

    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        return self.seconds


class Site:
    """The tools of a handler, over real sockets on loopback."""

    def __init__(self, client, ranges, profiles):
        self.client, self.ranges, self.profiles = client, ranges, profiles
        self.registry = Registry([])
        self.known = None
        self.logged = []
        self.applied = {}
        self.said = []

    def wall(self):
        return 1_700_000_000.0

    def peer(self, known):
        place = self.ranges.range_of(known.address, known.port)
        if place is None:
            raise TaskError("no range holds it", "no_device")
        credential = next(item for item in place.credentials if item.name == known.credential)
        return Peer(known.address, known.port, credential, known.version), place

    async def read(self, known, kind):
        _, place = self.peer(known)
        visited = await visit(
            self.client, known.address, known.port, place.credentials, profiles=self.profiles, known=known, kind=kind
        )
        return visited.snapshot

    async def discover(self):
        return {"addresses": 9, "printers": 2, "refused": 0, "others": 1}

    def log_lines(self, count):
        return self.logged[-count:]

    async def apply_config(self, changes):
        self.applied.update(changes)
        return dict(changes)

    def order(self, kind, parameters="{}"):
        made = kinds()[kind]
        return Order("1", kind, read_parameters(made, parameters), self.known, "ann", "why", progress=self.said.append)

    async def run(self, kind, parameters="{}", **more):
        made = kinds()[kind]
        return await made.run(self.order(kind, parameters), self, **more)


@pytest.fixture
def site_of():
    """Return a maker of sites with one device: ``async with site_of("hp-mono") as (site, device, hand)``."""

    @asynccontextmanager
    async def make(model, *, address="127.25.0.1", credentials=(PUBLIC,), held=True, **settings):
        hand = Hand()
        device = Device(load_models()[model], Clock(1.0, hand), address=address, habits=Habits(), **settings)
        with running([device]) as fleet:
            place = Range("office", (f"{address}/32",), credentials=credentials, port=fleet.port)
            allowed = Ranges([place])
            async with SnmpClient(allowed=allowed.allows, timeout=0.2, retries=1) as client:
                site = Site(client, allowed, load_profiles())
                visited = await visit(client, address, fleet.port, credentials, profiles=site.profiles)
                site.known = visited.known
                if not held:
                    site.ranges = Ranges([dataclasses.replace(place, include=("127.99.0.1",))])
                yield site, device, hand

    return make
