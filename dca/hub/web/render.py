"""Fill the templates."""

from __future__ import annotations

from datetime import UTC
from itertools import groupby
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dca import __version__
from dca.hub.web.agent_views import AgentView, agent_view
from dca.hub.web.task_views import pretty, steps_of, task_view
from dca.hub.web.views import DeviceView, device_view
from dca.hub.web.words import level_of, plain, thousands, when

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dca.hub.tasks.story import Story
    from dca.hub.web.app import Install
    from dca.hub.web.queries import Cut, Fleet, Row

__all__ = ["Renderer", "SiteView"]


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
                    agents=[agent_view(agent, now) for agent in fleet.agents if agent["site"] == row["id"]],
                    devices=sorted(map(device_view, mine), key=attrgetter("order")),
                    of_site=of_site,
                    previous=cut.page - 1 if cut.page > 1 else None,
                    following=cut.page + 1 if cut.site is not None and cut.page * cut.limit < of_site else None,
                )
            )
        template = self._templates.get_template("fleet.html")
        return template.render(sites=views, summary=fleet.summary, install=install, one_site=cut.site is not None)

    def device(
        self, view: DeviceView, agent: Row, events: Sequence[Row], now: datetime, tasks: Sequence[Row] = ()
    ) -> str:
        """Return a device's page."""
        template = self._templates.get_template("device.html")
        return template.render(
            device=view, agent=agent_view(agent, now), events=events, now=now, tasks=list(map(task_view, tasks))
        )

    def tasks(self, tasks: Sequence[Row]) -> str:
        """Return the page of the latest tasks."""
        return self._templates.get_template("tasks.html").render(tasks=list(map(task_view, tasks)))

    def task(self, story: Story) -> str:
        """Return a task's page."""
        row = story.task
        return self._templates.get_template("task.html").render(
            task=task_view(row),
            steps=steps_of(story),
            parameters=pretty(row["parameters"]),
            result=pretty(row["result"]),
        )

    def fragments(self, devices: Sequence[Row], agents: Sequence[Row], summary: Row, now: datetime) -> dict[str, str]:
        """Return the elements of the fleet page that changed, by their ids."""
        device = self._templates.get_template("_device.html")
        agent = self._templates.get_template("_agent.html")
        result = {"summary": self._templates.get_template("_summary.html").render(summary=summary)}
        for view in map(device_view, devices):
            result[view.html_id] = device.render(device=view)
        for shown in (agent_view(row, now) for row in agents):
            result[shown.html_id] = agent.render(agent=shown)
        return result

    def error(self, text: str) -> str:
        """Return a page that says what is wrong."""
        return self._templates.get_template("error.html").render(text=text)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
