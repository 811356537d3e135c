"""Snapshots as JSON lines: the message's proto JSON with its own field names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict

if TYPE_CHECKING:
    from dca.wire.snapshot_pb2 import Snapshot

__all__ = ["json_line", "snapshot_fields"]


def snapshot_fields(snapshot: Snapshot) -> dict[str, Any]:
    """Return the message as proto JSON has it.

    What has no presence is always there (an empty list, a counter of 0); what a device did not report is not.
    64-bit numbers are strings.
    """
    fields: dict[str, Any] = MessageToDict(
        snapshot, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return fields


def json_line(snapshot: Snapshot) -> str:
    """Return one line of ASCII JSON without its newline: no text of a device reaches a terminal raw."""
    return json.dumps(snapshot_fields(snapshot), separators=(",", ":")).replace("\x7f", "\\u007f")
