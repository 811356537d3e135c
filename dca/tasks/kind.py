"""What a kind of task is: its parameters, its policy default and its handler; one module of `dca.tasks.kinds` each."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from dca.errors import TaskError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from dca.discovery.ranges import Ranges, ResolvedRange
    from dca.discovery.registry import Registry
    from dca.model import Known
    from dca.printers.profiles import Profiles
    from dca.snmp.client import SnmpClient
    from dca.snmp.types import Peer
    from dca.wire.snapshot_pb2 import ReadKind, Snapshot

__all__ = ["Action", "Kind", "Order", "Result", "Tools", "read_parameters"]

Action: TypeAlias = Literal["allow", "ask", "deny"]
Result: TypeAlias = "dict[str, Any]"
"""What a handler brings: a JSON object."""


class Tools(Protocol):
    """What a handler may use of the running agent. All of it asks `ranges.allows` before a packet leaves."""

    @property
    def client(self) -> SnmpClient:
        """The one SNMP client."""

    @property
    def ranges(self) -> Ranges:
        """Which addresses may be contacted."""

    @property
    def registry(self) -> Registry:
        """The known devices."""

    @property
    def profiles(self) -> Profiles:
        """Vendor knowledge."""

    def wall(self) -> float:
        """Unix seconds."""

    def peer(self, known: Known) -> tuple[Peer, ResolvedRange]:
        """Return how to speak to a known device and its range.

        Raises TaskError (``no_device``) when no enabled range holds its address.
        """

    async def read(self, known: Known, kind: ReadKind.ValueType) -> Snapshot:
        """Read one device now, as the schedule does; the snapshot is delivered like every other."""

    async def discover(self) -> Mapping[str, int]:
        """Search the ranges now; return addresses, printers, refused and others as figures."""

    def log_lines(self, count: int) -> Sequence[str]:
        """Return the last lines of the agent's own log, secrets and serial numbers hidden."""

    async def apply_config(self, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        """Set config keys (dotted) that the customer's policy leaves to the hub; return what is in force then.

        Raises TaskError (``denied``, ``bad_parameters``).
        """


@dataclass(frozen=True)
class Order:
    """A task as its handler sees it: verified and allowed."""

    id: str
    kind: str
    parameters: Any
    """An instance of the kind's `parameters`."""
    device: Known | None
    """The device concerned, found in the registry; None where the kind concerns none."""
    requested_by: str
    reason: str
    progress: Callable[[str], None] = field(default=lambda _: None, repr=False)
    """Say in a few words how far it is; may be called often."""


@dataclass(frozen=True)
class Kind:
    """A kind of task. Its name is the module's."""

    name: str
    summary: str
    """One sentence for the customer: what is done to what."""
    parameters: type[Any]
    """A frozen dataclass: its fields are the parameters (bool, int, float, str, lists and dicts of these)."""
    default: Action
    """What the policy says where the customer's file says nothing."""
    limit: float
    """Seconds after which it is ended."""
    run: Callable[[Order, Tools], Awaitable[Result]]
    """Raises TaskError, or any DcaError, in words for the hub."""
    on_device: bool = True
    """It concerns one device."""
    changes: bool = False
    """It changes a device or the agent: once begun it is never begun again."""


def read_parameters(kind: Kind, text: str) -> Any:
    """Return a kind's parameters from their JSON.

    Raises TaskError (``bad_parameters``): no object, an unknown name, a missing one, or a value of another type.
    """
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        raise TaskError("the parameters are no JSON", "bad_parameters") from None
    if not isinstance(found, dict):
        raise TaskError("the parameters are no JSON object", "bad_parameters")
    hints = typing.get_type_hints(kind.parameters)
    unknown = sorted(set(found) - set(hints))
    if unknown:
        known = ", ".join(hints) or "none"
        raise TaskError(f"{kind.name} has no parameter {unknown[0][:60]!r}; it has {known}", "bad_parameters")
    for item in dataclasses.fields(kind.parameters):
        if item.name in found and not _is(found[item.name], hints[item.name]):
            raise TaskError(f"{kind.name}: {item.name} is not of its type ({item.type})", "bad_parameters")
    try:
        return kind.parameters(**found)
    except (TypeError, ValueError) as error:
        raise TaskError(f"{kind.name}: {error}", "bad_parameters") from None


def _is(value: object, wanted: Any) -> bool:
    origin = typing.get_origin(wanted)
    if origin in {types.UnionType, typing.Union}:
        return any(_is(value, option) for option in typing.get_args(wanted))
    if origin is Literal:
        return value in typing.get_args(wanted)
    if origin is list:
        return isinstance(value, list) and all(_is(item, typing.get_args(wanted)[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict)
    if wanted in {int, float}:
        return isinstance(value, int if wanted is int else int | float) and not isinstance(value, bool)
    return isinstance(value, wanted)
