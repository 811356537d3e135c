"""Snapshots as JSON lines: the message's proto JSON with its own field names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from google.protobuf.json_format import MessageToDict

if TYPE_CHECKING:
    from dca.wire.snapshot_pb2 import Snapshot

__all__ = ["json_line"]


def json_line(snapshot: Snapshot) -> str:
    """Return one line of ASCII JSON, without its newline.

    What has no presence is always there (an empty list, a counter of 0); what a device did not report is not.
    64-bit numbers are strings, as proto JSON has it. ASCII, so that no text of a device reaches a terminal raw.
    """
    fields = MessageToDict(snapshot, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    return json.dumps(fields, separators=(",", ":")).replace("\x7f", "\\u007f")
