"""What no log line may show: registered secrets and serial numbers, hidden in any text.

Serial numbers count as secrets here, for some makes derive the default password from them.
"""

from __future__ import annotations

import json
import re
import threading
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dca.model import Secret

__all__ = ["Masks"]

HIDDEN = "***"
MIN_SERIAL = 4
"""Shorter ones are placeholders such as ``0`` and ``N/A``: hiding these would only spoil the log."""
MIN_ANYWHERE = 6
"""Shorter texts are hidden only where they stand as a word of their own: ``ab`` is no secret inside ``table``."""


class Masks:
    """Replace secrets by ``***`` and serial numbers by their first two characters and ``…``.

    A secret is found as it is and as repr, JSON, a URL or a hex dump would write it. May be used from
    every thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._masks: dict[str, str] = {}
        self._steps: tuple[tuple[str, Callable[[str], str]], ...] = ()

    def add(self, *secrets: Secret) -> None:
        """Hide these secrets from now on."""
        self._register((form, HIDDEN) for secret in secrets for form in _forms(secret.reveal()))

    def add_serials(self, serials: Iterable[str]) -> None:
        """Hide these serial numbers from now on, apart from their first two characters."""
        self._register(
            (form, serial[:2] + "…")
            for serial in map(str.strip, serials)
            if len(serial) >= MIN_SERIAL
            for form in _forms(serial)
        )

    def clean(self, text: str) -> str:
        """Return `text` with every registered secret hidden."""
        for needle, replace in self._steps:
            if needle in text:
                text = replace(text)
        return text

    def _register(self, masks: Iterable[tuple[str, str]]) -> None:
        with self._lock:
            new = {needle: mask for needle, mask in masks if needle and self._masks.get(needle) not in (mask, HIDDEN)}
            if not new:
                return
            self._masks.update(new)
            # The longest first: a secret that is a part of another must not leave the other's rest.
            ordered = sorted(self._masks.items(), key=lambda item: len(item[0]), reverse=True)
            self._steps = tuple((needle, _replacer(needle, mask)) for needle, mask in ordered)


def _forms(text: str) -> set[str]:
    return {
        text,
        repr(text)[1:-1],
        repr(text.encode("utf-8", "surrogatepass"))[2:-1],
        json.dumps(text)[1:-1],
        quote(text, safe="", errors="replace"),
        *([text.encode("utf-8", "surrogatepass").hex()] if len(text) >= MIN_ANYWHERE else []),
    }


def _replacer(needle: str, mask: str) -> Callable[[str], str]:
    if len(needle) >= MIN_ANYWHERE:
        return lambda text: text.replace(needle, mask)
    before = r"(?<!\w)" if re.match(r"\w", needle) else ""
    after = r"(?!\w)" if re.search(r"\w\Z", needle) else ""
    pattern = re.compile(before + re.escape(needle) + after)
    return lambda text: pattern.sub(lambda _: mask, text)
