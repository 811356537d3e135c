"""How long it takes from the decision to ask until the agent begins: by the channel, by a command, without either."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import TYPE_CHECKING, NamedTuple

from tests.proof_tasks.asker import Wanted

if TYPE_CHECKING:
    from tests.proof_tasks.site import Device, Site

__all__ = ["Quiet", "measure_calls", "measure_commands", "measure_quiet"]

SETTLE = 0.3
"""Seconds after which the agent has told of the end of a task, and calls no more for that."""


class Quiet(NamedTuple):
    """Milliseconds."""

    median: float
    worst_of_twenty: float
    """The 95th percentile."""
    device: float
    """Median until the device itself was written to."""


async def measure_quiet(site: Site, times: int) -> Quiet:
    """Ask for one task after the other while nothing else happens."""
    device = site.panels[0]
    asked: dict[str, float] = {}
    began: list[float] = []
    for number in range(times):
        text = f"quiet {number}"
        asked[text], at = await _ask(site, device, text)
        began.append((at - asked[text]) * 1000)
    taken = [(line.at - asked[line.value]) * 1000 for line in site.written() if line.value in asked]
    return Quiet(statistics.median(began), sorted(began)[int(times * 0.95)], statistics.median(taken))


async def measure_commands(site: Site, times: int) -> float:
    """Ask with a new `dca hub task new` each time, as a person does; return the median until the start in ms."""
    device = site.panels[0].id
    found = []
    for number in range(times):
        text = f"command {number}"
        words = ("--device", device, "--param", f"text={text}", "--reason", text)
        asked = time.time()
        await site.hub.command("task", "new", "panel_message", *words)
        ((task,),) = await site.asker.rows("SELECT id FROM tasks WHERE reason = $1", text)
        found.append((await site.asker.began_at(task) - asked) * 1000)
    return statistics.median(found)


async def measure_calls(site: Site, times: int, interval: float) -> list[float]:
    """Ask while both ways of the channel are closed; return the seconds that each task took to begin."""
    for relay in (site.lines.channel, site.lines.fallback):
        await relay.close()
    await site.until("SELECT channel FROM agents", "down")
    found = []
    for number in range(times):
        # The result of the last one goes to the hub at once, and tasks would come with that call; then, and at any
        # point between two calls, the next one is asked for.
        await asyncio.sleep(SETTLE + interval * number / times)
        asked, began = await _ask(site, site.panels[0], f"by call {number}")
        found.append(began - asked)
    for relay in (site.lines.channel, site.lines.fallback):
        await relay.open()
    return found


async def _ask(site: Site, device: Device, text: str) -> tuple[float, float]:
    """Ask for a text on a panel and wait for its end; return when it was asked for and begun, Unix seconds."""
    asked = time.time()  # decided; everything after it counts
    task = await site.asker.ask(Wanted(text, "panel_message", {"text": text}, device.id))
    return asked, await site.asker.began_at(task)
