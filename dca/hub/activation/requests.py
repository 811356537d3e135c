"""What an agent hands in: a certificate request, and for a renewal the proof that it holds the present key."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from dca.wire.activation_pb2 import RenewRequest

__all__ = ["RENEW_DOMAIN", "fingerprint", "key_of", "renewing"]

RENEW_DOMAIN = b"dca renew v1\0"
_LARGEST = 8192


def key_of(csr: bytes) -> ec.EllipticCurvePublicKey:
    """Return the key of a certificate request (DER). Raises ValueError when it is none, or not signed by its key."""
    if len(csr) > _LARGEST:
        raise ValueError("the certificate request is too large")
    request = x509.load_der_x509_csr(csr)
    key = request.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("the certificate request is not for an ECDSA P-256 key")  # noqa: TRY004 - its content is wrong
    if not request.is_signature_valid:
        raise ValueError("the certificate request is not signed by its own key")
    return key


def fingerprint(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return the SHA-256 of a public key."""
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).digest()


def renewing(request: RenewRequest) -> x509.Certificate:
    """Return the present certificate of a renewal whose sender holds its key. Raises ValueError otherwise."""
    if len(request.certificate) > _LARGEST:
        raise ValueError("the certificate is too large")
    certificate = x509.load_der_x509_certificate(request.certificate)
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError("the certificate is no agent's")  # noqa: TRY004 - its content is wrong
    try:
        key.verify(request.signature, RENEW_DOMAIN + request.csr, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise ValueError("the renewal is not signed by the certificate's key") from None
    return certificate
