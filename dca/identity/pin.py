"""Find the hub's CA by the pin in an activation code: look at what the hub shows, before any secret is sent."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Any

from dca.errors import IdentityError
from dca.net.connect import Dial

if TYPE_CHECKING:
    from dca.contract.codes import Code
    from dca.net.proxy import Proxy

__all__ = ["fetch_ca"]

_SECONDS = 10.0


def fetch_ca(host: str, port: int, code: Code, proxy: Proxy | None = None, seconds: float = _SECONDS) -> str:
    """Return the certificate (PEM) in the hub's TLS chain that the code pins. Blocks for up to `seconds` a step.

    Nothing of the code is sent.

    Raises:
        IdentityError: there is no connection, or none of the hub's certificates is the pinned one.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # what comes is compared with the pin, and used for nothing else
    context.set_alpn_protocols(["h2"])
    via = f" through the proxy {proxy}" if proxy else ""
    try:
        with _connected(host, port, proxy, seconds) as line:
            line.settimeout(seconds)
            with context.wrap_socket(line, server_hostname=host) as secured:
                chain = _chain(secured)
    except OSError as error:
        raise IdentityError(
            f"the hub at {host}:{port} cannot be reached{via}: {error}. The code was not sent"
        ) from error
    for certificate in chain:
        if code.fits(certificate):
            return ssl.DER_cert_to_PEM_cert(certificate)
    raise IdentityError(
        f"what answers at {host}:{port} is not the hub of this code: none of its certificates is the pinned one. "
        "See the address; a firewall that inspects TLS must leave this host alone. The code was not sent"
    )


def _connected(host: str, port: int, proxy: Proxy | None, seconds: float) -> socket.socket:
    to, at = (proxy.host, proxy.port) if proxy else (host, port)
    found = socket.getaddrinfo(to, at, type=socket.SOCK_STREAM)
    dial = Dial(host, port, [str(one[4][0]) for one in found], proxy=proxy, timeout=seconds)
    line = dial.open()
    dial.close()
    return line


def _chain(secured: ssl.SSLSocket) -> list[bytes]:
    """Return the chain as the server sent it, DER; public in Python 3.13, there under the hood since 3.10."""
    public: Any = getattr(secured, "get_unverified_chain", None)
    if public is not None:
        found: list[bytes] = public()
        return found
    inner: Any = secured._sslobj  # type: ignore[attr-defined] # noqa: SLF001 - as said above
    return [ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in inner.get_unverified_chain() or ()]
