"""What is known about each vendor's printers: data files, checked when they are loaded (see docs/readings.md)."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from dca.errors import ProfileError
from dca.printers.profiles.load import parse_profile
from dca.printers.profiles.schema import Profile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["Profile", "Profiles", "load_profiles"]

_REMEMBERED = 512
"""Kinds of device whose profiles are kept at hand."""


class Profiles:
    """All profiles, and which of them fit a device."""

    def __init__(self, profiles: Iterable[Profile]) -> None:
        self._by_name = {profile.name: profile for profile in profiles}
        self._match = lru_cache(maxsize=_REMEMBERED)(self._fitting)

    def __iter__(self) -> Iterator[Profile]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def match(self, object_id: str, description: str, model: str) -> list[Profile]:
        """Return the profiles that fit, the best first: what the device says in words counts more than its OID.

        `object_id` is sysObjectID (dotted), `description` sysDescr, `model` hrDeviceDescr or maker and model of
        the IEEE 1284 device ID; each may be empty.
        """
        return list(self._match(object_id, description, model))

    def _fitting(self, object_id: str, description: str, model: str) -> tuple[Profile, ...]:
        ranked: list[tuple[int, Profile]] = []
        for profile in self._by_name.values():
            words = _says(profile, description) + _says(profile, model)
            number = _under(object_id, profile.object_ids) or _under(object_id, profile.enterprises)
            if words or number:
                ranked.append((2 * words + number, profile))
        return tuple(profile for _, profile in sorted(ranked, key=lambda one: -one[0]))

    def is_printer(self, object_id: str, description: str) -> bool:
        """Tell whether sysObjectID (dotted) or sysDescr is a printer's."""
        return any(
            _under(object_id, profile.object_ids) or _says(profile, description) for profile in self._by_name.values()
        )


def _under(object_id: str, prefixes: tuple[str, ...]) -> bool:
    whole = f"{object_id}."
    return any(whole.startswith(f"{prefix}.") for prefix in prefixes)


def _says(profile: Profile, words: str) -> bool:
    words = words.lower()
    return any(
        pattern[1:] in words if pattern.startswith("*") else words.startswith(pattern)
        for pattern in profile.descriptions
    )


def load_profiles(extra_dir: Path | None = None) -> Profiles:
    """Return the profiles that come with dca, and those of `extra_dir`, which replace others of the same name.

    Raises:
        ProfileError: a file cannot be used; it says which, where and why.
    """
    texts = {
        entry.name: entry.read_text("utf-8") for entry in files(__name__).iterdir() if entry.name.endswith(".toml")
    }
    profiles = {profile.name: profile for profile in (parse_profile(name, texts[name]) for name in sorted(texts))}
    if extra_dir is not None:
        for path in sorted(extra_dir.glob("*.toml")):
            try:
                content = path.read_text("utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise ProfileError(f"{path} cannot be read: {error}") from error
            profile = parse_profile(str(path), content)
            profiles[profile.name] = profile
    return Profiles(profiles.values())
