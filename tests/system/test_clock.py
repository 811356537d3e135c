"""The real agent when its machine's wall clock steps, by hours and both ways: reading and delivery go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dca.errors import StoreError
from dca.service.schedule import WATCH
from dca.store import read_only
from dca.telemetry import Figures, read_figures
from tests.proof_delivery.wallclock import PACKAGE, WallClock
from tests.system.agent import AgentProcess, office, wait_for
from tests.system.peers import missing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.hub.process import HubProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

PRINTERS = 24
STATUS_EVERY = 5.0
"""Seconds between two status polls of every printer, as the config of `tests.system.agent` has it."""
BUSY = 10.0
"""Seconds that reading the office may take on a machine that does other things, too."""
THREE_HOURS = 10_800.0


@pytest.fixture
def clock(tmp_path: Path) -> WallClock:
    made = WallClock(tmp_path / "clock")
    if not made.steppable:
        missing(f"{PACKAGE} is not installed (Debian package; `make test` installs it as root)")
    return made


@pytest.fixture
def agent(tmp_path: Path, hub: HubProcess, clock: WallClock) -> Iterator[AgentProcess]:
    folder = tmp_path / "agent"
    folder.mkdir()
    with office(tmp_path) as port:
        process = AgentProcess(folder, hub, port)
        process.environment = clock.environ()
        process.start()
        yield process
        process.close()
        assert process.process is not None
        clock.forget(process.process.pid)


def figures(agent: AgentProcess) -> Figures | None:
    try:
        with read_only(agent.folder / "state") as connection:
            return read_figures(connection, 0.0)
    except StoreError:
        return None


def wait_until_written_and_acknowledged(agent: AgentProcess, more: int, what: str, seconds: float) -> None:
    begin = figures(agent)
    written, acknowledged = (begin.rows_written, begin.rows_acknowledged) if begin else (0, 0)

    def reached() -> bool:
        now = figures(agent)
        return now is not None and now.rows_written >= written + more and now.rows_acknowledged > acknowledged

    wait_for(reached, what, seconds)


def test_reading_and_delivery_go_on_within_an_interval_of_a_step(agent: AgentProcess, clock: WallClock) -> None:
    wait_for(lambda: "discovery of" in agent.said(), "the first discovery")
    expected: list[str] = []
    for offset, direction in (
        (THREE_HOURS, "forward"),
        (0.0, "back"),
        (-THREE_HOURS, "back"),
        (0.0, "forward"),
    ):
        said = f"the clock stepped {direction} 3 h"
        expected.append(said)
        clock.step_to(offset)
        wait_for(lambda said=said: agent.said().count(said) == expected.count(said), f"'{said}'", WATCH + BUSY)
        wait_until_written_and_acknowledged(agent, PRINTERS - 1, f"a round after it {said[10:]}", STATUS_EVERY + BUSY)
    assert agent.end()[0] == 0
    assert "Traceback" not in agent.said()
