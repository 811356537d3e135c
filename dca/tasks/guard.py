"""How far a walk of everything may step before it could run into what is never asked for (`dca.printers.never`).

A step asks for the next object, whichever that is: it is safe only where an object is known to exist between here
and the forbidden subtree, for then the answer is that one or one before it. Such posts come from answers to GETs.
Where no post is left the walk leaps over the subtree, and what lies before it is left out.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from dca.printers.never import NEVER
from dca.snmp.oids import arcs, dotted, oid

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ANY", "Guard", "behind"]

ANY = 1 << 30
"""As many steps as one likes."""


class Guard:
    """The forbidden subtrees of one device, and the posts before them.

    `posts` are objects that it has answered a GET for, `object_id` is its sysObjectID; both tell the make. A device
    that shows nothing of a make has nothing of it.
    """

    def __init__(self, posts: Iterable[bytes], object_id: bytes) -> None:
        known = tuple(posts)
        self._posts = sorted(map(arcs, known))
        self._trees: list[tuple[tuple[int, ...], bytes]] = []
        for make, trees in NEVER.items():
            if object_id.startswith(make) or any(post.startswith(make) for post in known):
                self.close(trees)

    def close(self, trees: Iterable[bytes]) -> None:
        """Keep out of these subtrees from now on."""
        self._trees = sorted({*self._trees, *((arcs(tree), tree) for tree in trees)})

    def steps(self, at: bytes) -> int:
        """Return how many objects after `at` may be asked for in one go; 0: not even the next."""
        here = arcs(at)
        ahead = next((place for place, _ in self._trees if place >= here), None)
        if ahead is None:
            return ANY
        return bisect_left(self._posts, ahead) - bisect_right(self._posts, here)

    def leap(self, at: bytes) -> tuple[bytes, bytes]:
        """Return the next forbidden subtree after `at`, and from where to walk on behind it.

        Raises:
            StopIteration: there is none.
        """
        here = arcs(at)
        tree = next(tree for place, tree in self._trees if place >= here)
        return tree, behind(tree)


def behind(tree: bytes) -> bytes:
    """Return the name right behind a subtree: GETNEXT of it brings what follows the subtree."""
    head, _, last = dotted(tree).rpartition(".")
    return oid(f"{head}.{int(last) + 1}")
