from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from dca.config import example, parse
from dca.config.render import reference
from dca.config.sections import ARRAYS, TABLES
from dca.config.table import keys_of

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"
BEGIN, END = "<!-- keys: begin -->\n", "<!-- keys: end -->"
EVERY_KEY = [(name, key) for name, section in [*TABLES.items(), *ARRAYS.items()] for key in keys_of(section).values()]


def test_the_example_parses_and_changes_nothing():
    config = parse(example(), environ={})
    assert config == parse("", environ={})
    assert config.ranges == ()
    assert config.hub is None


@pytest.fixture(scope="module")
def ca_file(tmp_path_factory):
    """Return the path of a certificate that a `ca_file` may name."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=1))
    path = tmp_path_factory.mktemp("ca") / "hub-ca.pem"
    path.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    return path


def test_every_line_of_the_example_can_be_set_as_it_stands(tmp_path, ca_file):
    text = re.sub(r"^#(?=[^ ])", "", example(), flags=re.MULTILINE)
    for name in re.findall(r'"file:(.*?)"', text):
        secret = tmp_path / Path(name).name
        secret.write_text("a secret of some length")
        secret.chmod(0o600)
    text = text.replace("file:/etc/dca/", f"file:{tmp_path}/").replace("/etc/dca/hub-ca.pem", str(ca_file))
    (tmp_path / "snmp-auth").write_text("a secret of some length")
    config = parse(text, environ={"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert config.hub is not None
    assert config.hub.proxy is not None
    assert list(config.credentials) == ["office", "secure"]
    assert config.ranges[0].credentials == (config.credentials["office"],)


def test_every_key_stands_in_the_example():
    lines = example().splitlines()
    for name, key in EVERY_KEY:
        assert any(line.startswith(f"#{key.name} = ") for line in lines), f"{name}.{key.name}"


@pytest.mark.parametrize(("name", "key"), EVERY_KEY, ids=lambda value: value if isinstance(value, str) else value.name)
def test_a_key_is_declared_whole(name, key):
    assert key.why.endswith(".")
    assert key.kind.allowed
    assert key.required or key.otherwise or key.default is not None, "say what comes when it is absent"


@pytest.mark.parametrize(("name", "key"), EVERY_KEY, ids=lambda value: value if isinstance(value, str) else value.name)
def test_every_default_is_within_its_own_bounds(name, key):
    line = next(line for line in example().splitlines() if line.startswith(f"#{key.name} = "))
    if key.default is None or key.sample or name in ARRAYS:
        return
    table = {"hub": '[hub]\naddress = "h"'}.get(name, f"[{name}]")
    assert parse(f"{table}\n{line[1:]}", environ={}) == parse(table, environ={})


def test_the_document_is_in_step_with_the_declarations():
    text = DOCUMENT.read_text("utf-8")
    table = text[text.index(BEGIN) + len(BEGIN) : text.index(END)]
    hint = "run: python tests/config/test_render.py"
    assert table.strip() == reference().strip(), hint


def test_the_documents_examples_hold(tmp_path, ca_file):
    text = DOCUMENT.read_text("utf-8")
    blocks = re.findall(r"^```toml\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 5
    for block in blocks:
        for name in re.findall(r'"file:(/.*?)"', block):
            secret = tmp_path / Path(name).name
            secret.write_text("a secret of some length")
            secret.chmod(0o600)
        prepared = block.replace("file:/etc/dca/", f"file:{tmp_path}/")
        prepared = re.sub(r'^ca_file = ".*"', f'ca_file = "{ca_file}"', prepared, flags=re.MULTILINE)
        (tmp_path / "snmp-auth").write_text("a secret of some length")
        environ = {"CREDENTIALS_DIRECTORY": str(tmp_path), "DCA_COMMUNITY": "x", "DCA_SNMP_PRIV": "12345678"}
        if not re.search(r"^\[\[credential\]\]", prepared, flags=re.MULTILINE):
            prepared += '\n[[credential]]\nname = "office"\ncommunity = "public"\n'
        parse(prepared, environ=environ)


if __name__ == "__main__":
    document = DOCUMENT.read_text("utf-8")
    before, rest = document[: document.index(BEGIN) + len(BEGIN)], document[document.index(END) :]
    DOCUMENT.write_text(f"{before}\n{reference()}\n{rest}", "utf-8")
