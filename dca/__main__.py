"""Run ``python -m dca`` as ``dca``."""

from __future__ import annotations

from dca.cli import main

if __name__ == "__main__":
    main()
