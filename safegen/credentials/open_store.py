"""Opening a file's credentials: what c2pa says about it, or why there is nothing to be read."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from safegen.credentials import formats
from safegen.credentials.manifest_store import ManifestStore
from safegen.errors import UnreadableInput
from safegen.types import CredentialsEvidence, CredentialState


@dataclass(frozen=True)
class OpenedStore:
    """What c2pa said about a file, and the raw manifest store."""

    store: ManifestStore
    raw: bytes
    failures: tuple[str, ...] = ()
    """What is wrong with the store's bytes as they stand in the file, and c2pa let pass."""


def manifest_bytes(path: Path) -> bytes | None:
    """The raw manifest store (JUMBF) embedded in the file, ``None`` when there is none to be read.

    Quick, since nothing is checked. Raises UnreadableInput when there is no file to read.
    """
    opened = _unchecked(path)
    return None if isinstance(opened, CredentialsEvidence) else opened.raw


def carries_credentials(path: Path) -> bool:
    """Whether the file has or names Content Credentials, sound or not. Quick. Raises UnreadableInput."""
    opened = _unchecked(path)
    without = (CredentialState.ABSENT, CredentialState.UNSUPPORTED)
    return not (isinstance(opened, CredentialsEvidence) and opened.state in without)


def _unchecked(path: Path) -> OpenedStore | CredentialsEvidence:
    from safegen.credentials import library

    return open_credentials(path, library.context(verify=False), formats.detect(path), None)


def open_credentials(
    path: Path,
    context: Any,
    container: formats.Container,
    manifest: bytes | None,
    fragments: Sequence[Path] = (),
) -> OpenedStore | CredentialsEvidence:
    """What *context* makes of the file, or of the *manifest* store from elsewhere together with it.

    *fragments* are the other files of a fragmented MP4, each checked together with its initialisation part.
    Raises UnreadableInput when there is no file to read; a bad file never raises.
    """
    import c2pa

    from safegen.credentials.embedded import MAX_BOXES, exceeds_box_limit

    try:
        boxed = [path] if container.mime is None or container.mime in formats.BOXED else []
        if any(exceeds_box_limit(file) for file in (*boxed, *fragments)):
            reason = f"the file has more than {MAX_BOXES:,} boxes at one level and was not examined"
            return CredentialsEvidence(CredentialState.UNSUPPORTED, reason=reason)
        with path.open("rb") as file:
            hint = container.mime if manifest is not None else None
            with c2pa.Reader(hint, file, manifest, context=context) as reader:
                document = (
                    json.loads(reader.json()) if not fragments else _read_fragments(reader, file, fragments)
                )
                raw = io.BytesIO()
                reader.resource_to_stream(f"self#jumbf=/c2pa/{document['active_manifest']}", raw)
                store = ManifestStore(document)
                failures = _stored_failures(path, container, store, manifest)
                return OpenedStore(store, raw.getvalue(), failures)
    except OSError as error:
        raise UnreadableInput(
            f"cannot read {path}: {error.strerror}", hint="check its permissions"
        ) from error
    except c2pa.C2paError as error:
        return _unopened(str(error), container)
    except Exception as error:
        return invalid_evidence(f"the credentials cannot be decoded ({type(error).__name__})")


def _read_fragments(reader: Any, file: BinaryIO, fragments: Sequence[Path]) -> Any:
    """What c2pa says of the initialisation part *file* with each fragment: a bad answer, else the last."""
    document: Any = None
    for fragment in fragments:
        file.seek(0)
        with fragment.open("rb") as part:
            reader.with_fragment("video/mp4", file, part)
            document = json.loads(reader.json())
        if document.get("validation_state") not in ("Valid", "Trusted"):
            break
    return document


def _stored_failures(
    path: Path, container: formats.Container, store: ManifestStore, manifest: bytes | None
) -> tuple[str, ...]:
    """What c2pa does not insist on, seen in the bytes of *manifest* or of the file itself (MP4 and MOV)."""
    from safegen.credentials.claim_signature import structure_failures
    from safegen.credentials.embedded import find_embedded_store

    embedded = find_embedded_store(path) if container.mime in formats.BMFF and manifest is None else None
    found = embedded if manifest is None else manifest
    return () if found is None else structure_failures(found, store.active_id)


def _unopened(text: str, container: formats.Container) -> CredentialsEvidence:
    """The evidence for a file that c2pa would not open; *text* is its error, led by the kind."""
    kind, _, detail = text.partition(": ")
    if kind == "ManifestNotFound":
        return CredentialsEvidence(CredentialState.ABSENT, reason="the file carries no Content Credentials")
    if kind in ("Remote", "RemoteManifest"):
        return CredentialsEvidence(
            CredentialState.REMOTE_NOT_FETCHED, codes=("manifest.inaccessible",), reason=detail
        )
    if kind == "NotSupported":
        reason = f"{container.name}: no Content Credentials can be read from it"
        return CredentialsEvidence(CredentialState.UNSUPPORTED, reason=reason)
    if kind == "Io" or "asset could not be parsed" in text:
        reason = f"the file is damaged or not what it claims to be ({detail})"
        return CredentialsEvidence(CredentialState.UNSUPPORTED, reason=reason)
    return invalid_evidence(f"the credentials cannot be decoded ({detail or text})")


def invalid_evidence(reason: str) -> CredentialsEvidence:
    """The evidence for credentials that are there and no good."""
    codes = ("general.error",)
    return CredentialsEvidence(CredentialState.INVALID, codes=codes, failures=codes, reason=reason)
