"""Where passphrases come from: the environment, a file or a descriptor; never the command line."""

from __future__ import annotations

import hashlib
import os
import shlex
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from safegen.errors import KeyUnavailable

VARIABLE = "SAFEGEN_KEY_PASSPHRASE"
HINT = f"set {VARIABLE}, or give a passphrase file"
SIGNING_VARIABLE = "SAFEGEN_SIGNING_PASSPHRASE"
SIGNING_HINT = (
    f"give the passphrase of that key: {SIGNING_VARIABLE}, or `passphrase_file` under [signing] in "
    f"safegen.toml; without them it is that of the workspace's own keys ({VARIABLE} or --passphrase-file)"
)

Passphrase: TypeAlias = Callable[[], bytes | None] | bytes | None
"""The passphrase itself, something that asks for it (``None``: there is none), or ``None``."""


def resolve_passphrase(source: Passphrase) -> bytes | None:
    """The passphrase behind *source*; an empty one counts as none."""
    value = source() if callable(source) else source
    return value or None


def from_environment(environ: Mapping[str, str] = os.environ) -> bytes | None:
    """The value of ``SAFEGEN_KEY_PASSPHRASE`` in *environ* as UTF-8, ``None`` when unset or empty."""
    return environ.get(VARIABLE, "").encode() or None


def for_signing_key(
    file: Path | None, otherwise: Passphrase, environ: Mapping[str, str] = os.environ
) -> Passphrase:
    """What opens the key under ``[signing]``, which may have another passphrase than the local identity.

    ``SAFEGEN_SIGNING_PASSPHRASE`` in *environ*, else the first line of *file* (``passphrase_file`` of that
    section), read when it is asked for; where there is neither, *otherwise*: that of the workspace's keys.
    """
    if own := environ.get(SIGNING_VARIABLE, "").encode():
        return own
    if file is not None:
        return lambda: from_file(file)
    return otherwise


def from_file(path: Path) -> bytes:
    """First line of the file at *path*, without its line end.

    Raises KeyUnavailable, also for a file that everybody can read, or that others can change.
    """
    try:
        with path.open("rb") as file:
            _refuse_open_to_others(path, os.fstat(file.fileno()).st_mode)
            return _first_line(file.readline(4097), str(path))
    except OSError as error:
        raise KeyUnavailable(f"cannot read the passphrase file: {error.strerror}", hint=HINT) from error


def from_descriptor(descriptor: int) -> bytes:
    """First line read from the open file *descriptor* (which is closed). Raises KeyUnavailable."""
    try:
        with os.fdopen(descriptor, "rb") as file:
            return _first_line(file.readline(4097), f"descriptor {descriptor}")
    except OSError as error:
        raise KeyUnavailable(f"cannot read the passphrase: {error.strerror}", hint=HINT) from error


def _refuse_open_to_others(path: Path, mode: int) -> None:
    """Refuse a file whose *mode* lets everybody read it, or others write it; a pipe has no such mode."""
    loose = stat.S_IMODE(mode) & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP)
    if os.name != "posix" or not stat.S_ISREG(mode) or not loose:
        return
    what = "read by everybody" if loose & stat.S_IROTH else "changed by others"
    raise KeyUnavailable(
        f"the passphrase file {path.name} can be {what} (mode {stat.S_IMODE(mode):04o})",
        hint=f"run chmod 600 {shlex.quote(str(path))}; choose a new passphrase if others may have read it",
    )


def _first_line(line: bytes, origin: str) -> bytes:
    line = line.rstrip(b"\r\n")
    if not line or len(line) > 4096:
        raise KeyUnavailable(f"{origin} contains no usable passphrase (1 to 4096 bytes expected)", hint=HINT)
    return line


def derive_password(passphrase: bytes, salt: bytes) -> bytes:
    """The key-file password for *passphrase*: scrypt (RFC 7914; n=2^15, r=8, p=1, 32 MiB), as hex.

    The PKCS#8 files that OpenSSL writes use 2048 rounds of PBKDF2, too few for a stolen file; this
    makes each guess expensive whatever the file format does. *salt* is kept in ``identity.json``.
    """
    raw = hashlib.scrypt(passphrase, salt=salt, n=2**15, r=8, p=1, maxmem=64 << 20, dklen=32)
    return raw.hex().encode()
