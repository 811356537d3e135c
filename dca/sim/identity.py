"""What tells one device of a model from another: serial, hardware address, name. All of it invented."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

    from dca.sim.spec import Model

__all__ = ["Identity", "invent"]

_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


@dataclass(frozen=True)
class Identity:
    """One device's own facts."""

    serial: str
    mac: bytes
    """Six octets, locally administered."""
    name: str
    location: str

    @property
    def words(self) -> dict[str, str]:
        """Return what templates may name."""
        text = self.mac.hex()
        return {
            "serial": self.serial,
            "mac": text,
            "mac6": text[6:].upper(),
            "MAC": ":".join(text[at : at + 2] for at in range(0, 12, 2)).upper(),
            "name": self.name,
            "location": self.location,
        }


def invent(model: Model, random: Random, number: int, *, location: str = "", name: str = "") -> Identity:
    """Return the identity of the model's device `number`; no two numbers below 10,000 share a serial or an address."""
    serial = _serial(model.serial, random, number)
    mac = bytes((0x02, random.randrange(256), random.randrange(256))) + number.to_bytes(3, "big")
    drafted = Identity(serial, mac, name, location)
    words = {**drafted.words, "maker": model.maker, "model": model.model}
    return Identity(serial, mac, name or model.name.format_map(words), location)


def _serial(pattern: str, random: Random, number: int) -> str:
    """Fill the pattern; its last four digits are the number, scattered so that they look like any other."""
    own = list(f"{(number * 7919 + 4127) % 10_000:04}")
    letters = []
    for place in reversed(pattern):
        if place == "#":
            letters.append(own.pop() if own else random.choice("0123456789"))
        else:
            letters.append(random.choice(_LETTERS) if place == "?" else place)
    return "".join(reversed(letters))
