"""``dca demo``: a hub, a simulated office and an agent, together on this machine, and a live picture of them."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from dca.cli.options import command_app

__all__ = ["app"]

app = command_app()


@app.command()
def demo(
    *,
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", min=1, help="Show it for so long, then end.", show_default="until Ctrl-C"),
    ] = None,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colours, whatever the terminal can do.")] = False,
) -> None:
    """Show dca at work: a hub, 25 simulated devices and an agent, all of it on this machine only.

    Ctrl-C stops everything and leaves nothing behind.
    Exit codes: 0 it ran and was ended, 1 a part failed or nothing was delivered.
    """
    # Imported here: --help does without all of it.
    from dca.cli.demo.screens import screen_for  # noqa: PLC0415 - as said above
    from dca.cli.demo.stage import Stage, signals_end_it, signals_wait  # noqa: PLC0415 - as said above

    folder = Path(tempfile.mkdtemp(prefix="dca-demo-"))
    stage = Stage(folder, screen_for(color=not no_color))
    try:
        with suppress(KeyboardInterrupt), signals_end_it():
            stage.play(seconds)
    finally:
        with signals_wait():
            scene = stage.end()
            shutil.rmtree(folder, ignore_errors=True)
    print(
        f"demo: {len(scene.rows)} devices found, {scene.read} snapshots read, {scene.acknowledged} acknowledged, "
        f"{stage.elapsed:.0f} seconds"
    )
