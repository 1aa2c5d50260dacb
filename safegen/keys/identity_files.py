"""The names of an identity's files, and its public part."""

from __future__ import annotations

import json
from pathlib import Path

from safegen.errors import KeyUnavailable
from safegen.types import Json

VERSION = 1
PUBLIC, ROOT, ROOT_KEY = "identity.json", "root.pem", "root.key.pem"
ISSUING, SIGNING, LOG, HISTORY = "issuing.pem", "signing.pem", "log.pem", "history"
CRL = "revoked.crl.pem"


def read_public_part(folder: Path) -> Json:
    """The content of ``identity.json``. Raises KeyUnavailable: missing, damaged, of another version."""
    try:
        public = json.loads((folder / PUBLIC).read_bytes())
    except FileNotFoundError as error:
        raise KeyUnavailable(
            f"there is no identity in {folder}",
            hint="create one with `safegen keys init`, or restore the folder from a backup",
        ) from error
    except (OSError, ValueError) as error:
        raise damaged_identity(folder, str(error)) from error
    if not isinstance(public, dict):
        raise damaged_identity(folder, "identity.json is not an object")
    if public.get("version") != VERSION:
        raise KeyUnavailable(
            f"the identity in {folder} has version {public.get('version')!r}, not {VERSION}",
            hint="use the version of safegen that created it, or a newer one",
        )
    return public


def damaged_identity(folder: Path, detail: str) -> KeyUnavailable:
    """The error for an identity whose files do not fit together."""
    return KeyUnavailable(
        f"the identity in {folder} is damaged: {detail}", hint="restore the folder from a backup"
    )
