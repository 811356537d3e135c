"""What the agent remembers: one SQLite file, one connection, one thread."""

from __future__ import annotations

from dca.store.devices import forget_devices, load_devices, load_snapshots, save_devices, save_snapshot
from dca.store.files import holder, prepare
from dca.store.meta import add_meta, get_meta, set_meta
from dca.store.reading import read_only
from dca.store.store import Store

__all__ = [
    "Store",
    "add_meta",
    "forget_devices",
    "get_meta",
    "holder",
    "load_devices",
    "load_snapshots",
    "prepare",
    "read_only",
    "save_devices",
    "save_snapshot",
    "set_meta",
]
