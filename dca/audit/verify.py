"""Prove the audit log whole: every line, from the oldest that is kept to the newest."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from dca.audit.entry import START, Entry, read_entry
from dca.audit.write import PRUNED, TORN

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Verdict", "verify"]


@dataclass(frozen=True)
class Verdict:
    """What a look at the whole log brought."""

    entries: int
    """How many whole entries there are, up to where it is broken."""
    first: int | None = None
    """The oldest entry's number; more than 1 where older files were deleted, as the log itself tells."""
    newest: Entry | None = None
    torn: int = 0
    """Lines that a power cut has ended; the entry after each stands for it."""
    file: str = ""
    """Where it is broken: the file,"""
    line: int = 0
    """the line, from 1,"""
    why: str = ""
    """and in words what is wrong; empty when it is whole."""

    @property
    def whole(self) -> bool:
        """Tell whether nothing was changed, removed or put in since the entries were written."""
        return not self.why


def verify(segments: Iterable[tuple[str, int | None, bytes]]) -> Verdict:
    """Go through the files, oldest first: name, number of the first entry by its name, content."""
    walk = _Walk()
    oldest = ""
    for walk.file, named, data in segments:
        oldest = oldest or walk.file
        why = walk.segment(data, named)
        if why:
            return walk.verdict(why)
    walk.file = oldest
    return walk.verdict(walk.end())


@dataclass
class _Walk:
    """Where the walk through the files is."""

    file: str = ""
    line: int = 0
    count: int = 0
    torn: int = 0
    first: Entry | None = None
    last: Entry | None = None
    pruned: int = 0
    """The last entry that was deleted as old, as far as the log tells."""
    pending: list[bytes] = field(default_factory=list)
    """Lines that are no entries and that no entry stands for yet."""
    reason: str = ""
    """What is wrong with the first of them."""

    def verdict(self, why: str) -> Verdict:
        first = self.first.n if self.first else None
        place = (self.file, self.line) if why else ("", 0)
        return Verdict(self.count, first, self.last, self.torn, *place, why)

    def segment(self, data: bytes, named: int | None) -> str:
        """Take a file; return what is wrong with it."""
        *lines, cut = data.split(b"\n")
        begun = False
        for number, line in enumerate([*lines, cut] if cut else lines, 1):
            if not self.pending:
                self.line = number
            why = self._take(line)
            if why:
                return why
            if not begun and not self.pending and self.last is not None:
                begun = True
                if named not in {None, self.last.n}:
                    return f"the file does not begin with the entry that its name says, but with entry {self.last.n}"
        if self.pending and (named is not None or self.pending != [cut]):
            return self.reason
        self.torn += len(self.pending)
        return ""

    def end(self) -> str:
        """Return what is wrong with the beginning, once the end is known."""
        if self.first is None or self.pruned >= self.first.n - 1:
            return ""
        self.line = 1
        return f"the entries before {self.first.n} are gone, and the log does not say that they were deleted as old"

    def _take(self, line: bytes) -> str:
        try:
            entry = read_entry(line)
        except ValueError as error:
            self.reason = self.reason if self.pending else f"the line {error}"
            self.pending.append(line)
            return ""
        if self.pending:
            if entry.what != TORN or entry.details.get("sha256") != sha256(b"\n".join(self.pending)).hexdigest():
                return self.reason
            self.pending.clear()
            self.torn += 1
        elif entry.what == TORN:
            return f"the line that entry {entry.n} stands for is gone"
        return self._follow(entry)

    def _follow(self, entry: Entry) -> str:
        before = self.last
        if before is None:
            self.first = entry
            if (entry.n == 1) != (entry.prev == START):
                return f"entry {entry.n} does not begin as a log begins"
        elif entry.n != before.n + 1 or entry.prev != before.hash:
            return f"entry {entry.n} does not follow entry {before.n}: one was changed, removed or put in"
        told = entry.details.get("last", "")
        if entry.what == PRUNED and told.isdecimal():
            self.pruned = max(self.pruned, int(told))
        self.last = entry
        self.count += 1
        return ""
