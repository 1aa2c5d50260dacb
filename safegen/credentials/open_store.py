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
from safegen.credentials.status_codes import GENERAL, OTHER_STORE, SEVERAL_STORES
from safegen.errors import UnreadableInput
from safegen.types import CredentialsEvidence, CredentialState


@dataclass(frozen=True)
class OpenedStore:
    """What c2pa said about a file, and the raw manifest store."""

    store: ManifestStore
    raw: bytes
    faults: tuple[str, ...] = ()
    """What is wrong with the stores as their bytes stand in the file, and c2pa let pass."""
    seen: bool = True
    """Our own search found the store, and it is the one that c2pa read."""


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
            told = manifest is not None or container.mime in formats.TOLD
            hint = container.mime if told else None
            with c2pa.Reader(hint, file, manifest, context=context) as reader:
                document = (
                    json.loads(reader.json()) if not fragments else _read_fragments(reader, file, fragments)
                )
                raw = io.BytesIO()
                reader.resource_to_stream(f"self#jumbf=/c2pa/{document['active_manifest']}", raw)
                store = ManifestStore(document)
                return _seen_again(path, store, raw.getvalue(), manifest)
    except OSError as error:
        raise UnreadableInput(
            f"cannot read {path}: {error.strerror}", hint="check its permissions"
        ) from error
    except c2pa.C2paError as error:
        return _unopened(error, container, path, manifest)
    except Exception as error:
        return unreadable_evidence(f"the credentials cannot be decoded ({type(error).__name__})")


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


def _seen_again(path: Path, store: ManifestStore, raw: bytes, manifest: bytes | None) -> OpenedStore:
    """What c2pa said, with the store's own bytes where they are seen, and what c2pa let pass in them.

    *raw* is the store as c2pa wrote it anew. Bytes that it does not look at (types, labels, lengths) differ
    from it where somebody changed them: what a ledger recorded is compared with the bytes that are there.
    """
    from safegen.credentials.claim_signature import same_claim, structure_failures
    from safegen.credentials.embedded_stores import PDF, find_embedded_stores

    if manifest is not None:
        return OpenedStore(store, manifest, structure_failures(manifest, store.active_id), True)
    found = find_embedded_stores(path)
    same = [one for one in found if same_claim(one, raw, store.active_id)]
    if formats.detect(path).mime == PDF and same:
        found = tuple(same[-1:])  # an earlier revision of the document stays in the file
    if len(found) > 1:
        return OpenedStore(store, raw, (SEVERAL_STORES,), False)
    if not found:
        return OpenedStore(store, raw, (), False)
    faults = structure_failures(found[0], store.active_id)
    if faults or same:
        return OpenedStore(store, found[0], faults, True)
    return OpenedStore(store, raw, (OTHER_STORE,), False)


def _unopened(
    error: Exception, container: formats.Container, path: Path, manifest: bytes | None
) -> CredentialsEvidence:
    """The evidence for a file that c2pa would not open: by the kind that leads its *error* alone."""
    from safegen.credentials.embedded_stores import has_place_for_store

    kind, _, detail = str(error).partition(": ")
    detail = detail or kind
    if kind == "ManifestNotFound":
        return CredentialsEvidence(CredentialState.ABSENT, reason="the file carries no Content Credentials")
    if kind in ("Remote", "RemoteManifest"):
        return CredentialsEvidence(
            CredentialState.REMOTE_NOT_FETCHED, codes=("manifest.inaccessible",), reason=detail
        )
    if kind == "NotSupported":
        reason = f"{container.name}: no Content Credentials can be read from it"
        return CredentialsEvidence(CredentialState.UNSUPPORTED, reason=reason)
    there = manifest is not None or has_place_for_store(path)
    if kind == "Io" or (kind == "Other" and not there):
        reason = f"the file is damaged or not what it claims to be ({detail})"
        return CredentialsEvidence(CredentialState.UNSUPPORTED, reason=reason)
    return unreadable_evidence(f"the credentials cannot be decoded ({detail})")


def unreadable_evidence(reason: str) -> CredentialsEvidence:
    """The evidence for credentials that are there and cannot be checked."""
    codes = (GENERAL,)
    return CredentialsEvidence(
        CredentialState.UNREADABLE, codes=codes, unreadable=codes, store_seen=False, reason=reason
    )
