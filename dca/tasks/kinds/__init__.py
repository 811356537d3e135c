"""Every kind of task, one module each; `KINDS` finds them by the modules' names."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dca.tasks.kind import Kind

__all__ = ["kinds"]


@cache
def kinds() -> Mapping[str, Kind]:
    """Return every kind by its name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    return {name: importlib.import_module(f"{__name__}.{name}").KIND for name in names}
