"""A device of the registry as a person names it: by address, id, serial, MAC or host name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dca.cli.render import plain
from dca.errors import DcaError
from dca.net.addresses import address_text, locate
from dca.store import load_devices, read_only

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dca.model import Known

__all__ = ["device_text", "find_device", "known_devices"]


def known_devices(state_dir: Path) -> list[Known]:
    """Return the devices that the agent knows. Raises StoreError."""
    with read_only(state_dir) as connection:
        return load_devices(connection)


def find_device(knowns: Sequence[Known], text: str) -> Known | None:
    """Return the device that is meant, None if there is none. Raises DcaError when there are several."""
    located = locate(text)
    wanted = address_text(*located) if located else text.strip().casefold()
    found = [known for known in knowns if wanted in _names_of(known)]
    if len(found) > 1:
        several = "".join(f"\n{known.device_id}: {device_text(known)}" for known in found)
        raise DcaError(f"{plain(text)} names {len(found)} devices; say which one by its id:{several}")
    return found[0] if found else None


def device_text(known: Known) -> str:
    """Say in one line which device it is."""
    made = plain(" ".join(filter(None, (known.manufacturer, known.model))))
    return f"{plain(known.address)} ({made})" if made else plain(known.address)


def _names_of(known: Known) -> set[str]:
    names = (known.device_id, known.serial, known.mac, known.name)
    return {name.casefold() for name in names if name} | {known.address}
