"""What of a walk is taken out, and what stays."""

from __future__ import annotations

import time

import pytest

from dca.model import Credential, Secret
from dca.snmp.oids import oid
from dca.snmp.types import Tag
from dca.tasks.redact import Redactor

VENDOR = "1.3.6.1.4.1.11.9.1.0"
CREDENTIALS = (
    Credential("a", "2c", Secret("s3cretComm")),
    Credential("b", "3", None, "u", None, Secret("auth-pass-1"), None, Secret("priv-pass-1")),
    Credential("c", "2c", Secret("public")),
)


def line(name, tag, value):
    return Redactor(CREDENTIALS).line((oid(name), int(tag), value))


@pytest.mark.parametrize(
    ("tag", "value", "wanted"),
    [
        (Tag.INTEGER, -3, "INTEGER: -3"),
        (Tag.COUNTER32, 7, "COUNTER32: 7"),
        (Tag.GAUGE32, 7, "GAUGE32: 7"),
        (Tag.TIMETICKS, 7, "TIMETICKS: 7"),
        (Tag.COUNTER64, 1 << 40, "COUNTER64: 1099511627776"),
        (Tag.OCTET_STRING, b'Black "X" \xc3\xbc\n', r'STRING: "Black \"X\" ü\n"'),
        (Tag.OCTET_STRING, b"\x00\x1b\xa9", "HEX: 00 1B A9"),
        (Tag.OCTET_STRING, b"", 'STRING: ""'),
        (Tag.OPAQUE, b"\x9f", "HEX: 9F"),
        (Tag.OBJECT_IDENTIFIER, oid("1.3.6.1.4.1.11"), "OID: 1.3.6.1.4.1.11"),
        (Tag.IP_ADDRESS, b"\x0a\x00\x00\x01", "IPADDRESS: 10.0.0.1"),
        (Tag.NULL, None, "NULL:"),
    ],
)
def test_every_type_is_one_line(tag, value, wanted):
    assert line(VENDOR, tag, value) == f"{VENDOR} = {wanted}"


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("1.3.6.1.2.1.1.4.0", b"Ann, room 7", "contact"),
        ("1.3.6.1.2.1.43.5.1.1.4.1", b"Ann", "operator"),
        ("1.3.6.1.2.1.43.5.1.1.5.1", b"Bob", "service person"),
        ("1.3.6.1.4.1.11.2.3.9.1.1.13.0", b"hunter2", "password"),
        ("1.3.6.1.4.1.11.2.3.9.4.2.1.1.6.5.23.1.1", b"ann", "job"),
        (VENDOR, b"mail ann.lee@example.com now", "e-mail address"),
        (VENDOR, "scan to ünï@example.com".encode("utf-16-le"), "e-mail address"),
        (VENDOR, rb"\\server\scans\ann", "path"),
        (VENDOR, b"ftp://server/x", "path"),
        (VENDOR, b"http://ann:pw@server/", "address with a password"),
        (VENDOR, b"Salaries 2026.xlsx", "document name"),
        (VENDOR, b"Password=abc", "perhaps a secret"),
        (VENDOR, b"+49 (89) 123 456-78", "telephone number"),
        (VENDOR, b"x s3cretComm y", "a secret of the config"),
        (VENDOR, "s3cretComm".encode("utf-16-le"), "a secret of the config"),
        (VENDOR, b"auth-pass-1", "a secret of the config"),
        (VENDOR, b"\xffpriv-pass-1", "a secret of the config"),
    ],
)
def test_people_secrets_and_documents_are_taken_out(name, value, why):
    assert line(name, Tag.OCTET_STRING, value) == f"{name} = REDACTED: {why}, {len(value)} octets"


@pytest.mark.parametrize(
    "value",
    [
        b"HP ETHERNET MULTI-ENVIRONMENT,SN:CNB8M12345,FN:2508297_000412,PID:HP LaserJet",
        b"CNB8M12345",
        b"Load Tray 2",
        b"public",
        b"0123456789",
        b"MFG:HP;CMD:PJL,PCL,PDF;MDL:X;",
        b"2026-11-25 10:00",
    ],
)
def test_what_a_device_is_stays(value):
    assert line(VENDOR, Tag.OCTET_STRING, value) == f'{VENDOR} = STRING: "{value.decode()}"'


def test_what_was_taken_out_is_counted():
    redactor = Redactor(CREDENTIALS)
    for value in (b"a@b.cc", b"fine", b"auth-pass-1"):
        redactor.line((oid(VENDOR), int(Tag.OCTET_STRING), value))
    assert redactor.redacted == 2


@pytest.mark.parametrize("part", ["a", "://", "@", "a@", "\\\\", "00 ", "+1 ", "."])
def test_what_a_device_makes_long_holds_up_nothing_else(part: str) -> None:
    began = time.process_time()
    line(VENDOR, Tag.OCTET_STRING, (part * 60_000)[:60_000].encode())
    assert time.process_time() - began < 1.0
