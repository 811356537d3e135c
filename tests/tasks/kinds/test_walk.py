"""The diagnosis walk of simulated devices: whole, redacted, never where it may not, and no larger than a result."""

from __future__ import annotations

import base64
import gzip
import json

import pytest

from dca.contract.tasks import MAX_RESULT
from dca.errors import TaskError
from dca.printers.never import is_forbidden
from dca.snmp.oids import oid
from dca.tasks.kinds import kinds
from tests.sim.asking import walk as walk_simulated
from tests.tasks.kinds.conftest import WRITER


def lines_of(told):
    return gzip.decompress(base64.b64decode(told["walk"])).decode().splitlines()


def names_of(told):
    return [line.partition(" = ")[0] for line in lines_of(told)]


async def test_everything_a_device_says_comes_in_order(site_of):
    async with site_of("hp-color-mfp") as (site, one, _):
        told = await site.run("walk")
        assert names_of(told) == list(walk_simulated(one))
    assert (told["cut"], told["why"], told["left_out"]) == (False, "", [])
    assert told["rows"] == len(lines_of(told)) > 200
    assert site.said[-1] == f"{told['rows']} rows"
    serial = f'1.3.6.1.2.1.43.5.1.1.17.1 = STRING: "{one.identity.serial}"'
    assert serial in lines_of(told), "it is the device's name, and travels in snapshots as well"


async def test_the_contact_and_the_credentials_do_not_leave(site_of):
    async with site_of("hp-mono", credentials=(WRITER,), community="very-private") as (site, one, _):
        one.state.message = "call very-private"
        one.state.version += 1
        told = await site.run("walk")
    lines = lines_of(told)
    assert not any("very-private" in line for line in lines)
    assert any("REDACTED: a secret of the config" in line for line in lines)
    assert told["redacted"] >= 1
    assert "very-private" not in json.dumps(told)


@pytest.mark.parametrize("model", ["epson-color-mfp", "kyocera-taskalfa"])
async def test_makes_with_something_forbidden_are_walked_up_to_the_fence(site_of, model):
    async with site_of(model) as (site, _, _):
        told = await site.run("walk")
    names = names_of(told)
    assert not any(is_forbidden(oid(name)) for name in names)
    assert sum(name.startswith("1.3.6.1.2.1.43.") for name in names) > 100
    assert "1.3.6.1.2.1.43.5.1.1.17.1" in names
    assert all("never read" in line for line in told["left_out"])
    assert told["left_out"]


async def test_a_root_and_a_limit_cut_it(site_of):
    async with site_of("hp-mono") as (site, _, _):
        told = await site.run("walk", '{"root": "1.3.6.1.2.1.1"}')
        assert names_of(told) == [f"1.3.6.1.2.1.1.{n}.0" for n in range(1, 8)]
        assert not told["cut"]
        told = await site.run("walk", '{"limit": 10}')
    assert (told["rows"], told["cut"], told["why"]) == (10, True, "the limit of 10 rows is reached")


async def test_a_result_holds_as_much_as_it_may(site_of, monkeypatch):
    monkeypatch.setattr("dca.tasks.packing.Pack.__init__.__defaults__", (2_000,))
    async with site_of("hp-color-mfp") as (site, _, _):
        told = await site.run("walk")
    assert told["cut"]
    assert told["why"] == "a result can hold no more"
    assert 0 < told["rows"] == len(lines_of(told))
    assert len(json.dumps(told)) < MAX_RESULT


async def test_a_device_that_falls_silent_leaves_what_was_read(site_of):
    async with site_of("hp-mono") as (site, one, _):
        said = site.said.append

        def progress(text):
            said(text)
            one.silent = text.endswith("rows")

        order = site.order("walk", '{"root": "1.3.6.1.2.1"}')
        object.__setattr__(order, "progress", progress)
        site.known.quirks["max_repetitions"] = 1
        told = await kinds()["walk"].run(order, site)
    assert told["cut"]
    assert "gave no answer" in told["why"]
    assert told["rows"] == len(lines_of(told)) > 0


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ('{"root": "1.3.6.1.4.1.1248.1.2.2.44.1"}', "never read"),
        ('{"root": "1.3.6.1.2.1.4.22.1"}', "other machines"),
        ('{"root": "1.2.840"}', "below 1.3.6.1"),
        ('{"root": "nonsense"}', "not a dotted OID"),
        ('{"limit": 0}', "1 to 100000 rows"),
        ('{"limit": true}', "not of its type"),
    ],
)
async def test_bad_parameters_are_refused_in_words(site_of, parameters, words):
    async with site_of("hp-mono") as (site, _, _):
        with pytest.raises(TaskError, match=words) as told:
            site.order("walk", parameters)
    assert told.value.code == "bad_parameters"
