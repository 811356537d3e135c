from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from dca.errors import ProfileError
from dca.printers.profiles import load_profiles
from dca.printers.profiles.load import parse_profile
from dca.printers.profiles.transforms import chain

RECORDINGS = Path(__file__).parent / "recordings"
LEAST = 'name = "x"\nmanufacturer = "X"\n[match]\ndescriptions = ["x "]\n'


def names():
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in files("dca.printers.profiles").iterdir()
        if entry.name.endswith(".toml")
    )


@pytest.mark.parametrize("name", names())
def test_every_profile_has_a_recording_that_it_fits(lab, name):
    assert (RECORDINGS / f"{name}.snmprec").is_file()
    assert lab.snapshot(lab.recorded(name)).profiles[0] == name


def test_the_file_is_called_as_the_profile(lab):
    assert sorted(profile.name for profile in lab.profiles) == names()


def broken(extra, allowed):
    with pytest.raises(ProfileError) as caught:
        parse_profile("x.toml", LEAST + extra)
    assert str(caught.value).startswith("x.toml: ")
    assert allowed in str(caught.value)


@pytest.mark.parametrize(
    ("extra", "allowed"),
    [
        ("[supplys]\n", "unknown key 'supplys'; allowed are brands"),
        ('[[identity]]\nfield = "colour"\noid = "1.3.6.1"\nstated_by = "me"\n', "identity[0].field must be one of"),
        ('[[identity]]\nfield = "serial"\noid = "1.3.x"\nstated_by = "me"\n', "identity[0].oid must be a dotted OID"),
        ('[[identity]]\nfield = "serial"\noid = "1.3.6.1"\n', "identity[0].stated_by must be a text"),
        (
            '[[identity]]\nfield = "serial"\noid = "1.3.6.1"\nstated_by = "me"\ntransform = ["rot13"]\n',
            "transform must",
        ),
        ('[[meter]]\nname = "pages"\noid = "1.3.6.1"\nstated_by = "me"\n', "meter[0].name must be one of total"),
        ('[[meter]]\nname = "total"\noid = "1.3.6.1"\nstated_by = "me"\nunit = "m"\n', "meter[0].unit must be one of"),
        ('[[meter]]\nname = "total"\noid = "1.3.6.1"\nstated_by = "me"\nfallback = 1\n', "true or false, not 1"),
        ('[[counter_table]]\nkey = "1.3.6.1"\nvalue = "1.3.6.2"\nstated_by = "me"\n', "given, or `labels` instead"),
        ('[[records]]\noid = "1.3.6.1"\nstated_by = "me"\nmeters = { zz = "total" }\n', "numbers to base 16"),
        ('[[records]]\noid = "1.3.6.1"\nstated_by = "me"\nsteps = { 1 = "fine" }\n', "one of ok, low, empty"),
        ('[[supply_table]]\nkey = "index"\nadd = true\nstated_by = "me"\n', "supply_table[0].level must be a column"),
        ('[[supply_table]]\nkey = "index"\nrows = 99\nstated_by = "me"\n', "a whole number from 0 to 40"),
        ("[supplies]\ncodes = { 1 = 2 }\n", "supplies.codes must be a table of texts"),
        ("x = [", "no TOML"),
    ],
)
def test_a_mistake_is_told_with_file_key_and_what_is_allowed(extra, allowed):
    broken(extra, allowed)


def test_a_profile_that_fits_nothing_is_refused():
    with pytest.raises(ProfileError, match="match must have"):
        parse_profile("x.toml", 'name = "x"\nmanufacturer = "X"\n')


@pytest.mark.parametrize("oid", ["1248.1.2.2.44.1.1.2.1.1", "1248.1.7.1.0", "1248.1.8.2.0", "1347.47.6.1.1.1.1"])
def test_a_profile_cannot_name_what_is_never_read(oid):
    broken(f'[[meter]]\nname = "total"\noid = "1.3.6.1.4.1.{oid}"\nstated_by = "me"\n', "this one never is")


@pytest.mark.parametrize("column", ["1248.1.2.2.28.1.1.2", "1347.43.5", "1347"])
def test_a_profile_cannot_walk_towards_what_is_never_read(column):
    table = f'[[supply_table]]\nkey = "index"\nlevel = "1.3.6.1.4.1.{column}"\nstated_by = "me"\n'
    broken(table, "give `rows`")
    parse_profile("x.toml", LEAST + table + "rows = 4\n")


def test_a_customers_own_profile_replaces_one_of_the_same_name(tmp_path):
    (tmp_path / "hp.toml").write_text('name = "hp"\nmanufacturer = "H"\n[match]\ndescriptions = ["my hp"]\n', "utf-8")
    profiles = load_profiles(tmp_path)
    assert profiles.is_printer("", "My HP 1")
    assert not profiles.is_printer("1.3.6.1.4.1.11.2.3.9.1", "")


def test_a_file_that_is_no_text_is_told(tmp_path):
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ProfileError, match=r"bad\.toml cannot be read"):
        load_profiles(tmp_path)


@pytest.mark.parametrize(
    ("object_id", "description", "wanted"),
    [
        ("1.3.6.1.4.1.11.2.3.9.1", "", True),
        ("1.3.6.1.4.1.11.1", "", True),
        ("1.3.6.1.4.1.11.2.3.7.11.1", "ProCurve Switch", False),
        ("1.3.6.1.4.1.2435.2.3.9.1", "", True),
        ("", "Samsung SCX", True),
        ("", "Dell Color Laser", True),
        ("1.3.6.1.4.1.674.10895.3000", "Dell Networking N2048", False),
        ("1.3.6.1.4.1.8072.3.2.10", "Linux host", False),
        ("1.3.6.1.4.1.641000.1", "", False),
        ("", "", False),
    ],
)
def test_a_printer_is_known_by_its_oid_or_words(lab, object_id, description, wanted):
    assert lab.profiles.is_printer(object_id, description) is wanted


def test_words_count_more_than_the_oid(lab):
    """OEM devices keep the OID of who built them: HP's print server in a Kyocera, a Toshiba built by Lexmark."""
    found = lab.profiles.match("1.3.6.1.4.1.641.1.5", "TOSHIBA e-STUDIO305CS", "")
    assert [profile.name for profile in found] == ["toshiba", "lexmark"]


@pytest.mark.parametrize(
    ("names_", "value", "wanted"),
    [
        (["pml"], b"\x01\x15B\xcfro", "Büro"),
        (["pml"], b"\xfd\xe8B\xc3\xbcro", "Büro"),
        (["pml"], b"\x00\x00ABC", "ABC"),
        (["pml"], b"PLAIN", "PLAIN"),
        (["after:SN:", "until:,"], b"X,SN:AB1,FN:2", "AB1"),
        (["after:SN:"], b"nothing", ""),
        (["before: / "], b"RICOH 1 / x", "RICOH 1"),
        (["before: / "], b"RICOH 1", ""),
        (["key:MDL"], b"MFG:A;MODEL:B 1;", "B 1"),
        (["word:-1"], b"a b c", "c"),
        (["word:5"], b"a b c", ""),
        (["drop_last_word"], b"a b c", "a b"),
        (["version"], b"V3.00.01.04 SEP", "3.00.01.04"),
        (["part"], b"TK-1262S", "TK-1262S"),
        (["part"], b"Waste Toner Box", ""),
        ([], 7, ""),
    ],
)
def test_transforms(names_, value, wanted):
    assert chain(names_)(value, 0) == wanted


@pytest.mark.parametrize("names_", [["after"], ["after:"], ["word:x"], ["part:1"], ["until:,", "pml"], ["nonsense"]])
def test_a_transform_that_is_none_is_refused(names_):
    with pytest.raises(ValueError, match=r"transform|invalid literal"):
        chain(names_)


def test_the_example_in_the_documentation_loads():
    page = (Path(__file__).parents[2] / "docs" / "readings.md").read_text("utf-8")
    profile = parse_profile("docs/readings.md", page.partition("```toml\n")[2].partition("```")[0])
    assert profile.name == "acme"
    assert len(profile.scalars) == 5
