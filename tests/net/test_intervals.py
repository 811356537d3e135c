from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from dca.net.intervals import intersect, merge, size, subtract

intervals = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8)).map(lambda pair: (pair[0], sum(pair))))


def members(found):
    return {number for first, last in found for number in range(first, last + 1)}


def is_normal(found):
    """Sorted, disjoint, and touching ones joined."""
    return all(first <= last for first, last in found) and all(
        one[1] + 1 < other[0] for one, other in itertools.pairwise(found)
    )


@settings(deadline=None)
@given(intervals)
def test_merge_holds_the_same_numbers(these):
    assert members(merge(these)) == members(these)
    assert is_normal(merge(these))
    assert size(merge(these)) == len(members(these))


@settings(deadline=None)
@given(intervals, intervals)
def test_subtract_is_the_difference_of_sets(these, those):
    found = subtract(merge(these), merge(those))
    assert members(found) == members(these) - members(those)
    assert is_normal(found)


@settings(deadline=None)
@given(intervals, intervals)
def test_intersect_is_the_intersection_of_sets(these, those):
    found = intersect(merge(these), merge(those))
    assert members(found) == members(these) & members(those)
    assert size(found) == len(members(these) & members(those))
