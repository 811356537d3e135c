"""The restart of a device: done once, with the credential that may, and watched until it is clear."""

from __future__ import annotations

import dataclasses

import pytest

from dca.errors import TaskError
from dca.sim import Device
from dca.snmp.oids import oid
from tests.tasks.kinds.conftest import PUBLIC, WRITER


def moving(hand):
    async def pause(seconds):
        hand.seconds += seconds

    return pause


async def test_it_restarts_and_the_uptime_shows_it(site_of):
    async with site_of("kyocera-ecosys", credentials=(WRITER,), write_community="very-private") as (site, one, hand):
        told = await site.run("device_restart", pause=moving(hand))
    assert told["restarted"] is True
    assert told["credential"] == "writer"
    assert one.sets == 1
    assert site.said[1:] == ["silent since the request, after 3 s"]


@pytest.mark.parametrize(("how", "value"), [("cold", 4), ("warm", 5)])
async def test_how_it_restarts_is_the_value_of_the_standard(site_of, how, value):
    written = []
    async with site_of("hp-mono", credentials=(WRITER,), write_community="very-private") as (site, one, hand):
        one.journal = written.append
        await site.run("device_restart", f'{{"how": "{how}"}}', pause=moving(hand))
    assert [(one.oid, one.value) for one in written] == [("1.3.6.1.2.1.43.5.1.1.3.1", value)]


async def test_a_printer_that_is_not_its_devices_first_is_restarted_by_its_own_index(site_of):
    written = []
    async with site_of("oki-color", credentials=(WRITER,), write_community="very-private") as (site, one, hand):
        one.journal = written.append
        await site.run("device_restart", pause=moving(hand))
    assert [one.oid for one in written] == ["1.3.6.1.2.1.43.5.1.1.3.3"]


async def test_the_next_credential_is_tried_where_the_first_may_only_read(site_of):
    async with site_of("hp-mono", credentials=(PUBLIC, WRITER), write_community="very-private") as (site, one, hand):
        assert site.known.credential == "public"
        told = await site.run("device_restart", pause=moving(hand))
    assert (told["restarted"], told["credential"]) == (True, "writer")
    assert one.sets == 1


async def test_a_refusal_names_the_credential_and_the_status(site_of):
    async with site_of("hp-mono") as (site, one, hand):
        with pytest.raises(TaskError, match=r"public write 1\.3\.6\.1\.2\.1\.43\.5\.1\.1\.3\.1 \(noAccess\)") as told:
            await site.run("device_restart", pause=moving(hand))
    assert told.value.code == "refused"
    assert one.sets == 0


async def test_a_device_that_does_not_restart_is_said_to_be_up(site_of, monkeypatch):
    monkeypatch.setattr(Device, "_restart", lambda _: None)
    async with site_of("hp-mono", credentials=(WRITER,), write_community="very-private") as (site, one, hand):
        told = await site.run("device_restart", pause=moving(hand))
    assert told["restarted"] is False
    assert told["answered"] is True
    assert one.sets == 1


async def test_a_device_that_stays_away_is_unknown_and_asked_once_only(site_of, monkeypatch):
    monkeypatch.setattr("dca.tasks.kinds.device_restart._WATCH", 6.0)
    async with site_of("hp-mono", credentials=(WRITER,), write_community="very-private") as (site, one, _):

        async def pause(seconds):
            one.silent = True

        told = await site.run("device_restart", pause=pause)
    assert told["restarted"] == "unknown"
    assert one.sets == 1


async def test_a_set_whose_answer_is_lost_is_not_sent_again(site_of, monkeypatch):
    monkeypatch.setattr("dca.tasks.writing.ONCE", (0.3,))
    heard = Device.answer

    sent = []

    def lossy(device, datagram):
        before = device.sets
        sent.append(oid("1.3.6.1.2.1.43.5.1.1.3.1") in datagram)
        said = heard(device, datagram)
        return None if device.sets > before else said

    monkeypatch.setattr(Device, "answer", lossy)
    async with site_of("hp-mono", credentials=(WRITER, PUBLIC), write_community="very-private") as (site, one, hand):
        told = await site.run("device_restart", pause=moving(hand))
    assert told["restarted"] is True
    assert told["answered"] is False
    assert one.sets == 1
    assert sum(sent) == 1


async def test_a_device_that_does_not_answer_at_all_is_not_asked_to_restart(site_of):
    async with site_of("hp-mono", credentials=(WRITER,), write_community="very-private") as (site, one, hand):
        one.silent = True
        with pytest.raises(TaskError, match="nothing was set") as told:
            await site.run("device_restart", pause=moving(hand))
    assert told.value.code == "no_answer"


async def test_the_factory_settings_are_out_of_reach(site_of):
    async with site_of("hp-mono") as (site, _, _):
        for how in ('"factory"', "6"):
            with pytest.raises(TaskError, match="how is not of its type"):
                site.order("device_restart", f'{{"how": {how}}}')
        site.known = dataclasses.replace(site.known, address="127.99.0.9")
        with pytest.raises(TaskError, match="no range"):
            await site.run("device_restart")
