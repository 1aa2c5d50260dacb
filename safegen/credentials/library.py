"""The one place that knows how c2pa-python is configured.

A native context does not survive a fork, so none is kept: each read or signature makes its own.
Nothing here reaches for the network unless the caller allows hosts by name.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from safegen.errors import UsageError
from safegen.keys.chain import SIGNING_PURPOSES

if TYPE_CHECKING:
    from cryptography import x509

MEMORY_MB = 64
"""Above this c2pa works from temporary files: signing 500 MB took 890 MB of memory without it."""


def context(
    *,
    anchors_pem: str = "",
    tsa_anchors_pem: str = "",
    created_labels: Sequence[str] = (),
    allowed_hosts: Sequence[str] = (),
    fetch_remote: bool = False,
    verify: bool = True,
) -> Any:
    """A fresh ``c2pa.Context``; *anchors_pem* vouch for signers, *tsa_anchors_pem* for time stamps.

    *allowed_hosts* are the only hosts it may speak to, and with none it speaks to nobody. Without
    *verify* a manifest is only found, and nothing about it is checked.
    """
    import c2pa

    lists = [
        {"trust_uri": f"safegen:{kind}", "trust_kind": kind, "trust_anchors": pem}
        for kind, pem in (("manifest", anchors_pem), ("tsa", tsa_anchors_pem))
        if pem
    ]
    settings: dict[str, Any] = {
        "version": 1,
        "core": {
            "backing_store_memory_threshold_in_mb": MEMORY_MB,
            "allowed_network_hosts": list(allowed_hosts),
            "allow_redirects": False,
        },
        "verify": {
            "remote_manifest_fetch": fetch_remote and bool(allowed_hosts),
            "ocsp_fetch": False,
            "verify_after_reading": verify,
            "verify_trust": True,
            "verify_timestamp_trust": True,
            "verify_after_sign": False,
        },
        "builder": {
            "created_assertion_labels": list(created_labels),
            "thumbnail": {"enabled": False},
            # Otherwise bytes in `free` and `skip` boxes could change under a valid signature.
            "bmff_hash_exclude_free_and_skip_boxes": False,
        },
    }
    settings["trust"] = {"trust_config": "\n".join(SIGNING_PURPOSES), **({"anchors": lists} if lists else {})}
    return c2pa.Context.from_json(json.dumps(settings))


def certificates(pems: Sequence[bytes | str]) -> list[x509.Certificate]:
    """Every certificate in *pems* (PEM, text between them is allowed). Raises UsageError on a bad one."""
    from cryptography import x509

    found: list[x509.Certificate] = []
    for pem in pems:
        raw = pem.encode() if isinstance(pem, str) else pem
        try:
            found += x509.load_pem_x509_certificates(raw)
        except ValueError as error:
            raise UsageError(
                "the trust anchors are not certificates in PEM form", hint="check the configured trust files"
            ) from error
    return found


def to_pem(found: Sequence[x509.Certificate]) -> str:
    """*found* as one PEM text."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return "".join(c.public_bytes(Encoding.PEM).decode() for c in found)
