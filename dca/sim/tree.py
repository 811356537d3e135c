"""A model's whole MIB tree, built once and shared by all its devices."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from dca.sim.host_tables import add_host
from dca.sim.mib import Builder, Shape
from dca.sim.printer_tables import add_printer

if TYPE_CHECKING:
    from dca.sim.spec import Model

__all__ = ["shape_of"]


@lru_cache(maxsize=256)
def shape_of(model: Model) -> Shape:
    """Return the tree of a model."""
    builder = Builder()
    add_host(builder, model)
    if model.printer:
        add_printer(builder, model)
    for dotted, cell in model.vendor:
        column, _, index = dotted.rpartition(".")
        builder.cell(column, index, cell)
    return builder.shape()
