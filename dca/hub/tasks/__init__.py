"""What the hub asks of agents: signed, kept, handed out, and followed until its end is known."""

from __future__ import annotations

from dca.hub.tasks.desk import new_task
from dca.hub.tasks.dispatch import Dispatcher
from dca.hub.tasks.ending import cancel_task, expire
from dca.hub.tasks.handout import open_tasks
from dca.hub.tasks.key import TaskKey

__all__ = ["Dispatcher", "TaskKey", "cancel_task", "expire", "new_task", "open_tasks"]
