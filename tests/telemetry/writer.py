"""Run by test_kill.py: put and forget rows as fast as it goes, and keep a journal of what was promised."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path

from dca.store import Store
from dca.telemetry import NewRow, Outbox, RowName, Weight


def line(word: str, names: list[RowName]) -> bytes:
    return " ".join([word, *(f"{name.epoch.hex()}:{name.number}" for name in names)]).encode() + b"\n"


async def main(state: Path, journal: Path) -> None:
    file = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    store = await Store.open(state)
    outbox = await Outbox.open(store)
    print("ready", flush=True)
    chance = random.Random()
    number = 0
    while True:
        count = chance.randint(1, 40)
        names = [RowName(outbox.epoch, number + turn + 1) for turn in range(count)]
        number += count
        os.write(file, line("begin", names))
        rows = [NewRow(1, chance.randbytes(chance.randint(0, 3000)), Weight.FULL) for _ in names]
        assert (await outbox.put(rows)).stored == count
        os.write(file, line("put", names))
        batch = await outbox.take(chance.randint(1, 30))
        gone = [row.name for row in batch.rows if chance.random() < 0.7]
        os.write(file, line("forget", gone))
        await outbox.acknowledge(gone)
        os.write(file, line("forgot", gone))


asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
