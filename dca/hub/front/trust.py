"""The front's TLS: the server's certificate, renewed without a restart, and who a client's certificate names."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING
from uuid import UUID

from cryptography import x509
from cryptography.x509.oid import NameOID

from dca.errors import HubError
from dca.net.tls import load_key

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Trust", "agent_of"]

ALPN = ("h2", "http/1.1")
Pair = tuple[bytes, bytes]
"""A private key and its certificate chain, PEM."""


class Trust:
    """A server context that asks for the client's certificate and does without one: activation has none yet."""

    def __init__(self, pair: Callable[[], Pair], client_ca: bytes) -> None:
        """`pair` gives the server's key and chain, `client_ca` (PEM) is the CA of the agents' certificates.

        Raises: HubError when they cannot be used.
        """
        self._pair = pair
        self._held: Pair | None = None
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(list(ALPN))
        self.context.verify_mode = ssl.CERT_OPTIONAL
        self.context.num_tickets = 0  # a resumed session would skip the look at the client's certificate
        self.context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
        try:
            self.context.load_verify_locations(cadata=client_ca.decode("ascii"))
            self.refresh()
        except (OSError, ValueError) as error:
            raise HubError(f"the server certificate cannot be used: {error}") from error

    def refresh(self) -> bool:
        """Use the present certificate from the next connection on; return whether it is another one.

        Raises: OSError or ValueError when it cannot be read.
        """
        pair = self._pair()
        if pair == self._held:
            return False
        load_key(self.context, *pair)
        self._held = pair
        return True


def agent_of(certificate: bytes | None) -> tuple[UUID, str] | None:
    """Return the agent and the serial (hex) that a verified client certificate (DER) names, None for none."""
    if not certificate:
        return None
    try:
        loaded = x509.load_der_x509_certificate(certificate)
        (name,) = loaded.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return UUID(str(name.value)), f"{loaded.serial_number:x}"
    except ValueError:
        return None
