from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from dca.net.layout import Layout

BASE = 0xFFFF << 32 | 10 << 24
spans = st.lists(
    st.tuples(st.sampled_from(["", "eth0"]), st.integers(0, 40), st.integers(0, 10)).map(
        lambda span: (span[0], (BASE + span[1], BASE + span[1] + span[2]))
    ),
    max_size=5,
)


@settings(deadline=None)
@given(spans, st.lists(st.tuples(st.sampled_from([161, 1161]), spans), max_size=4))
def test_the_first_claim_wins_and_what_is_denied_nobody_gets(denied, claims):
    layout = Layout(denied)
    owners: dict[tuple[int, str, int], int] = {}
    for owner, (port, wanted) in enumerate(claims):
        mine = 0
        shared: dict[int, set[tuple[str, int]]] = {}
        for zone, (first, last) in wanted:
            for number in range(first, last + 1):
                if any(z in {"", zone} and a <= number <= b for z, (a, b) in denied):
                    continue
                taken = owners.get((port, zone, number))
                if taken is None:
                    owners[port, zone, number] = owner
                    mine += 1
                elif taken != owner:
                    shared.setdefault(taken, set()).add((zone, number))
        claimed = layout.claim(owner, port, wanted)
        assert claimed.total == mine
        assert {overlap.owner: overlap.shared for overlap in claimed.overlaps} == {
            other: len(spots) for other, spots in shared.items()
        }
    tables = layout.tables()
    for port in (161, 1161):
        for zone in ("", "eth0"):
            for number in range(BASE - 2, BASE + 60):
                table = tables.get((port, zone))
                found = table.owner(number) if table else None
                assert found == owners.get((port, zone, number))
