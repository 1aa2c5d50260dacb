"""The roots that others need to pin for a certificate of one's own (``[signing]`` in ``safegen.toml``)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from safegen.errors import KeyUnavailable
from safegen.keys.chain import issuers_of
from safegen.keys.passphrase import Passphrase
from safegen.keys.signers import load_chain, pkcs12_certificates

if TYPE_CHECKING:
    from cryptography import x509


def configured_roots(
    chain: Path | None, key: Path | None, passphrase: Passphrase = None
) -> tuple[bytes, ...]:
    """The roots (PEM) of the certificate in *chain*, or in the PKCS#12 file *key* where there is no chain.

    *passphrase* opens the PKCS#12 file. Raises KeyUnavailable: unreadable, or nothing but the signing
    certificate in it, so that there is nothing that others could pin.
    """
    certificates = configured_certificates(chain, key, passphrase)
    roots, file = _roots(certificates) if certificates else (), chain or key
    if file is not None and not roots:
        raise KeyUnavailable(
            f"{file.name} holds the signing certificate, but no certificate of the CA that issued it",
            hint="add the CA's certificates below it (your CA has them as chain or bundle); others pin the "
            "topmost of them",
        )
    return roots


def configured_certificates(
    chain: Path | None, key: Path | None, passphrase: Passphrase = None
) -> list[x509.Certificate]:
    """The certificates in *chain* or in the PKCS#12 file *key*, the signing one first; nothing for neither.

    *passphrase* opens the PKCS#12 file. Raises KeyUnavailable.
    """
    if chain is not None:
        return _read_chain(chain)
    if key is None:
        return []
    from safegen.keys.files import read_private

    return pkcs12_certificates(read_private(key), passphrase)


def read_chain_roots(chain: Path) -> tuple[bytes, ...]:
    """The root in the file *chain* (PEM, leaf first), else the topmost CA above the leaf; none: nothing.

    Raises KeyUnavailable for a file that cannot be read.
    """
    return _roots(_read_chain(chain))


def _read_chain(chain: Path) -> list[x509.Certificate]:
    try:
        data = chain.read_bytes()
    except OSError as error:
        raise KeyUnavailable(
            f"cannot read the certificates {chain.name}: {error.strerror}",
            hint="check `chain` under [signing] in safegen.toml",
        ) from error
    return load_chain(data)


def _roots(certificates: list[x509.Certificate]) -> tuple[bytes, ...]:
    """The top of the way up from the first certificate, through CAs only."""
    from cryptography.hazmat.primitives.serialization import Encoding

    leaf, pool = certificates[0], [c for c in certificates[1:] if _is_authority(c)]
    top = leaf
    while (issuer := next(issuers_of(top, pool), None)) is not None:
        pool.remove(issuer)
        top = issuer
    return () if top is leaf else (top.public_bytes(Encoding.PEM),)


def _is_authority(certificate: x509.Certificate) -> bool:
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False
