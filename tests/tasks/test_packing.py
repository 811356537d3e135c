"""As many lines as fit, whole, and no octet more than allowed."""

from __future__ import annotations

import base64
import gzip
import random

import pytest

from dca.tasks.packing import Pack


def unpacked(pack):
    return gzip.decompress(base64.b64decode(pack.text())).decode().splitlines()


def noise(count):
    chance = random.Random(1)
    return [f"{n} {chance.randbytes(60).hex()}" for n in range(count)]


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 500])
def test_all_lines_come_back(count):
    pack = Pack()
    lines = noise(count)
    assert all(pack.add(line) for line in lines)
    assert pack.finish()
    assert (unpacked(pack), pack.lines) == (lines, count)


@pytest.mark.parametrize("room", [200, 3_000, 20_000])
def test_what_does_not_fit_is_left_out_at_the_end(room):
    pack = Pack(room)
    lines = noise(2_000)
    taken = 0
    while pack.add(lines[taken]):
        taken += 1
    assert not pack.add("more")
    pack.finish()
    kept = unpacked(pack)
    assert kept == lines[: len(kept)]
    assert pack.lines == len(kept) <= taken + 1
    assert len(base64.b64decode(pack.text())) <= room
    assert room < 3_000 or len(base64.b64decode(pack.text())) > room * 0.7


def test_a_last_batch_that_does_not_fit_is_told():
    pack = Pack(300)
    for line in noise(20):
        assert pack.add(line)
    assert not pack.finish()
    assert len(unpacked(pack)) == pack.lines < 20
