"""Send a batch to JetStream and collect its acknowledgements.

The client library's own asynchronous publishing costs several times as much a message and swallows
cancellation; this uses its connection with one reply inbox for a batch.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, NamedTuple

from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nats.aio.client import Client
    from nats.aio.msg import Msg

__all__ = ["Message", "Refusal", "send"]


YIELD_EVERY = 50
"""Messages after which others have their turn."""


class Refusal(NatsError):  # noqa: N818 - it is caught with the library's own errors
    """The server answered that it does not store a message."""


class Message(NamedTuple):
    """What is sent; its name becomes Nats-Msg-Id."""

    name: str
    payload: bytes
    headers: dict[str, str]


async def send(client: Client, subject: str, messages: Iterable[Message], seconds: float) -> list[str]:
    """Send messages to a stream's subject and wait until each is acknowledged; return the names of those too large.

    Raises: nats.errors.Error when one is refused; TimeoutError after these seconds.
    """
    inbox = client.new_inbox()
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    sent, acknowledged, finished = 0, 0, False

    async def arrived(answer: Msg) -> None:
        nonlocal acknowledged
        if wrong := _refusal(answer):
            if not done.done():
                done.set_exception(wrong)
            return
        acknowledged += 1
        if finished and acknowledged == sent and not done.done():
            done.set_result(None)

    too_large = []
    subscription = await client.subscribe(inbox, cb=arrived)
    try:
        async with asyncio.timeout(seconds):
            for message in messages:
                headers = {**message.headers, "Nats-Msg-Id": message.name}
                try:
                    await client.publish(subject, message.payload, inbox, headers)
                except MaxPayloadError:
                    too_large.append(message.name)
                    continue
                sent += 1
                if not sent % YIELD_EVERY:
                    await asyncio.sleep(0)
            finished = True
            if acknowledged < sent:
                await done
    finally:
        await subscription.unsubscribe()
    return too_large


def _refusal(answer: Msg) -> Refusal | None:
    """Return what is wrong with an acknowledgement, if anything."""
    if answer.headers and "Status" in answer.headers:
        return Refusal(f"no stream takes it (status {answer.headers['Status']})")
    try:
        wrong = json.loads(answer.data).get("error")
    except (ValueError, AttributeError):
        return Refusal("the acknowledgement cannot be read")
    return Refusal(str(wrong.get("description", wrong))) if wrong else None
