"""A desk, open and in use."""

from __future__ import annotations

import pytest

from tests.tasks.counter import Counter


@pytest.fixture
async def counter(tmp_path):
    made = Counter(tmp_path / "state")
    await made.open()
    yield made
    await made.close()
