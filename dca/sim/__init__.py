"""Simulated SNMP printers for the demo, the tests and the benchmarks, on loopback only.

    with running(office(Clock(speed=60))) as fleet:
        ...  # ask fleet.addresses at fleet.port
        fleet["127.20.0.3"].state.counts.total

A `Model` (data in `models/`) gives the MIB tree that its devices share; a `Device` adds identity and state; its
state follows an injected `Clock`, so that a test moves time by hand and a demo makes it run.
"""

from __future__ import annotations

from dca.sim.clock import Clock
from dca.sim.device import Device
from dca.sim.habits import Habits
from dca.sim.journal import Journal
from dca.sim.load import load_models
from dca.sim.office import OFFICE_SIZE, V3_USER, fleet, office
from dca.sim.running import Fleet, running
from dca.sim.server import Server
from dca.sim.spec import Model

__all__ = [
    "OFFICE_SIZE",
    "V3_USER",
    "Clock",
    "Device",
    "Fleet",
    "Habits",
    "Journal",
    "Model",
    "Server",
    "fleet",
    "load_models",
    "office",
    "running",
]
