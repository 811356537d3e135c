from __future__ import annotations

import asyncio
import socket
import threading
import time

import pytest

from dca.net.dns import Answer, SystemResolver, system_lookup


async def ask(found, name="printer.example"):
    def lookup(asked):
        assert asked == name
        if isinstance(found, Exception):
            raise found
        return found

    return await SystemResolver(lookup=lookup)(name)


async def test_answers_are_normal_sorted_and_each_once():
    found = ["2001:DB8::2", "10.0.0.9", "10.0.0.10", "2001:db8::1", "::ffff:10.0.0.9", "fe80::1%2", "10.0.0.9"]
    assert await ask(found) == Answer(("10.0.0.9", "10.0.0.10", "2001:db8::1", "2001:db8::2", "fe80::1%2"))


@pytest.mark.parametrize("found", [[], ["not an address"], ["10.0.0.1%eth0", "\0"]])
async def test_an_answer_without_an_address_is_a_failure(found):
    answer = await ask(found)
    assert (answer.addresses, answer.unknown) == ((), False)
    assert "printer.example" in answer.failure


async def test_no_such_name_is_told_from_what_may_pass():
    gone = await ask(socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
    later = await ask(socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"))
    broken = await ask(UnicodeError("label too long"))
    assert (gone.unknown, later.unknown, broken.unknown) == (True, False, False)
    assert later.failure == "printer.example: Temporary failure in name resolution"
    assert broken.failure


async def test_a_silent_name_server_is_given_up_and_its_threads_are_bounded():
    release = threading.Event()
    asked = []

    def lookup(name):
        asked.append(name)
        release.wait(30)
        return ["10.0.0.1"]

    resolver = SystemResolver(timeout=0.05, threads=2, lookup=lookup)
    began = time.monotonic()
    answers = await asyncio.gather(*(resolver(f"n{number}") for number in range(6)))
    assert time.monotonic() - began < 5
    assert sorted("within 0.05 s" in answer.failure for answer in answers) == [False] * 4 + [True] * 2
    assert all(answer.failure and not answer.unknown for answer in answers)
    assert len(asked) == 2
    release.set()
    for thread in threading.enumerate():
        if thread.name.startswith("dns "):
            assert thread.daemon
            await asyncio.to_thread(thread.join, 10)
    assert await resolver("again") == Answer(("10.0.0.1",))


async def test_more_names_than_threads_take_turns():
    release = threading.Event()

    def lookup(name):
        release.wait(30)
        return [f"10.0.0.{name}"]

    resolver = SystemResolver(threads=2, lookup=lookup)
    asyncio.get_running_loop().call_later(0.05, release.set)  # by then every name has been asked for
    answers = await asyncio.gather(*(resolver(str(number)) for number in range(1, 31)))
    assert [answer.addresses for answer in answers] == [(f"10.0.0.{number}",) for number in range(1, 31)]


async def test_cancellation_passes_and_leaves_the_resolver_usable():
    release = threading.Event()

    def lookup(name):
        if name == "slow":
            release.wait(30)
        return ["10.0.0.1"]

    resolver = SystemResolver(threads=2, lookup=lookup)
    task = asyncio.create_task(resolver("slow"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await resolver("quick")).addresses == ("10.0.0.1",)
    release.set()


def test_a_loop_that_ended_meanwhile_does_not_matter():
    release = threading.Event()

    def lookup(_name):
        release.wait(30)
        return ["10.0.0.1"]

    asyncio.run(SystemResolver(timeout=0.01, lookup=lookup)("slow"))
    thread = next(thread for thread in threading.enumerate() if thread.name == "dns slow")
    release.set()
    thread.join(10)
    assert not thread.is_alive()


def test_the_system_knows_this_machine():
    assert set(system_lookup("localhost")) <= {"127.0.0.1", "::1"}
    assert system_lookup("localhost")


def test_a_link_local_answer_keeps_its_zone(monkeypatch):
    found = [
        (socket.AF_INET6, socket.SOCK_DGRAM, 17, "", ("fe80::1", 0, 0, 3)),
        (socket.AF_INET6, socket.SOCK_DGRAM, 17, "", ("fe80::2%eth0", 0, 0, 3)),
        (socket.AF_INET, socket.SOCK_DGRAM, 17, "", ("10.0.0.1", 0)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: found)
    assert system_lookup("x") == ["fe80::1%3", "fe80::2%eth0", "10.0.0.1"]
