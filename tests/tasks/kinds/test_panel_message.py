"""A text on the panel: where a way is known for the make, no longer than it takes, and read back."""

from __future__ import annotations

import pytest

from dca.errors import TaskError
from dca.printers.profiles import Profiles
from dca.printers.profiles.load import parse_profile
from tests.tasks.kinds.conftest import PUBLIC, WRITER

STANDARD = """
name = "kyocera"
manufacturer = "Kyocera"
[match]
object_ids = ["1.3.6.1.4.1.1347"]
[panel_message]
oid = "1.3.6.1.2.1.43.16.5.1.2.1.1"
most = 40
stated_by = "made for the test"
"""


async def test_hp_takes_it_with_its_symbol_set(site_of):
    async with site_of("hp-mono", credentials=(PUBLIC, WRITER), write_community="very-private") as (site, one, _):
        told = await site.run("panel_message", '{"text": "Ring 7 für Toner"}')
        assert told["credential"] == "writer"
        assert one.state.message == "Ring 7 für Toner"
        assert told["panel"][0] == "Ring 7 für Toner"
        await site.run("panel_message", '{"text": ""}')
    assert one.state.message == ""


async def test_the_standard_object_serves_where_a_profile_says_so(site_of):
    async with site_of("kyocera-ecosys", credentials=(WRITER,), write_community="very-private") as (site, one, _):
        site.profiles = Profiles([parse_profile("kyocera.toml", STANDARD)])
        told = await site.run("panel_message", '{"text": "Service comes at 10"}')
    assert told["panel"][0] == "Service comes at 10"
    assert one.sets == 1


async def test_a_make_without_a_known_way_is_left_alone(site_of):
    async with site_of("kyocera-ecosys", credentials=(WRITER,), write_community="very-private") as (site, one, _):
        with pytest.raises(TaskError, match="panel of Kyocera is not known") as told:
            await site.run("panel_message", '{"text": "hello"}')
    assert told.value.code == "unsupported"
    assert one.sets == 0


@pytest.mark.parametrize(("text", "words"), [("x" * 17, "takes 16"), ("日本", "does not have the character '日本'")])
async def test_what_the_panel_cannot_show_is_not_sent(site_of, text, words):
    async with site_of("hp-mono", credentials=(WRITER,), write_community="very-private") as (site, one, _):
        with pytest.raises(TaskError, match=words) as told:
            await site.run("panel_message", f'{{"text": "{text}"}}')
    assert told.value.code == "bad_parameters"
    assert one.sets == 0


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        (f'{{"text": "{"x" * 81}"}}', "it may have 80"),
        (r'{"text": "a\nb"}', "does not print"),
        ("{}", "text"),
        ('{"text": 7}', "not of its type"),
    ],
)
async def test_bad_texts_are_refused_in_words(site_of, parameters, words):
    async with site_of("hp-mono") as (site, _, _):
        with pytest.raises(TaskError, match=words):
            site.order("panel_message", parameters)


async def test_who_may_not_write_is_told(site_of):
    async with site_of("hp-mono") as (site, one, _):
        with pytest.raises(TaskError, match="noAccess"):
            await site.run("panel_message", '{"text": "hello"}')
    assert one.sets == 0
