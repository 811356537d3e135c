"""Many processes that activate at once: `crowd.py STATE PORT COUNT`, one code a line on standard input.

With fewer codes than processes they share them. Each process begins when all are there, and prints one word.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from dca.contract.codes import Code
from dca.errors import ActivationRefusedError, IdentityError, LockedError
from dca.identity.activate import HubPlace, activate
from dca.identity.lockout import Lockout
from dca.identity.vault import Vault


def main(state: Path, port: int, count: int) -> None:
    codes = [Code.parse(line) for line in sys.stdin.read().split()]
    gate, opener = os.pipe()
    children = []
    for number in range(count):
        child = os.fork()
        if child == 0:
            os.close(opener)
            os.read(gate, 1)
            os.write(1, f"{one(state, port, codes[number % len(codes)])}\n".encode())
            os._exit(0)
        children.append(child)
    os.close(opener)
    for child in children:
        os.waitpid(child, 0)


def one(state: Path, port: int, code: Code) -> str:
    try:
        asyncio.run(activate(code, HubPlace("127.0.0.1", port), Vault(state, environ={}), Lockout(state)))
    except LockedError:
        return "locked"
    except ActivationRefusedError:
        return "refused"
    except IdentityError as error:
        return f"lost: {error}"
    return "activated"


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
