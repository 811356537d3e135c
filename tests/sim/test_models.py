from __future__ import annotations

import pytest

from dca.errors import ConfigError
from dca.sim import load_models
from dca.sim.load import read_models
from dca.sim.tree import shape_of
from dca.snmp.oids import arcs, dotted, oid
from tests.sim.asking import column, device, walk

MODELS = load_models()
PRINTERS = sorted(key for key, model in MODELS.items() if model.printer)
MINIMAL = '[[model]]\nkey = "x"\nmaker = "X"\nmodel = "Y"\ndescr = "Z"\nobject_id = "1.3.6.1.4.1.9"\n'


def test_the_makes_of_an_office_are_there():
    makers = {model.maker.lower() for model in MODELS.values() if model.printer}
    assert makers == {
        *("hp", "kyocera", "epson", "brother", "canon", "ricoh", "konica minolta"),
        *("xerox", "lexmark", "oki", "samsung", "sharp", "zebra"),
    }
    assert {key for key, model in MODELS.items() if not model.printer} == {"switch", "nas"}


@pytest.mark.parametrize("key", sorted(MODELS))
def test_a_walk_goes_through_every_instance_in_the_order_of_arcs(key):
    one = device(key, versions=["1", "2c"])
    found = [arcs(oid(name)) for name in walk(one)]
    assert found == sorted(found)
    gone = set(shape_of(one.model).names) - {oid(name) for name in walk(one)}
    assert not gone


@pytest.mark.parametrize("key", PRINTERS)
def test_a_printer_has_what_the_standards_ask_of_it(key):
    one = device(key, versions=["2c"])
    index = one.model.device_index
    tree = walk(one)
    host, mib = "1.3.6.1.2.1.25.3", "1.3.6.1.2.1.43"
    assert tree[f"{host}.2.1.2.{index}"][1] == oid(f"{host}.1.5")
    assert tree[f"{host}.5.1.1.{index}"][1] in {1, 3, 4, 5}
    assert len(tree[f"{host}.5.1.2.{index}"][1]) == one.model.error_octets
    assert tree[f"{mib}.10.2.1.4.{index}.1"][1] >= one.state.counts.total
    assert f"{mib}.16.5.1.2.{index}.1" in tree
    assert f"{mib}.8.2.1.10.{index}.{one.model.inputs[0].index}" in tree
    assert tree["1.3.6.1.2.1.2.2.1.6.1"][1] in {one.identity.mac, b""}


@pytest.mark.parametrize("key", sorted(MODELS))
def test_nothing_shows_a_template_that_was_not_filled(key):
    for name, (_, value) in walk(device(key, versions=["2c"])).items():
        if isinstance(value, bytes) and not name.startswith("1.3.6.1.2.1.2.2.1.6."):
            assert b"{" not in value, name


def test_no_model_has_what_must_never_be_asked():
    for model in MODELS.values():
        for name, _ in model.vendor:
            assert not name.startswith(("1.3.6.1.4.1.1248.1.2.2.44.", "1.3.6.1.4.1.1347.47.")), model.key


def test_the_quirks_are_shown():
    assert column(device("kyocera-ecosys"), "11.1.1", 9)["1.2"] == -3
    assert column(device("kyocera-ecosys"), "11.1.1", 8)["1.2"] == -2
    assert list(column(device("konica-color-mfp"), "11.1.1", 9)) == ["1.1", "1.2", "1.3", "1.4", "1.13"]
    assert column(device("epson-tank"), "11.1.1", 9) == {"1.1": -2}
    assert list(column(device("oki-color"), "5.1.1", 17)) == ["3"]
    assert column(device("lexmark-mono"), "8.2.1", 13)["1.1"] == b"Fach\xff1"
    assert column(device("oki-color"), "11.1.1", 6)["3.9"] == b"Bandenhet\0"
    assert column(device("ricoh-color-mfp"), "11.1.1", 6)["1.1"].decode() == "黑色碳粉"
    assert column(device("epson-office"), "5.1.1", 17) == {"1": b""}
    hp = device("hp-color-mfp")
    assert walk(hp)["1.3.6.1.4.1.11.2.3.9.4.2.1.1.3.3.0"][1] == b"\x01\x15" + hp.identity.serial.encode()
    assert walk(hp)["1.3.6.1.2.1.43.5.1.1.17.1"][1] == hp.identity.serial.encode()
    brother = walk(device("brother-color"))["1.3.6.1.4.1.2435.2.3.9.2.1.2.3.0"][1]
    assert brother[0] == 0
    assert brother.endswith(b"\0\0")


def test_brothers_records_tell_the_percentages_that_the_standard_table_hides():
    one = device("brother-mono", versions=["2c"], left={1: 0.5})
    assert column(one, "11.1.1", 9)["1.1"] == 0  # a state code: fine
    records = walk(one)["1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5.8.0"][1]
    assert records.endswith(b"\xff")
    found = {records[at]: int.from_bytes(records[at + 3 : at + 7], "big") for at in range(0, len(records) - 1, 7)}
    assert found[0x6F] == 5000
    counters = walk(one)["1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5.10.0"][1]
    assert int.from_bytes(counters[3:7], "big") == one.state.counts.total


def test_xeroxs_colorants_are_joined_by_their_index():
    one = device("xerox-color-mfp")
    names = column(one, "12.1.1", 4)
    of_supply = column(one, "11.1.1", 3)
    assert names[f"1.{of_supply['1.1']}"] == b"black"
    assert names[f"1.{of_supply['1.2']}"] == b"cyan"
    assert list(names.values()) != [b"black", b"cyan", b"magenta", b"yellow"]


def test_a_file_tells_all_its_mistakes_at_once():
    text = MINIMAL + (
        'charset = "ebcdic"\ncolour = true\nsupplies = [{ index = 1, type = "butter", description = "B" }]\n'
        '[model.vendor]\n"1.2" = { int = "no.such" }\n"1.3" = { string = "x" }\n"99999999999" = { int = 1 }\n'
        '"1.4" = { text = "{nonsense}" }\n'
    )
    with pytest.raises(ConfigError) as caught:
        read_models("made.toml", text)
    keys = {problem.key for problem in caught.value.problems}
    assert keys == {
        "model[0].charset",
        "model[0].colour",
        "model[0].supplies[0].type",
        "model[0].vendor.1.2",
        "model[0].vendor.1.3",
        "model[0].vendor.99999999999",
        "model[0].vendor.1.4",
    }
    assert "made.toml" in str(caught.value)


def test_a_file_that_is_no_toml_is_named():
    with pytest.raises(ConfigError, match=r"made\.toml"):
        read_models("made.toml", "[[model")


def test_a_model_without_its_least_fields_is_refused():
    with pytest.raises(ConfigError, match="object_id"):
        read_models("made.toml", '[[model]]\nkey = "x"\nmaker = "X"\nmodel = "Y"\ndescr = "Z"\n')


def test_common_fields_reach_every_model_and_give_way_to_its_own():
    text = '[common]\nmaker = "M"\nppm = 7\n[common.vendor]\n"1.1" = { int = 1 }\n'
    text += MINIMAL.replace('maker = "X"\n', "") + '[model.vendor]\n"1.2" = { int = 2 }\n'
    text += MINIMAL.replace('key = "x"', 'key = "y"') + "ppm = 9\n"
    first, second = read_models("made.toml", text)
    assert (first.maker, first.ppm) == ("M", 7)
    assert (second.maker, second.ppm) == ("X", 9)
    assert [dotted(oid(name)) for name, _ in first.vendor] == ["1.3.6.1.4.1.1.1", "1.3.6.1.4.1.1.2"]
