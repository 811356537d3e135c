"""Fill the templates."""

from __future__ import annotations

from datetime import UTC, timedelta
from itertools import groupby
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dca import __version__
from dca.hub.web.views import DeviceView, device_view
from dca.hub.web.words import level_of, plain, thousands, when

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dca.hub.web.app import Install
    from dca.hub.web.queries import Cut, Fleet, Row

__all__ = ["AgentView", "Renderer", "SiteView"]

LATE = timedelta(minutes=15)
"""Three reports that did not come."""
LOST = timedelta(days=1)
CLOCK_NOTED, CLOCK_WRONG = 5.0, 120.0
"""Seconds of an agent's clock offset that are worth saying, and worth a warning."""
CLONE_SHOWN = timedelta(days=7)


class AgentView(NamedTuple):
    """An agent as it is shown."""

    row: Row
    html_id: str
    name: str
    grade: str
    """ok, warn (reports are late) or bad (none for a day)."""
    clock: str
    """In words when the clock is off."""
    clock_grade: str
    cloned: bool


class SiteView(NamedTuple):
    """A site as it is shown."""

    id: int
    name: str
    agents: list[AgentView]
    devices: list[DeviceView]
    of_site: int
    previous: int | None
    following: int | None
    """Page numbers, where there are such pages."""


def _agent_view(row: Row, now: datetime) -> AgentView:
    """Prepare an agent's record for showing."""
    last = row["last_report_at"]
    age = now - last
    offset = row["clock_offset_s"]
    clock, clock_grade = "", ""
    if offset is not None and abs(offset) >= CLOCK_NOTED:
        clock = f"{_span(abs(offset))} {'ahead' if offset > 0 else 'behind'}"
        clock_grade = "warn" if abs(offset) >= CLOCK_WRONG else "ok"
    cloned = row["clone_seen_at"]
    return AgentView(
        row=row,
        html_id=f"agent-{row['agent_id']}",
        name=row["hostname"] or str(row["agent_id"]),
        grade="bad" if age > LOST else "warn" if age > LATE else "ok",
        clock=clock,
        clock_grade=clock_grade,
        cloned=cloned is not None and now - cloned < CLONE_SHOWN,
    )


def _span(seconds: float) -> str:
    for size, word in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {word}"
    return f"{seconds:.0f} s"


class Renderer:
    """The templates, loaded once."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(plain=plain, thousands=thousands, when=when, iso=_iso)
        self._templates.globals.update(version=__version__, level_of=level_of)

    def fleet(self, fleet: Fleet, cut: Cut, install: Install, now: datetime) -> str:
        """Return the page of all sites, or of one."""
        found = {key: list(rows) for key, rows in groupby(fleet.devices, itemgetter("site"))}
        views = []
        for row in fleet.sites:
            mine = found.get(row["id"], [])
            of_site = mine[0]["of_site"] if mine else 0
            views.append(
                SiteView(
                    id=row["id"],
                    name=row["name"],
                    agents=[_agent_view(agent, now) for agent in fleet.agents if agent["site"] == row["id"]],
                    devices=sorted(map(device_view, mine), key=attrgetter("order")),
                    of_site=of_site,
                    previous=cut.page - 1 if cut.page > 1 else None,
                    following=cut.page + 1 if cut.site is not None and cut.page * cut.limit < of_site else None,
                )
            )
        template = self._templates.get_template("fleet.html")
        return template.render(sites=views, summary=fleet.summary, install=install, one_site=cut.site is not None)

    def device(self, view: DeviceView, agent: Row, events: Sequence[Row], now: datetime) -> str:
        """Return a device's page."""
        template = self._templates.get_template("device.html")
        return template.render(device=view, agent=_agent_view(agent, now), events=events, now=now)

    def fragments(self, devices: Sequence[Row], agents: Sequence[Row], summary: Row, now: datetime) -> dict[str, str]:
        """Return the elements of the fleet page that changed, by their ids."""
        device = self._templates.get_template("_device.html")
        agent = self._templates.get_template("_agent.html")
        result = {"summary": self._templates.get_template("_summary.html").render(summary=summary)}
        for view in map(device_view, devices):
            result[view.html_id] = device.render(device=view)
        for shown in (_agent_view(row, now) for row in agents):
            result[shown.html_id] = agent.render(agent=shown)
        return result

    def error(self, text: str) -> str:
        """Return a page that says what is wrong."""
        return self._templates.get_template("error.html").render(text=text)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
