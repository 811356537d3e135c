"""Run by test_full_disk.py: fill a disk (or reach a size limit) under an outbox, deliver, and free it again."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from dca.store import Store
from dca.telemetry import NewRow, Outbox, Weight


def rows(count: int) -> list[NewRow]:
    return [NewRow(1, bytes([number % 256]) * 1000, Weight.FULL) for number in range(count)]


class Limit:
    """The largest file that this process may write."""

    def take(self) -> None:
        import resource  # noqa: PLC0415 - Unix only

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        self.before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, self.before[1]))

    def free(self) -> None:
        import resource  # noqa: PLC0415 - as above

        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)


class Ballast:
    """A file that takes what is left of the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def take(self) -> None:
        with self.path.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass

    def free(self) -> None:
        self.path.unlink()


async def main(directory: Path, how: str) -> None:
    store = await Store.open(directory, cap_bytes=64 << 20)
    outbox = await Outbox.open(store)
    for _ in range(5):
        assert (await outbox.put(rows(100))).stored == 100
    full = Limit() if how == "limit" else Ballast(directory.parent / "ballast")
    full.take()
    waiting = 0
    for _ in range(30):
        put = await outbox.put(rows(100))
        waiting = put.waiting
        assert put.dropped == 0
    assert waiting > 0
    batch = await outbox.take(300)
    assert len(batch.rows) == 300
    assert await outbox.acknowledge([row.name for row in batch.rows]) == 300
    again = await outbox.take(1)
    assert again.rows[0].name not in {row.name for row in batch.rows}
    full.free()
    assert (await outbox.put([])).waiting == 0
    await outbox.acknowledge([])
    figures = await outbox.figures()
    assert (figures.depth, figures.rows_written, figures.rows_acknowledged) == (3200, 3500, 300), figures
    await outbox.close()
    await store.close()
    print("ok")


asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
