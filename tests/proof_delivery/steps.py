"""The wall clock of the real agent steps: for a day without a hub, and out of the certificate's dates and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.proof_delivery.processes import Hub
    from tests.proof_delivery.side import Side

__all__ = ["NEAR", "day_without_a_hub", "step_out_of_dates"]

HOUR = 3600.0
DAY = 24 * HOUR
NEAR = (0.0, 3 * HOUR, -HOUR, -3 * HOUR, DAY)
"""Seconds off the true time at which the hub's certificate still holds: it begins a day before it was made."""
OUT = (-2 * DAY, 400 * DAY)
"""Before the certificate's first day and after its last (397 days)."""


async def day_without_a_hub(side: Side, hub: Hub, strides: int, rows: int) -> int:
    """Take the hub away, let 24 hours pass on the agent's clock while it reads on and is killed, bring the hub back.

    In each stride the agent writes at least `rows` rows. Returns how many rows waited at the end.
    """
    side.agent.clock.step_to(0.0)
    await hub.kill()
    for stride in range(1, strides + 1):
        side.agent.clock.step_to(DAY * stride / strides)
        await side.reads_on(rows)
        if stride * 3 // strides > (stride - 1) * 3 // strides:
            await side.agent.kill()
            await side.agent.start()
    depth = side.journal.figures().depth
    await hub.start()
    await hub.serving()
    await side.delivers_on()
    side.agent.clock.step_to(0.0)
    await side.delivers_on()
    return depth


async def step_out_of_dates(side: Side, rows: int, times: int) -> None:
    """Step to where the certificate is not valid: delivery waits while reading goes on, and catches up after."""
    if not side.agent.clock.steppable:
        return
    for offset in OUT[:times]:
        side.agent.clock.step_to(offset)
        await side.reads_on(rows)  # it lives by the new clock now
        await side.relay.cut()  # a connection that stands stays: the dates are checked where one begins
        await side.reads_on(1)
        before = side.journal.figures().rows_acknowledged
        await side.reads_on(rows)
        if side.journal.figures().rows_acknowledged != before:
            raise RuntimeError(f"delivered by a clock {offset:+.0f} s off: was the certificate looked at?")
        side.agent.clock.step_to(0.0)
        await side.delivers_on(120.0)
