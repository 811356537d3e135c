from __future__ import annotations

import pytest

from dca.audit import AuditLog

NOW = 1_795_608_000.123
"""2026-11-25T12:00:00.123Z."""


@pytest.fixture
def log(tmp_path):
    """An audit log of a state directory of its own, at a fixed time."""
    return AuditLog(tmp_path, clock=lambda: NOW)


@pytest.fixture
def current(tmp_path):
    return tmp_path / "audit" / "audit.jsonl"
