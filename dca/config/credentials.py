"""The credential tables: what must go together, for one version or the other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dca.config.sections import CredentialKeys
from dca.config.table import Place, read_table
from dca.model import Credential

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["read_credentials"]

_V3_ONLY = ("user", "auth", "auth_password", "priv", "priv_password", "context")


def read_credentials(tables: Sequence[object], place: Place) -> dict[str, Credential | None]:
    """Read ``[[credential]]``, by name; None for one that is wrong, so that a range may still name it."""
    found: dict[str, Credential | None] = {}
    for index, table in enumerate(tables):
        spot = place.child(index)
        before = len(place.problems.found)
        keys = read_table(CredentialKeys, table, spot)
        if not isinstance(table, dict):
            continue
        (_check_v3 if table.get("version") == "3" else _check_community)(frozenset(table), spot)
        name = table.get("name")
        if not isinstance(name, str):
            continue
        if name in found:
            spot.fail(f"{json.dumps(name)} is the name of an earlier credential; each has its own", "name")
        else:
            found[name] = _credential(keys) if keys and len(place.problems.found) == before else None
    return found


def _credential(keys: CredentialKeys) -> Credential:
    return Credential(
        name=keys.name,
        version=keys.version,
        community=keys.community,
        user=keys.user or "",
        auth=keys.auth,
        auth_password=keys.auth_password,
        priv=keys.priv,
        priv_password=keys.priv_password,
        context=keys.context,
    )


def _check_v3(written: frozenset[str], place: Place) -> None:
    if "user" not in written:
        place.fail('is missing; version "3" needs a user', "user")
    if "community" in written:
        place.fail('belongs to version "1" and "2c"; version "3" has a user', "community")
    for protocol in ("auth", "priv"):
        if protocol in written and f"{protocol}_password" not in written:
            place.fail(f"stands alone; {protocol}_password goes with it", protocol)
    if "priv_password" in written and "auth_password" not in written:
        place.fail("needs auth_password as well: SNMPv3 has no privacy without authentication", "priv_password")


def _check_community(written: frozenset[str], place: Place) -> None:
    extra = [name for name in _V3_ONLY if name in written]
    for name in extra:
        place.fail('belongs to SNMPv3; write version = "3" with it', name)
    if "community" not in written and not extra:
        place.fail('is missing; version "1" and "2c" need one: "public", or a reference to the real one', "community")
