"""The models of simulated devices, one TOML file per maker; serials, names and counts come from `identity` and `start`.

A file has ``[[model]]`` tables with the fields of `dca.sim.spec.Model`, and may have a ``[common]`` table whose
fields all of them share. ``[model.vendor]`` maps OIDs (below 1.3.6.1.4.1 unless they begin with 1.3.6) to cells as
`dca.sim.vendor` describes them; ``{supply}`` in an OID and its cell makes one row of each supply.
"""

from __future__ import annotations

__all__: list[str] = []
