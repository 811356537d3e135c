"""Where the key comes from that closes the vault: systemd's credentials, Windows' DPAPI, or a file for its owner only.

In this order: ``dca-key`` in ``$CREDENTIALS_DIRECTORY`` (made by ``systemd-creds encrypt``, bound to machine and TPM);
on Windows a key that DPAPI has closed for this machine; elsewhere ``vault.key`` (0600) in the state directory.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dca.errors import IdentityError
from dca.store.atomic import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["CREDENTIAL", "vault_key"]

CREDENTIAL = "dca-key"
"""Name of the systemd credential."""
KEY_BYTES = 32
_FILE = "vault.key"
_LARGEST = 4096


def vault_key(
    directory: Path,
    *,
    make: bool,
    environ: Mapping[str, str] = os.environ,
    entropy: Callable[[int], bytes] = os.urandom,
) -> bytes:
    """Return the key material, made if there is none and `make` says so.

    Raises:
        IdentityError: there is none, or it cannot be read or written, or others can read it.
    """
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if folder and (Path(folder) / CREDENTIAL).exists():
        return _checked(_read(Path(folder) / CREDENTIAL, private=False), f"the credential {CREDENTIAL}")
    path = directory / _FILE
    if not path.exists():
        if not make:
            raise IdentityError(
                f"the key of the vault is gone ({path}, or the systemd credential {CREDENTIAL}): "
                "put it back, or remove the vault beside it and activate this agent anew (dca activate)"
            )
        key = entropy(KEY_BYTES)
        try:
            write_whole(path, _protect(key))
        except OSError as error:
            raise IdentityError(f"{path} cannot be written: {error.strerror or error}") from error
        return key
    return _checked(_unprotect(_read(path, private=True)), str(path))


def _checked(key: bytes, name: str) -> bytes:
    if len(key) < KEY_BYTES:
        raise IdentityError(f"{name} holds {len(key)} bytes; a key has at least {KEY_BYTES}")
    return key


def _read(path: Path, *, private: bool) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            state = os.fstat(file.fileno())
            if private and sys.platform != "win32" and (state.st_mode & 0o077 or not stat.S_ISREG(state.st_mode)):
                raise IdentityError(f"{path} can be read by others than its owner: run chmod 600 {path}")
            return file.read(_LARGEST)
    except OSError as error:
        raise IdentityError(f"{path} cannot be read: {error.strerror or error}") from error


def _protect(key: bytes) -> bytes:
    """Close the key with what the system has for that: DPAPI on Windows; elsewhere the file's mode has to do."""
    return _dpapi("CryptProtectData", key) if sys.platform == "win32" else key


def _unprotect(data: bytes) -> bytes:
    return _dpapi("CryptUnprotectData", data) if sys.platform == "win32" else data


def _dpapi(function: str, data: bytes) -> bytes:
    """Call DPAPI (wincrypt.h) for this machine: the installer's account and the service's differ."""
    import ctypes  # noqa: PLC0415 - Windows only

    class Blob(ctypes.Structure):
        _fields_ = (("size", ctypes.c_uint32), ("data", ctypes.POINTER(ctypes.c_char)))

    local_machine, no_window = 0x4, 0x1
    given, result = Blob(len(data), ctypes.create_string_buffer(data, len(data))), Blob()
    windows = ctypes.windll  # type: ignore[attr-defined,unused-ignore] # exists on Windows only
    done = getattr(windows.crypt32, function)(
        ctypes.byref(given), None, None, None, None, local_machine | no_window, ctypes.byref(result)
    )
    if not done:
        raise IdentityError(f"Windows does not open the vault's key ({function}): activate this agent anew")
    try:
        return ctypes.string_at(result.data, result.size)
    finally:
        with contextlib.suppress(OSError):
            windows.kernel32.LocalFree(result.data)
