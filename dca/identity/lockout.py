"""Five failed activations and the agent is locked: counted on disk before each try goes out.

A try is reserved under a lock between processes, and one process at a time has its turn, so that fifty that start at
once, with one code or with fifty, still make five tries. It is given back only when the code surely was not judged:
there was no connection, or the hub itself said that it could not judge. A try whose answer was lost stays taken,
whatever comes of the same code later, but costs nothing more when that is tried again: the hub gives the same answer
to the same code and key. So a bad line never locks anybody out, and no sixth code ever goes out.

No clock plays a part, and the file outlives restarts and reinstallations. One that cannot be read counts as locked.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Literal, cast, get_args

from dca.errors import IdentityError, LockedError
from dca.store.atomic import write_whole
from dca.store.files import own_like
from dca.store.locks import hold, try_lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dca.contract.codes import Code

__all__ = ["MOST", "Lockout", "Standing"]

MOST = 5
"""Tries; afterwards nothing goes out until `unlock`."""
_PATIENCE = 60.0
"""Seconds that a process waits for the count."""
_SALT_BYTES = 16
_LARGEST = 1 << 16
Word = Literal["open", "lost", "refused"]
"""Just reserved; reserved again, so that the first answer was lost; judged."""


@dataclass
class _Try:
    code: str
    """HMAC-SHA256 of the code's digest, hex: the same code is known again, and nothing is given away."""
    state: Word
    reason: str = ""


@dataclass
class _Count:
    salt: str
    tries: list[_Try] = field(default_factory=list)
    unlocked: int = 0
    told: bool = False
    """Somebody has heard since it was locked that nothing is sent."""


@dataclass(frozen=True)
class Standing:
    """How it stands, for `dca status`."""

    used: int
    """Tries that are taken."""
    unanswered: int
    """Those of them that no answer came to."""
    locked: bool
    last_reason: str = ""


class Lockout:
    """The count of one state directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.path = directory / "activation.json"

    def try_turn(self) -> int | None:
        """Let this process alone activate, until the returned descriptor is closed; None while another one does.

        Raises:
            LockedError: the state directory cannot be used.
        """
        file = self._open("activation.turn")
        try:
            try_lock(file)
        except OSError:
            os.close(file)
            return None
        return file

    def check(self, code: Code) -> None:
        """Tell whether a try for this code could be taken now, and take none.

        Raises:
            LockedError: there is none left, this code was refused before, or the count cannot be read.
        """
        _check(self._read(), code)

    def reserve(self, code: Code) -> None:
        """Take a try for this code, on disk. Raises LockedError as `check` does, and when it cannot be written."""
        with self._held() as count:
            known = _check(count, code)
            if known is None:
                count.tries.append(_Try(_name(count, code), "open"))
            elif known.state == "open":
                known.state = "lost"
            else:
                return
            self._write(count)

    def first_to_hear(self) -> bool:
        """Tell whether nobody has heard before, since it was locked, that nothing is sent; False while it is not."""
        if not _is_news(self._read()):
            return False
        with self._held() as count:
            first = _is_news(count)
            if first:
                count.told = True
                self._write(count)
        return first

    def give_back(self, code: Code) -> None:
        """Undo `reserve`: the code surely was not judged. One that may have been judged before stays counted."""
        with self._held() as count:
            name = _name(count, code)
            count.tries = [one for one in count.tries if one.code != name or one.state != "open"]
            self._write(count)

    def refuse(self, code: Code, reason: str) -> Standing:
        """Note that the hub judged the code and refused it; return how it stands then."""
        with self._held() as count:
            name = _name(count, code)
            # Not there any more: it was unlocked meanwhile, and then this is the first of the new tries.
            others = [one for one in count.tries if one.code != name]
            count.tries = [*others, _Try(name, "refused", reason[:300])]
            self._write(count)
            return _standing(count)

    def clear(self) -> None:
        """Begin at nothing: an activation succeeded."""
        with self._held() as count:
            if count.tries:
                count.tries, count.told = [], False
                self._write(count)

    def unlock(self) -> Standing:
        """Open the lock once; return how it stood. A count that cannot be read begins anew."""
        with self._lock():
            try:
                count = self._read()
                before = _standing(count)
            except LockedError:
                count, before = _fresh(), Standing(MOST, 0, locked=True)
            count.tries, count.told = [], False
            count.unlocked += 1
            self._write(count)
        return before

    def standing(self) -> Standing:
        """Return how it stands; what cannot be read counts as locked."""
        try:
            return _standing(self._read())
        except LockedError as error:
            return Standing(MOST, 0, locked=True, last_reason=str(error))

    @contextlib.contextmanager
    def _held(self) -> Iterator[_Count]:
        with self._lock():
            yield self._read()

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        try:
            with hold(self._open("activation.lock"), _PATIENCE):
                yield
        except TimeoutError as error:
            raise IdentityError(f"another activation is under way: {error}") from error

    def _open(self, name: str) -> int:
        path = self._directory / name
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
            own_like(self._directory, path)
        except OSError as error:
            raise self._unusable(error) from error
        return file

    def _read(self) -> _Count:
        try:
            with self.path.open("rb") as file:
                found = json.loads(file.read(_LARGEST))
            tries = [_Try(str(one["code"]), _word(one["state"]), str(one.get("reason", ""))) for one in found["tries"]]
            salt = bytes.fromhex(found["salt"]).hex()
            return _Count(salt, tries, int(found["unlocked"]), bool(found.get("told")))
        except FileNotFoundError:
            return _fresh()
        except OSError as error:
            raise self._unusable(error) from error
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError) as error:
            raise LockedError(
                f"{self.path} is damaged, which counts as locked: see who did that, then run dca unlock --reason ..."
            ) from error

    def _write(self, count: _Count) -> None:
        try:
            write_whole(self.path, json.dumps(asdict(count)).encode())
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> LockedError:
        return LockedError(
            f"{self.path} cannot be used ({error.strerror or error}), and nothing is sent that is not counted: "
            "run this as the agent's user or as root, and see to the disk"
        )


def _fresh() -> _Count:
    return _Count(os.urandom(_SALT_BYTES).hex())


def _name(count: _Count, code: Code) -> str:
    return hmac.new(bytes.fromhex(count.salt), code.digest(), hashlib.sha256).hexdigest()


def _check(count: _Count, code: Code) -> _Try | None:
    """Return the try that a code has taken before, if any. Raises LockedError."""
    name = _name(count, code)
    known = next((one for one in count.tries if one.code == name), None)
    refused = sum(one.state == "refused" for one in count.tries)
    if refused >= MOST or (known is None and len(count.tries) >= MOST):
        raise _locked(count)
    if known is not None and known.state == "refused":
        raise LockedError(f"the hub has refused this very code before ({known.reason}): it is not sent again")
    return known


def _is_news(count: _Count) -> bool:
    return _standing(count).locked and not count.told


def _word(state: object) -> Word:
    for word in get_args(Word):
        if state == word:
            return cast("Word", word)
    raise ValueError("no state of a try")


def _standing(count: _Count) -> Standing:
    reasons = [one.reason for one in count.tries if one.state == "refused"]
    unanswered = len(count.tries) - len(reasons)
    return Standing(len(count.tries), unanswered, len(count.tries) >= MOST, reasons[-1] if reasons else "")


def _locked(count: _Count) -> LockedError:
    standing = _standing(count)
    lost = f", {standing.unanswered} of them without an answer" if standing.unanswered else ""
    return LockedError(
        f"this agent is locked: {standing.used} activations failed{lost}. Nothing more is sent until a local "
        'administrator runs: dca unlock --reason "..."'
    )
