"""How many files and sockets this process may have open."""

from __future__ import annotations

__all__ = ["raise_file_limit"]


def raise_file_limit(wanted: int) -> int | None:
    """Raise the soft limit of open files to `wanted` as far as the hard one allows; return it, None for none."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return None if soft == resource.RLIM_INFINITY else soft
    top = max(soft, wanted if hard == resource.RLIM_INFINITY else min(wanted, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (top, hard))
    return top
