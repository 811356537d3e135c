"""One handler at work: its time limit, its progress, its end, and what it brought, fit to travel."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from dca.contract.tasks import MAX_RESULT
from dca.errors import DcaError, TaskError
from dca.tasks.states import Outcome, State, words

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from dca.tasks.kind import Kind, Result

__all__ = ["Run", "Stop"]

_log = logging.getLogger(__name__)

Stop: TypeAlias = Literal["cancelled", "interrupted", "time_limit"]
"""Why a handler is made to end."""
_LINE_EVERY = 5.0
"""Seconds between two lines of progress."""
_MOST_LINE = 200
_LAST_WORDS = 5.0
"""Seconds that a handler gets to end when it is made to."""


class Run:
    """One run of a task's handler. `tell` is called with a line of progress, one in five seconds at most."""

    def __init__(self, kind: Kind, task_id: str, tell: Callable[[str], None]) -> None:
        self._kind = kind
        self._task_id = task_id
        self._tell = tell
        self._handler: asyncio.Task[Result] | None = None
        self._stopped: Stop | None = None
        self._over = asyncio.Event()
        self._timers: list[asyncio.TimerHandle] = []
        self._line = ""
        self._said = False
        self._next_line: asyncio.TimerHandle | None = None

    @property
    def stopped(self) -> Stop | None:
        """Return why it was made to end; None when it was not."""
        return self._stopped

    def progress(self, text: str) -> None:
        """Take a line of progress; what follows too soon waits, and the last one counts."""
        self._line = words(text, _MOST_LINE)
        if not self._said:
            self._say()

    def stop(self, why: Stop) -> None:
        """Make the handler end; one that goes on all the same is left to itself after some seconds."""
        if self._stopped is not None or self._over.is_set():
            return
        self._stopped = why
        self._timers.append(asyncio.get_running_loop().call_later(_LAST_WORDS, self._over.set))
        if self._handler is not None:
            self._handler.cancel()

    async def outcome(self, work: Coroutine[Any, Any, Result]) -> Outcome:
        """Run `work` to its end, or to its limit, and return what is to be told of it; raises nothing of its own."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        handler = self._handler = loop.create_task(work, name=f"task {self._kind.name}")
        handler.add_done_callback(self._ended)
        self._timers.append(loop.call_later(self._kind.limit, self.stop, "time_limit"))
        if self._stopped is not None:  # before it began
            handler.cancel()
        try:
            await self._over.wait()
        finally:
            handler.cancel()
            for timer in filter(None, (*self._timers, self._next_line)):
                timer.cancel()
        return self._judge(handler, loop.time() - began)

    def _ended(self, handler: asyncio.Task[Result]) -> None:
        if not handler.cancelled():
            handler.exception()  # one that was left to itself is asked by nobody else
        self._over.set()

    def _say(self) -> None:
        line, self._line = self._line, ""
        self._said = bool(line) and not self._over.is_set()
        if self._said:
            self._next_line = asyncio.get_running_loop().call_later(_LINE_EVERY, self._say)
            self._tell(line)

    def _judge(self, handler: asyncio.Task[Result], took: float) -> Outcome:
        if not handler.done():
            _log.error("the task %s (%s) does not end when it is told to", self._task_id, self._kind.name)
            return self._ended_early()
        error = None if handler.cancelled() else handler.exception()
        if handler.cancelled() or (error is not None and self._stopped):
            return self._ended_early()
        if error is None:
            return self._brought(handler.result(), took)
        if isinstance(error, DcaError):
            code = error.code if isinstance(error, TaskError) else "failed"
            return Outcome(State.FAILED, str(error) or type(error).__name__, code)
        _log.error("the task %s (%s) has failed by a bug", self._task_id, self._kind.name, exc_info=error)
        return Outcome(State.FAILED, f"a bug of the agent ({type(error).__name__}); its log says more", "bug")

    def _ended_early(self) -> Outcome:
        doubt = "; whether it took effect is not known" if self._kind.changes else ""
        if self._stopped == "cancelled":
            return Outcome(State.CANCELLED, f"cancelled while it ran{doubt}", "cancelled")
        if self._stopped == "time_limit":
            return Outcome(State.FAILED, f"ended after {self._kind.limit:g} s, its limit{doubt}", "time_limit")
        return Outcome(State.FAILED, f"the agent ended while it ran{doubt}", "interrupted")

    def _brought(self, result: object, took: float) -> Outcome:
        try:
            text = json.dumps(result, allow_nan=False) if isinstance(result, dict) else ""
        except (TypeError, ValueError, RecursionError):
            text = ""
        if not text:
            _log.error("the task %s (%s) brought no JSON object", self._task_id, self._kind.name)
            return Outcome(State.FAILED, "a bug of the agent: what the task brought is no JSON object", "bug")
        if len(text) > MAX_RESULT:
            return Outcome(
                State.FAILED, f"it was done, but what it brought is too large to send: {len(text)} bytes", "too_large"
            )
        return Outcome(State.DONE, f"done in {took:.1f} s", result=text)
