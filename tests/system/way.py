"""Ping and trace an address, as a process of its own: `way.py ADDRESS [drop]`; with `drop` as an ordinary user."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import sys

from dca.net.icmp import IcmpSocket, Patience, ping
from dca.net.trace import trace


async def main(address: str) -> None:
    with IcmpSocket(address) as link:
        echoes = await ping(link, 2, 56, Patience(1.0, 0.0))
        raw = link.raw
    with IcmpSocket(address) as link:
        hops = await trace(link, address, patience=1.0)
    answered = sum(echo.milliseconds is not None for echo in echoes)
    print(json.dumps({"raw": raw, "answered": answered, "hops": [dataclasses.asdict(hop) for hop in hops]}))


if __name__ == "__main__":
    if "drop" in sys.argv:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    try:
        asyncio.run(main(sys.argv[1]))
    except PermissionError as error:
        print(json.dumps({"refused": str(error)}))
