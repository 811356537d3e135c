"""Simulated devices in a background thread, for tests and benchmarks."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dca.sim.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dca.sim.device import Device

__all__ = ["Fleet", "running"]


class Fleet:
    """Devices that are being served: where they are, and each by its address."""

    def __init__(self, server: Server) -> None:
        self._devices = {device.address: device for device in server.devices}
        self.port = server.port
        """UDP port of all of them."""

    @property
    def devices(self) -> list[Device]:
        """Return the devices in the order that they were given."""
        return list(self._devices.values())

    @property
    def addresses(self) -> list[str]:
        """Return their addresses."""
        return list(self._devices)

    def __getitem__(self, address: str) -> Device:
        return self._devices[address]

    @property
    def requests(self) -> int:
        """Return how many datagrams all of them received."""
        return sum(device.requests for device in self._devices.values())


@contextmanager
def running(
    devices: Iterable[Device], *, port: int = 0, delay: float = 0.0, loss: float = 0.0, seed: int = 1
) -> Iterator[Fleet]:
    """Serve the devices in a thread of this process while the block runs; see `Server` for the options.

    Raises:
        NotAllowedError: an address is not on loopback.
        OSError: an address cannot be bound.
    """
    server = Server(devices, port=port, delay=delay, loss=loss, seed=seed)
    thread = threading.Thread(target=server.serve, name="dca-sim", daemon=True)
    thread.start()
    try:
        yield Fleet(server)
    finally:
        server.stop()
        thread.join()
        server.close()
