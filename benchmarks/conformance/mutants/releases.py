"""Genuine releases to be altered: one in each container, signed, recorded in one ledger, with proofs beside.

What ``sign_file`` signs is signed by it; other containers are signed through c2pa's builder with the same
identity, and recorded in the same way, so that a yes to any of them would be VERIFIED.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from safegen.keys.identity import Identity
    from safegen.workspace.session import Session

TRUST, PROOF, STORE = "trust.json", ".tlog-proof", ".store"
WITH_PARENT = {"mp4", "fragmented", "mov", "png", "jpg", "webp", "wav", "avi"}
"""Containers whose release was made from another signed file, so that its store holds two manifests."""
MARK = "org.safegen.watermark.tile.1"
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
CREATED: dict[str, Any] = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE}


@dataclass(frozen=True)
class Release:
    """A genuine file: its container, its bytes, its proof, and its manifest store as it stands in it."""

    container: str
    path: Path

    @property
    def proof(self) -> Path:
        """The proof that it is in the ledger."""
        return self.path.with_name(self.path.name + PROOF)

    @cached_property
    def data(self) -> bytes:
        """The whole file."""
        return self.path.read_bytes()

    @cached_property
    def store(self) -> bytes:
        """The manifest store (JUMBF) that was signed."""
        return self.path.with_name(self.path.name + STORE).read_bytes()


def make_releases(folder: Path, containers: Sequence[str] | None = None) -> list[Release]:
    """Releases in *folder*, made where they are not there yet; ``folder/trust.json`` is what to pin."""
    if not (folder / TRUST).is_file():
        _make(folder)
    found = [Release(p.name.split(".")[0], p) for p in sorted(folder.glob("*.*")) if _is_release(p)]
    return [r for r in found if containers is None or r.container in containers]


def _is_release(path: Path) -> bool:
    return path.with_name(path.name + PROOF).is_file()


def _make(folder: Path) -> None:
    from safegen._util.time import utc_now
    from safegen.keys.identity import Identity
    from safegen.keys.trust import export_trust
    from safegen.workspace.config import find_workspace
    from safegen.workspace.session import open_session
    from tests.support import tiny_files

    work = folder / "work"
    work.mkdir(parents=True)
    space = find_workspace(work / "workspace")
    space.create()
    identity = Identity.load_or_create(space.keys, name="Mutants")
    with open_session(space) as session:
        for number, name in enumerate(tiny_files.MAKERS, 1):
            _release(session, identity, name, number, folder)
    text = export_trust(identity, "mutants", created=utc_now())
    (folder / TRUST).write_text(text, encoding="utf-8")


def _release(session: Session, identity: Identity, name: str, number: int, folder: Path) -> None:
    """Make, sign, record and publish the file called *name*."""
    from safegen.release import ReleaseJob, ReleaseRecord
    from tests.support import tiny_files

    extension, mime, write = tiny_files.MAKERS[name]
    target = folder / f"{name}.{extension}"
    plain = folder / "work" / f"plain-{name}.{extension}"
    write(plain)
    with ReleaseJob.begin(session.ledger, target) as job:
        signed = job.temporary(f"signed.{extension}")
        manifest_id, store = _sign(identity, name, mime, plain, signed, number)
        job.record(signed, release=ReleaseRecord(manifest_id, store, number, MARK))
        job.publish()
    target.with_name(target.name + STORE).write_bytes(store)


def _sign(
    identity: Identity, name: str, mime: str, plain: Path, signed: Path, number: int
) -> tuple[str, bytes]:
    """Sign *plain* to *signed*; the manifest's id and the store."""
    from safegen.credentials.claim_signature import active_label
    from safegen.credentials.formats import SIGNABLE
    from safegen.credentials.sign import Ingredient, sign_file

    if mime not in SIGNABLE:
        definition = _definition(name, mime, [CREATED], number)
        signed.write_bytes(_build(plain.read_bytes(), mime, definition, identity))
        store = _store_of(signed, mime)
        return active_label(store), store
    parents, actions = [], [CREATED]
    if name in WITH_PARENT:
        source = plain.with_name(f"parent-{plain.name}")
        sign_file(plain, source, _definition(name, mime, actions, number + 1000), signer=identity.signer())
        parents = [Ingredient(source, "source", "parentOf", "source")]
        actions = [{"action": "c2pa.opened", "parameters": {"ingredientIds": ["source"]}}]
        plain = source
    definition = _definition(name, mime, actions, number)
    result = sign_file(plain, signed, definition, signer=identity.signer(), ingredients=parents)
    return result.manifest_id, result.manifest_bytes


def _definition(name: str, mime: str, actions: list[dict[str, Any]], number: int) -> dict[str, Any]:
    """A manifest that names a mark, as that of every release does; nobody looks for it in the pictures."""
    from safegen.credentials.assertions import soft_binding

    return {
        "claim_generator_info": [{"name": "safegen", "version": "0"}],
        "title": name,
        "format": mime,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": actions}},
            soft_binding(MARK, number),
        ],
    }


def _build(data: bytes, mime: str, definition: dict[str, Any], identity: Identity) -> bytes:
    """*data* signed through c2pa's builder. Raises c2pa.C2paError."""
    import io

    import c2pa

    from safegen.credentials import library
    from safegen.credentials.sign import created_labels

    signer, made = identity.signer(), io.BytesIO()
    algorithm = getattr(c2pa.C2paSigningAlg, signer.alg.upper())
    builder = c2pa.Builder(definition, context=library.context(created_labels=created_labels(definition)))
    with c2pa.Signer.from_callback(signer.sign, algorithm, signer.chain_pem.decode(), None) as native:
        builder.sign(native, mime, io.BytesIO(data), made)
    return made.getvalue()


def _store_of(path: Path, mime: str) -> bytes:
    import io

    import c2pa

    with path.open("rb") as file, c2pa.Reader(mime, file) as reader:
        raw = io.BytesIO()
        reader.resource_to_stream(f"self#jumbf=/c2pa/{json.loads(reader.json())['active_manifest']}", raw)
        return raw.getvalue()


def bindings(release: Release) -> Iterator[dict[str, Any]]:
    """Data of the hard bindings (``c2pa.hash.*``) of the release's active manifest, as c2pa reads them."""
    import c2pa

    from tests.support import tiny_files

    mime = tiny_files.MAKERS[release.container][1]
    with release.path.open("rb") as file, c2pa.Reader(mime, file) as reader:
        document = json.loads(reader.detailed_json())
    active = document["manifests"][document["active_manifest"]]
    for label, data in active["assertion_store"].items():
        if label.startswith("c2pa.hash."):
            yield {"label": label, **data}
