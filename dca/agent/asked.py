"""How tasks reach the desk in one session: by the channel at once, and with every answer of the hub."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from dca.channel import Channel, channel_plan
from dca.errors import AuditError, ChannelError, StoreError
from dca.model import Secret
from dca.service.logs import StateLog
from dca.wire.report_pb2 import AuditHead

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dca.agent.badge import Badge
    from dca.agent.parts import Parts
    from dca.audit import AuditLog, Entry
    from dca.config import Config
    from dca.tasks.desk import Desk
    from dca.wire.task_pb2 import Task

__all__ = ["AuditHeads", "open_channel", "take_task"]

SHOWN_EVERY = 60.0
"""Seconds between two looks into the audit log for the hub."""
_HASH_BYTES = 32
log = logging.getLogger(__name__)
_states = StateLog(log)


def open_channel(
    config: Config, badge: Badge, desk: Desk, parts: Parts, on_up: Callable[[], Awaitable[None]]
) -> Channel | None:
    """Return the channel that the config and the hub want, None for none."""
    try:
        plan = channel_plan(config, badge.identity.channel, wall=parts.clock.wall)
    except ChannelError as error:
        log.error("tasks come with the five-minute call only: %s", error)  # noqa: TRY400 - no bug
        return None
    if plan is None:
        return None
    login = plan.login
    if config.channel.kind == "hub":
        login = replace(login, password=lambda: _token(badge))
    return Channel(
        plan.routes,
        login,
        plan.topics,
        tls=lambda: badge.context(config),
        on_message=desk.take,
        on_up=on_up,
        keepalive=plan.keepalive,
        resolver=parts.resolver,
    )


def _token(badge: Badge) -> Secret:
    """Return the hub's token of the present certificate: a renewal brings another one."""
    settings = badge.identity.channel
    return Secret(settings.password if settings is not None else "")


async def take_task(desk: Desk, task: Task) -> None:
    """Hand a task of the hub's answer to the desk; what it cannot keep now the hub hands out again."""
    try:
        await desk.take(task.SerializeToString())
    except StoreError as error:
        _states.note("task", str(error), logging.WARNING, "a task has to wait: %s", error)
    else:
        _states.note("task", "ok", logging.INFO, "tasks are taken again")


class AuditHeads:
    """The entries of the audit log that go with a report; without a log none do.

    Reading them goes through up to 4 MiB of the log, and results of tasks make many reports: once a minute will do.
    """

    def __init__(self, audit: AuditLog | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._audit = audit
        self._clock = clock
        self._shown = float("-inf")

    async def __call__(self, held: int) -> tuple[AuditHead | None, AuditHead | None]:
        """Return the newest entry, and the one with the number that the hub holds; None where there is none.

        One that the hub holds and that is gone here has a hash of zeros: the hub sees that the log was rewritten.
        """
        now = self._clock()
        if self._audit is None or now - self._shown < SHOWN_EVERY:
            return None, None
        self._shown = now if held else self._shown  # the first answer tells which one to show
        try:
            return await asyncio.to_thread(self._read, self._audit, held)
        except AuditError as error:
            _states.note("audit", str(error), logging.ERROR, "the audit log cannot be read: %s", error)
            return None, None

    @staticmethod
    def _read(audit: AuditLog, held: int) -> tuple[AuditHead | None, AuditHead | None]:
        gone = AuditHead(number=held, hash=bytes(_HASH_BYTES))
        return _head(audit.head()), (_head(audit.entry(held)) or gone) if held else None


def _head(entry: Entry | None) -> AuditHead | None:
    return AuditHead(number=entry.n, hash=bytes.fromhex(entry.hash)) if entry is not None else None
