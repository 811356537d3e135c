"""Known devices read as the agent reads them, in a process of its own: `python -m tests.bench.visits NAME JSON`."""

from __future__ import annotations

import asyncio
import json
import sys

from dca.discovery.ranges import Ranges
from dca.discovery.visit import Visit, visit
from dca.model import Credential, Range, Secret
from dca.printers.profiles import load_profiles
from dca.snmp.client import SnmpClient
from dca.wire.snapshot_pb2 import READ_KIND_FULL, READ_KIND_STATUS, READ_KIND_SUPPLIES, Outcome
from tests.bench.usage import cpu

__all__ = ["visits"]

_KINDS = {"full": READ_KIND_FULL, "supplies": READ_KIND_SUPPLIES, "status": READ_KIND_STATUS}


async def _visits(hosts: list[str], port: int, repeats: int) -> dict[str, object]:
    credentials = [Credential("public", "2c", Secret("public"))]
    ranges = Ranges([Range("bench", tuple(hosts), credentials=tuple(credentials), port=port)])
    profiles = load_profiles()
    last: dict[str, Visit] = {}
    devices: dict[str, dict[str, object]] = {host: {} for host in hosts}
    spent: dict[str, float] = {}
    client = SnmpClient(
        allowed=ranges.allows, in_flight=64, packets_per_second=0, packets_per_second_per_24=0, retries=2
    )
    async with client:

        async def one(host: str, kind: str) -> None:
            known = last[host].known if host in last else None
            found = await visit(client, host, port, credentials, profiles=profiles, known=known, kind=_KINDS[kind])
            last[host] = found if found.known else last.get(host, found)
            devices[host][kind] = found.snapshot.requests
            devices[host][f"{kind}_outcome"] = Outcome.Name(found.snapshot.outcome)
            devices[host][f"{kind}_kept"] = found.snapshot.kind == _KINDS[kind]

        for kind in ("full", "supplies", "status"):
            times = repeats if kind == "status" else 1
            before = cpu()
            for _ in range(times):
                await asyncio.gather(*(one(host, kind) for host in hosts))
            spent[kind] = (cpu() - before) / times / len(hosts)
    return {"devices": devices, "cpu": spent}


def visits(hosts: list[str], port: int = 161, repeats: int = 1) -> dict[str, object]:
    """Read each host in full, then its supplies, then its status `repeats` times; tell requests and CPU seconds.

    `..._kept` is false where a known device had nothing to poll, or had changed, so that it was read in full.
    """
    return asyncio.run(_visits(hosts, port, repeats))


if __name__ == "__main__":
    print(json.dumps({"visits": visits}[sys.argv[1]](**json.loads(sys.argv[2]))))
