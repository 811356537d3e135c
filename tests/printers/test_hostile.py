"""Whatever a device answers, a reading is a snapshot or an SnmpError, and no percent is outside 0 to 100."""

from __future__ import annotations

import contextlib

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dca.errors import SnmpError
from dca.printers.cells import Cells
from dca.snmp.types import Reply, Tag

VALUES = st.one_of(
    st.none(),
    st.binary(max_size=60),
    st.integers(-(1 << 70), 1 << 70),
    st.sampled_from([-3, -2, -1, 0, 1, 100, 101, 1 << 31, 1 << 32, 1 << 63, 1 << 64]),
)
CELLS = st.tuples(st.sampled_from([tag.value for tag in Tag]), VALUES)
PRINTERS = st.sampled_from(["hp", "kyocera", "epson", "brother", "ricoh", "sharp", "xerox", "lexmark", "zebra"])


def check(snapshot):
    for supply in snapshot.supplies:
        assert not supply.HasField("percent") or 0 <= supply.percent <= 100
        assert supply.HasField("percent") <= (supply.state == "measured")
        assert supply.state
    assert snapshot.SerializeToString()


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(PRINTERS, st.lists(CELLS, min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_any_values_in_any_cells(lab, name, values, dice):
    device = lab.recorded(name)
    cells_before = lab.read(device).cells
    for key, (octets, _, _) in device.values.items():
        if dice.random() < 0.5:
            device.values[key] = (octets, *dice.choice(values))
    device.asked.clear()
    with contextlib.suppress(SnmpError):
        reading = lab.read(device)
        check(reading.snapshot)
        assert Cells.from_bytes(reading.cells.to_bytes()) is not None
        for kind in (2, 3):
            for cells in (reading.cells, cells_before):
                snapshot = lab.known(device, cells, kind)
                if snapshot is not None:
                    check(snapshot)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    PRINTERS,
    st.lists(st.tuples(st.binary(min_size=1, max_size=14), CELLS), max_size=30),
    st.tuples(st.integers(0, 20), st.integers(0, 30), st.integers(1, 6)),
)
def test_any_replies(lab, name, varbinds, fault):
    device = lab.recorded(name)
    status, index, every = fault
    reply = Reply([(octets, *cell) for octets, cell in varbinds], status if status < 8 else 0, index)
    device.fault = lambda number, _: reply if number % every == 0 else None
    with contextlib.suppress(SnmpError):
        check(lab.snapshot(device))
    assert len(device.asked) < 2000
