"""The agent's key (ECDSA P-256) and what it signs with it: certificate requests and renewals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dca.errors import IdentityError
from dca.model import Secret
from dca.wire.activation_pb2 import RenewRequest

if TYPE_CHECKING:
    from dca.identity.identity import Identity

__all__ = ["fits", "new_key", "renewal", "request_for"]

_RENEW_DOMAIN = b"dca renew v1\0"


def new_key() -> Secret:
    """Return a new private key, PEM."""
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Secret(pem.decode("ascii"))


def request_for(key: Secret) -> bytes:
    """Return a certificate request (PKCS #10, DER) for a key; the hub decides on the name."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "dca agent")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(_private(key), hashes.SHA256())
    return request.public_bytes(serialization.Encoding.DER)


def renewal(identity: Identity, key: Secret) -> RenewRequest:
    """Return the request that exchanges the identity's certificate for one of a new key."""
    csr = request_for(key)
    signature = _private(identity.key).sign(_RENEW_DOMAIN + csr, ec.ECDSA(hashes.SHA256()))
    certificate = identity.certificate.public_bytes(serialization.Encoding.DER)
    return RenewRequest(csr=csr, certificate=certificate, signature=signature)


def fits(identity: Identity) -> bool:
    """Tell whether the identity's certificate is one, and for its key."""
    try:
        return identity.certificate.public_key() == _private(identity.key).public_key()
    except (ValueError, IndexError):
        return False


def _private(key: Secret) -> ec.EllipticCurvePrivateKey:
    private = serialization.load_pem_private_key(key.reveal().encode("ascii"), None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise IdentityError("the agent's key is no ECDSA key: activate this agent anew (dca activate)")
    return private
