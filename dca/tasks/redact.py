"""What of a walk leaves the site: secrets, people and other machines are taken out (docs/tasks.md lists all of it)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from dca.printers.text import decode
from dca.snmp.oids import dotted, oid
from dca.snmp.types import Tag

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dca.model import Credential
    from dca.snmp.types import VarBind

__all__ = ["WITHHELD", "Redactor"]

WITHHELD = tuple(
    map(
        oid,
        (
            "1.3.6.1.2.1.3",  # atTable: addresses of other machines
            "1.3.6.1.2.1.4.22",  # ipNetToMediaTable
            "1.3.6.1.2.1.4.35",  # ipNetToPhysicalTable
            "1.3.6.1.2.1.6.13",  # tcpConnTable
            "1.3.6.1.2.1.6.19",  # tcpConnectionTable
            "1.3.6.1.2.1.7.5",  # udpTable
            "1.3.6.1.2.1.7.7",  # udpEndpointTable
            "1.3.6.1.4.1.77.1",  # LanMgr-Mib-II-MIB: users, sessions
            "1.3.6.1.4.1.2699.1.1",  # Job-Monitoring-MIB (RFC 2707)
            "1.3.6.1.6.3.12",  # SNMP-TARGET-MIB: where traps go, and as whom
            "1.3.6.1.6.3.13",  # SNMP-NOTIFICATION-MIB
            "1.3.6.1.6.3.15.1.2",  # usmUserTable: user names are the index
            "1.3.6.1.6.3.16",  # SNMP-VIEW-BASED-ACM-MIB
            "1.3.6.1.6.3.18",  # SNMP-COMMUNITY-MIB
        ),
    )
)
"""Subtrees of which nothing is given, for already the index tells: other machines, users, communities, jobs."""
_PRIVATE = {
    oid("1.3.6.1.2.1.1.4"): "contact",
    oid("1.3.6.1.2.1.25.4.2.1.5"): "parameters",
    oid("1.3.6.1.2.1.43.5.1.1.4"): "operator",
    oid("1.3.6.1.2.1.43.5.1.1.5"): "service person",
    oid("1.3.6.1.4.1.11.2.3.9.1.1.13"): "password",
    oid("1.3.6.1.4.1.11.2.3.9.4.2.1.1.6"): "job",
    oid("1.3.6.1.4.1.11.2.3.9.4.2.1.3.9.1.1"): "password",
}
"""Subtrees whose texts are taken out; the objects are named."""
_PATTERNS = (
    (re.compile(r"[^\s@]@[^\s@]+\.\w"), "e-mail address"),
    (re.compile(r"\\\\[^\\\s]+\\|\b(?:smb|ftp|ftps|sftp|ldap|ldaps|mailto|file)://", re.IGNORECASE), "path"),
    (re.compile(r"://[^/\s]*@"), "address with a password"),
    (re.compile(r"\.(?:docx?|xlsx?|pptx?|pdf|odt|ods|rtf|txt|csv|tiff?|jpe?g)\b", re.IGNORECASE), "document name"),
    (re.compile(r"passw|passphrase|community|secret|(?<![a-z])pwd(?![a-z])", re.IGNORECASE), "perhaps a secret"),
    (re.compile(r"(?:\+|\b00)\d[\d ()/.-]{7,}\d"), "telephone number"),
)
_SHORTEST = 3
"""Secrets that are shorter would be found everywhere."""
_NUMBERS = {
    int(Tag.INTEGER): "INTEGER",
    int(Tag.COUNTER32): "COUNTER32",
    int(Tag.GAUGE32): "GAUGE32",
    int(Tag.TIMETICKS): "TIMETICKS",
    int(Tag.COUNTER64): "COUNTER64",
}


class Redactor:
    """Writes the lines of a walk; `credentials` are those whose secrets must not be in it."""

    def __init__(self, credentials: Iterable[Credential]) -> None:
        held = [
            secret.reveal()
            for credential in credentials
            for secret in (credential.community, credential.auth_password, credential.priv_password)
            if secret is not None
        ]
        self._secrets = [text.encode() for text in held if len(text) >= _SHORTEST and text != "public"]
        self.redacted = 0
        """Values that were taken out."""

    def line(self, row: VarBind) -> str:
        """Return ``OID = TYPE: value`` of one object."""
        name, tag, value = row
        if isinstance(value, int):
            return f"{dotted(name)} = {_NUMBERS.get(tag, 'INTEGER')}: {value}"
        if not isinstance(value, bytes):
            return f"{dotted(name)} = NULL:"
        if tag == Tag.OBJECT_IDENTIFIER:
            return f"{dotted(name)} = OID: {dotted(value)}"
        if tag == Tag.IP_ADDRESS:
            return f"{dotted(name)} = IPADDRESS: {'.'.join(map(str, value))}"
        return f"{dotted(name)} = {self._octets(name, tag, value)}"

    def _octets(self, name: bytes, tag: int, value: bytes) -> str:
        why = self._why(name, value)
        if why:
            self.redacted += 1
            return f"REDACTED: {why}, {len(value)} octets"
        if tag == Tag.OCTET_STRING:
            text = _text(value)
            if text is not None:
                return f"STRING: {json.dumps(text, ensure_ascii=False)}"
        return f"HEX: {value.hex(' ').upper()}"

    def _why(self, name: bytes, value: bytes) -> str:
        """Return why a value is taken out; "" where it may stay."""
        if not value:
            return ""
        for tree, why in _PRIVATE.items():
            if name.startswith(tree):
                return why
        if any(secret in value or secret in value.replace(b"\0", b"") for secret in self._secrets):
            return "a secret of the config"
        text = decode(value)
        return next((why for pattern, why in _PATTERNS if pattern.search(text)), "")


def _text(value: bytes) -> str | None:
    """Return octets as text where all of it prints; None otherwise."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return None
    return text if all(sign.isprintable() or sign in "\r\n\t" for sign in text) else None
