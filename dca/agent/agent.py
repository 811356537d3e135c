"""The agent as a process: signals, reload, heartbeats, and an end in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from typing import TYPE_CHECKING, Literal

import dca
from dca.agent.parts import hide_secrets, open_parts
from dca.agent.record import Record, changed_tables
from dca.agent.session import Session
from dca.config import ConfigWatch, PolicyConfig
from dca.errors import ConfigError, ConfigProblem, DcaError, StoreError
from dca.service.logs import setup_logging
from dca.service.notes import Notes, load_notes, save_notes
from dca.service.notify import Notifier, feed_watchdog
from dca.service.sealed import seal_memory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dca.agent.parts import Parts
    from dca.config import Config

__all__ = ["Agent", "run_agent"]

log = logging.getLogger(__name__)

_GONE = (
    "the [policy] table is gone from the config file, as from a half-written one; if that is meant, reload once more"
)
PULSE = 10.0
"""Seconds between two looks at whether everything is alive."""
FOLLOW = 2.0
"""Seconds between two looks at the config file."""
BEATS = {"schedule": 60.0, "state file": 120.0, "readings": 300.0, "delivery": 900.0}
"""Seconds within which each part must show that it is alive, for the watchdog."""


class Agent:
    """Reads devices and delivers what it read, until it is told to stop.

    `path` is the config file to follow; None follows none.
    """

    def __init__(self, config: Config, path: Path | None = None, *, notifier: Notifier | None = None) -> None:
        self._config = config
        self._opened = _for_life(config)
        self._notifier = notifier or Notifier.from_environment()
        self._watch = ConfigWatch(path, config, on_error=self._tell, on_good=self._good) if path is not None else None
        self._stopping = asyncio.Event()
        self._turn = asyncio.Event()
        self._asked = asyncio.Event()
        self._session: Session | None = None
        self._next: Session | None = None
        self._wrong = False
        self._closed = ""
        self._record: Record | None = None
        self._notes = Notes()

    async def run(self) -> None:
        """Run until `stop`.

        Raises:
            ConfigError: the config cannot be used.
            DeliveryError: the hub's address or proxy cannot be used.
            StoreError: the state directory cannot be used, or another agent uses it.
        """
        hide_secrets(self._config)
        async with open_parts(self._config, notifier=self._notifier) as parts:
            self._notes = await parts.store.run(load_notes)
            parts.offset.seconds = self._notes.clock_offset
            self._notes.version, self._notes.started_at = dca.__version__, parts.started_at
            with contextlib.suppress(StoreError):
                await parts.store.run(lambda connection: save_notes(connection, self._notes))
            record = self._record = Record(parts)
            record.note("agent_started", f"dca {dca.__version__} started", agent_id=parts.outbox.agent_id)
            self._next = Session(self._config, parts, self._notes)
            for name, within in BEATS.items():
                parts.beats.register(name, within)
            log.info(
                "agent %s of dca %s started: %d known devices",
                parts.outbox.agent_id,
                dca.__version__,
                len(parts.registry),
            )
            async with asyncio.TaskGroup() as group:
                helpers = [
                    group.create_task(feed_watchdog(self._notifier, parts.beats), name="watchdog"),
                    group.create_task(self._pulse(parts), name="pulse"),
                    group.create_task(self._follow(parts), name="follow"),
                ]
                if parts.desk is not None:
                    helpers.append(group.create_task(parts.desk.run(), name="tasks"))
                await self._sessions()
                for helper in helpers:
                    helper.cancel()
            if parts.desk is not None:
                await parts.desk.close(0.0)
            await record.close()
        log.info("stopped")

    def stop(self) -> None:
        """Begin to stop; `run` returns within five seconds."""
        if not self._stopping.is_set():
            self._stopping.set()
            log.info("stopping")
            self._notifier.stopping()
            self._turn.set()

    def reload(self) -> None:
        """Read the config file, and the secrets that it refers to, anew."""
        self._asked.set()

    async def _sessions(self) -> None:
        changed = False
        while (session := self._next) is not None and not self._stopping.is_set():
            self._session, self._next = session, None
            self._turn.clear()
            self._notifier.ready()
            await session.run(self._turn, discover_now=changed)
            if self._stopping.is_set():
                await session.finish()
            else:
                await session.close()
            changed = self._config.ranges != session.config.ranges

    async def _follow(self, parts: Parts) -> None:
        """Take each new config that can be used."""
        while self._watch is not None:
            asked = self._asked.is_set()
            self._asked.clear()
            self._wrong = False
            config = self._watch.reload() if asked else self._watch.poll()
            if config is not None:
                self._take(config, parts)
            elif asked and not self._wrong:
                log.info("the config is as it was")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FOLLOW):
                    await self._asked.wait()

    def _take(self, config: Config, parts: Parts) -> None:
        hide_secrets(config)
        self._notifier.reloading()
        before = self._config
        try:
            closed = _GONE if before.policy != PolicyConfig() == config.policy else ""
            following = Session(config, parts, self._notes, closed=closed)
            if config.log != before.log:
                _set_up_logging(config)
        except (DcaError, OSError) as error:
            log.error("the new config cannot be used, the old one stays: %s", error)  # noqa: TRY400  # no bug
            if self._watch is not None:
                self._watch.current = before  # else the same file, read again, would pass for the one in force
            self._close_policy(f"the config file cannot be used any more ({error})")
            self._notifier.ready()
            return
        if _for_life(config) not in (_for_life(before), self._opened):
            log.warning("a new state_dir or outbox_mb takes effect at the next start")
        log.info("the config is taken anew")
        if self._record is not None:
            changed = changed_tables(before, config)
            self._record.note("config_changed", f"the config was taken anew; other than before: {changed}")
        self._config, self._next = config, following
        self._close_policy(closed)
        self._turn.set()

    def _tell(self, error: ConfigError) -> None:
        self._wrong = True
        first = error.problems[0] if error.problems else error
        self._close_policy(f"the config file cannot be used any more ({first})")
        log.error("the new config cannot be used, the old one stays: %s", error)

    def _good(self) -> None:
        self._close_policy("")

    def _close_policy(self, reason: str) -> None:
        """Deny every task while the customer's word cannot be read; reading and delivering go on."""
        if reason != self._closed and self._record is not None:
            text = f"every task is denied: {reason}" if reason else "the customer's policy decides again"
            self._record.note("policy_closed" if reason else "policy_opened", text)
        self._closed = reason
        for session in (self._session, self._next):
            if session is not None:
                session.close_policy(reason)

    async def _pulse(self, parts: Parts) -> None:
        """Tick for what shows that it is alive, and say in a line how things are."""
        life: int | None = None
        said = ""
        while True:
            with contextlib.suppress(StoreError):
                figures = await parts.outbox.figures()
                now = f"{parts.registry.answering()} of {len(parts.registry)} devices answer, {figures.depth} rows wait"
                if now != said:
                    said = now
                    self._notifier.status(now)
            parts.beats.tick("state file")
            session = self._session
            if session is not None:
                last, life = life, session.sign_of_life()
                if life is None or life != last:
                    parts.beats.tick("readings")
                if not session.delivering:
                    parts.beats.tick("delivery")
            await asyncio.sleep(PULSE)


def run_agent(path: Path, config: Config) -> None:
    """Run the agent in this process until a signal ends it: SIGTERM and SIGINT stop it, SIGHUP reloads.

    Raises as `Agent.run` does; ConfigError also when the log file cannot be written.
    """
    try:
        _set_up_logging(config)
    except OSError as error:
        raise ConfigError(
            config.path, [ConfigProblem("log.file", f"cannot be written: {error.strerror or error}")]
        ) from error
    seal_memory()

    async def main() -> None:
        agent = Agent(config, path)
        _on_signal(agent.stop, "SIGTERM", "SIGINT", "SIGBREAK")
        _on_signal(agent.reload, "SIGHUP")
        await agent.run()

    # Not the Proactor of Windows: gRPC and services do without its wake-up by signal.
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(main())


def _for_life(config: Config) -> tuple[Path, int]:
    """Return what of a config holds until the process ends."""
    return config.agent.state_dir, config.limits.outbox_mb


def _on_signal(call: Callable[[], None], *names: str) -> None:
    loop = asyncio.get_running_loop()
    for name in names:
        number = getattr(signal, name, None)
        if number is None:
            continue  # not a signal of this system
        try:
            loop.add_signal_handler(number, call)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(call))


def _set_up_logging(config: Config) -> None:
    form: Literal["text", "json"] = "json" if config.log.format == "json" else "text"
    setup_logging(config.log.level, form, config.log.file)
