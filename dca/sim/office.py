"""Ready-made sets of devices: an office of 25 of all makes, and a fleet of any size."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dca.model import AuthProtocol, Credential, PrivProtocol, Secret
from dca.sim.device import Device
from dca.sim.habits import Habits
from dca.sim.load import load_models

if TYPE_CHECKING:
    from dca.sim.clock import Clock

__all__ = ["OFFICE_SIZE", "V3_USER", "fleet", "office"]

V3_USER = Credential(
    name="office-v3",
    version="3",
    user="monitor",
    auth=AuthProtocol.SHA256,
    auth_password=Secret("simulated-auth-1"),
    priv=PrivProtocol.AES128,
    priv_password=Secret("simulated-priv-1"),
)
"""The user of the office's device that speaks only v3, and of every device of a fleet made with ``v3=True``."""

_HOUR = 3600.0


@dataclass(frozen=True)
class _Place:
    model: str
    location: str
    pace: float = 1.0
    """Times the usual number of jobs."""
    left: dict[int, float] = field(default_factory=dict)
    """What is left of a supply at the start, where it matters to the picture."""
    v3_only: bool = False
    cover: tuple[float, float] | None = None
    sleep: tuple[float, float] | None = None


_OFFICE = (
    _Place("hp-color-mfp", "Ground floor, reception", 1.4, {1: 0.06, 3: 0.42}),
    _Place("kyocera-taskalfa", "1st floor, print room", 2.0, {1: 0.61, 2: 0.34, 3: 0.88, 4: 0.17}),
    _Place("hp-mono", "1st floor, accounting", 1.0, {1: 0.56}),
    _Place("epson-color-mfp", "1st floor, marketing", 1.2, {2: 0.23, 5: 0.31}),
    _Place("brother-mono", "Ground floor, goods in", 0.8),
    _Place("canon-color-mfp", "2nd floor, corridor", 1.8, {1: 0.48, 4: 0.12}),
    _Place("ricoh-color-mfp", "3rd floor, Shanghai desk", 1.1, {1: 0.72, 3: 0.27}),
    _Place("konica-color-mfp", "2nd floor, legal", 1.3, v3_only=True),
    _Place("xerox-color-mfp", "3rd floor, planning", 1.2, {2: 0.64, 4: 0.15}),
    _Place("lexmark-mono", "Warehouse, packing", 1.5, {1: 0.02}),
    _Place("oki-color", "2nd floor, design", 0.9, cover=(2 * _HOUR, 0.9 * _HOUR)),
    _Place("samsung-mono", "2nd floor, help desk", 0.9, {1: 0.38}),
    _Place("sharp-color-mfp", "3rd floor, corridor", 1.6, {4: 0.66}),
    _Place("zebra-label", "Warehouse, dispatch", 2.0),
    _Place("kyocera-ecosys", "Ground floor, works office", 1.0, {1: 0.45}),
    _Place("hp-mono", "3rd floor, board room", 0.3, sleep=(3 * _HOUR, 2.5 * _HOUR)),
    _Place("brother-color", "1st floor, personnel", 0.8),
    _Place("epson-office", "1st floor, mail room", 2.5, {1: 0.41, 3: 0.18}),
    _Place("lexmark-color-mfp", "2nd floor, sales", 1.2, {2: 0.53, 5: 0.22}),
    _Place("canon-lbp", "Ground floor, porter", 0.4),
    _Place("switch", "Ground floor, rack"),
    _Place("xerox-mono", "3rd floor, archive", 0.5, {1: 0.11}),
    _Place("kyocera-ecosys-mfp", "2nd floor, purchasing", 1.1, {1: 0.29, 4: 0.75}),
    _Place("ricoh-mono", "Warehouse, returns", 0.7, {1: 0.33}),
    _Place("epson-tank", "1st floor, sick bay", 0.3),
)
OFFICE_SIZE = len(_OFFICE)

_FLEET = tuple(key for key in dict.fromkeys(place.model for place in _OFFICE) if key != "switch")


def office(
    clock: Clock,
    *,
    first: str = "127.20.0.1",
    count: int = OFFICE_SIZE,
    seed: int = 1,
    write_community: str = "",
) -> list[Device]:
    """Return the office's devices on consecutive addresses from `first`; more than 25 begin anew.

    One of them sleeps, one speaks only v3 (`V3_USER`), one only v1, one is a switch, and on one a cover is left
    open now and then. With `write_community` each can be set with it, and by `V3_USER` over v3.
    """
    models = load_models()
    start = ipaddress.ip_address(first)
    devices = []
    for number in range(count):
        place = _OFFICE[number % OFFICE_SIZE]
        usual = Habits()
        device = Device(
            models[place.model],
            clock,
            address=str(start + number),
            left=place.left,
            number=number + 1,
            seed=seed,
            habits=Habits(
                jobs_per_hour=usual.jobs_per_hour * place.pace,
                cover=place.cover,
                sleep=place.sleep,
                wake_delay=1.5 if place.sleep else 0.0,
            ),
            users=(V3_USER,) if place.v3_only else (),
            versions=("3",) if place.v3_only else None,
            location=place.location,
            write_community=write_community,
            writers=(V3_USER.user,) if write_community else (),
        )
        devices.append(device)
    return devices


def fleet(
    clock: Clock,
    *,
    count: int,
    first: str = "127.21.0.1",
    seed: int = 1,
    v3: bool = False,
    write_community: str = "",
) -> list[Device]:
    """Return `count` printers of all models, in turn, on consecutive addresses from `first`.

    With `v3` each of them speaks only SNMPv3, to `V3_USER`; otherwise each speaks what its model does. With
    `write_community` each can be set with it, and by `V3_USER` over v3.
    """
    models = load_models()
    start = ipaddress.ip_address(first)
    return [
        Device(
            models[_FLEET[number % len(_FLEET)]],
            clock,
            address=str(start + number),
            number=number + 1,
            seed=seed,
            users=(V3_USER,) if v3 else (),
            versions=("3",) if v3 else None,
            location=f"Site {number // 100 + 1}, room {number % 100 + 1}",
            write_community=write_community,
            writers=(V3_USER.user,) if write_community else (),
        )
        for number in range(count)
    ]
