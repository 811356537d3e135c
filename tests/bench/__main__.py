"""`python -m tests.bench [--quick] [--only NAME ...]`: measure, tell people on stderr, end with one JSON object."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bench import engine, fleet, lab_entries, recordings, sweeps
from tests.bench.bench import Bench, Entry
from tests.bench.shared_tools import SnmpBench
from tests.bench.sheet import FailedError, Sheet, SkippedError
from tests.bench.usage import wait_until_quiet

_PATIENCE = 30.0
"""Seconds that an entry waits for a quiet machine, without --quick."""
_SIDE_BY_SIDE = 3
ENTRIES: tuple[Entry, ...] = (
    *engine.ENTRIES,
    *sweeps.ENTRIES,
    *lab_entries.ENTRIES,
    *recordings.ENTRIES,
    *fleet.ENTRIES,
)


def _chosen(names: list[str]) -> list[Entry]:
    if not names:
        return list(ENTRIES)
    chosen = [entry for entry in ENTRIES if entry.name in names or set(names) & set(entry.figures)]
    known = {name for entry in chosen for name in (entry.name, *entry.figures)}
    unknown = sorted(set(names) - known)
    if unknown:
        listed = ", ".join(entry.name for entry in ENTRIES)
        sys.exit(f"no entry or figure is called {', '.join(unknown)}; entries: {listed}")
    return chosen


def _run(entries: list[Entry], bench: Bench, sheet: Sheet) -> None:
    """Run the entries one after the other; with `--quick` those that mostly wait or count side by side."""
    together = [entry for entry in entries if entry.alongside and bench.quick]
    for entry in entries:
        if entry not in together:
            if not bench.quick and not wait_until_quiet(_PATIENCE):
                sheet.tell("  the machine is busy with something else: times come out too long")
            _measure(entry, bench, sheet)
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        list(pool.map(lambda entry: _measure(entry, bench, sheet), reversed(together)))  # the longest first


def _measure(entry: Entry, bench: Bench, sheet: Sheet) -> None:
    start = time.monotonic()
    sheet.tell(f"{entry.name} ...")
    try:
        sheet.put(entry.run(bench))
    except SkippedError as missing:
        sheet.skip(entry.figures, str(missing))
    except FailedError as error:
        sheet.fail(entry.figures, str(error))
    except Exception as error:  # noqa: BLE001 - the other figures are still wanted
        sheet.fail(entry.figures, f"{type(error).__name__}: {error}")
    sheet.tell(f"  ({entry.name}: {time.monotonic() - start:.1f} s)")


def main() -> int:
    """Run the entries; 0 unless something that is there did not work. A missed bar is no failure: machines differ."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="all of it roughly, in under 50 s")
    parser.add_argument("--only", metavar="NAME", nargs="+", default=[], help="entries or figures")
    parser.add_argument("--list", action="store_true", help="name the entries and their figures")
    options = parser.parse_args()
    if options.list:
        for entry in ENTRIES:
            print(f"{entry.name}: {' '.join(entry.figures)}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sheet, start, load = Sheet(), time.monotonic(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="dca-bench-") as scratch:
        bench = Bench(options.quick, Path(scratch), SnmpBench(Path(scratch)))
        _run(_chosen(options.only), bench, sheet)
    sheet.tell("\n" + sheet.table())
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "load": [load, os.getloadavg()[0]]}
    how = {"quick": options.quick, "seconds": round(time.monotonic() - start, 1), "machine": machine}
    print(json.dumps({**sheet.document(), **how}), flush=True)
    return 1 if sheet.failed else 0


if __name__ == "__main__":
    sys.exit(main())
