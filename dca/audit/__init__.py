"""What was asked, decided and done: an append-only log in which each entry proves the ones before it."""

from __future__ import annotations

from dca.audit.entry import Entry
from dca.audit.log import AuditLog
from dca.audit.verify import Verdict

__all__ = ["AuditLog", "Entry", "Verdict"]
