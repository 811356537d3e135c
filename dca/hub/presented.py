"""The certificate chain that the hub shows, and the pin of it that goes into activation codes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from dca.contract.codes import NO_PIN, PIN_BYTES, pin_of
from dca.errors import HubError
from dca.hub.folder import write_file
from dca.hub.pki import given_pair

if TYPE_CHECKING:
    from collections.abc import Callable

    from dca.hub.folder import DataFolder
    from dca.hub.pki import Authority
    from dca.hub.settings import HubSettings

__all__ = ["Chain", "presented", "read_pin", "write_pin"]

Chain: TypeAlias = "Callable[[], tuple[bytes, bytes]]"
"""Returns the server's private key and its chain, PEM."""
_FILE = "pin"


def presented(settings: HubSettings, authority: Authority) -> Chain:
    """Return what gives the server's key and chain: the operator's own where one is given, else the hub's."""
    if settings.certificate is None or settings.key is None:
        return authority.server_pair
    return partial(given_pair, settings.certificate, settings.key)


def write_pin(folder: DataFolder, chain: bytes) -> None:
    """Note the pin of a chain (PEM): that of the root at its end; none where it has no root.

    An agent then goes by the usual roots: what a public CA puts in between is another one after a renewal.
    """
    *others, last = x509.load_pem_x509_certificates(chain)
    is_root = bool(others) and last.issuer == last.subject
    pin = pin_of(last.public_bytes(serialization.Encoding.DER)) if is_root else NO_PIN
    write_file(folder.path / _FILE, pin.hex().encode())


def read_pin(folder: DataFolder, authority: Authority) -> bytes:
    """Return the pin for a new code: what the hub showed last, or its own CA before it ever ran.

    Raises: HubError when neither is there.
    """
    try:
        pin = bytes.fromhex((folder.path / _FILE).read_text("ascii"))
    except FileNotFoundError:
        if not authority.ca_file.exists():
            raise HubError("this hub has no CA yet: run dca hub init, or start the hub once") from None
        return pin_of(authority.ca_der())
    except (OSError, ValueError) as error:
        raise HubError(f"{folder.path / _FILE} cannot be read: start the hub once, it writes it anew") from error
    if len(pin) != PIN_BYTES:
        raise HubError(f"{folder.path / _FILE} holds no pin: start the hub once, it writes it anew")
    return pin
