"""Small releases made of real parts: painted clips, the real builder and signer, a real ledger."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
import numpy as np

import safegen
from safegen._util.time import utc_now
from safegen.credentials.manifest import ManifestInputs, build_manifest
from safegen.credentials.sign import Ingredient, sign_file
from safegen.keys.identity import Identity
from safegen.keys.trust import export_trust
from safegen.ledger.note import LogSigner
from safegen.ledger.store import Ledger
from safegen.protocols import Signer
from safegen.release import ReleaseJob, ReleaseRecord
from safegen.types import Allowed, CheckRun, ModelRef, PolicyRef, Request
from safegen.workspace import config as workspaces

TILE = "org.safegen.watermark.tile.1"
JPEG = (
    b"\xff\xd8\xff\xdb\x00\x43\x00"
    + b"\x10" * 64
    + b"\xff\xc0\x00\x0b\x08\x00\x08\x00\x08\x01\x01\x11\x00\xff\xd9"
)


def paint(path: Path, *, seed: int = 0, frames: int = 8, size: int = 64) -> Path:
    """A short H.264 clip (an MP4 of a few kB at the default size); other seeds, other pictures."""
    rng = np.random.default_rng(seed)
    base = rng.integers(0, 255, (8, 8, 3), np.uint8).repeat(size // 8, 0).repeat(size // 8, 1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=8)
        stream.width = stream.height = size
        stream.pix_fmt = "yuv420p"
        for i in range(frames):
            frame = av.VideoFrame.from_ndarray(np.roll(base, i * size // 8, 1), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def inputs(content_id: int, **changes: Any) -> ManifestInputs:
    """What the manifest of a generated clip states; no watermark is in the pictures of painted ones."""
    request = Request("a quiet harbour at dawn", seed=11)
    decision = Allowed(request, PolicyRef("default", "ab" * 32), (CheckRun("rules", "3", "cd" * 32, 0.1),))
    stated: dict[str, Any] = {
        "title": "clip.mp4",
        "content_id": content_id,
        "watermark_alg": TILE,
        "model": ModelRef("painted", "safegen/painted", "1.0", "ef" * 32, "Apache-2.0"),
        "settings": {"steps": 20},
        "decision": decision,
        "when": datetime.now(UTC),
        "provider": "Studio Nord",
        "frame_checks": (CheckRun("blank", "1", None, 0.0),),
        "training_mining": {"cawg.ai_generative_training": "notAllowed"},
    }
    return ManifestInputs(**(stated | changes))


@dataclass(frozen=True)
class Maker:
    """A workspace with its identity and ledger, which releases painted clips."""

    root: Path
    identity: Identity

    @classmethod
    def open(cls, root: Path, name: str = "Studio Nord") -> Maker:
        """Make the workspace and its keys."""
        space = workspaces.find_workspace(root)
        space.create()
        return cls(root, Identity.load_or_create(space.keys, name=name))

    def ledger(self, *, read_only: bool = False) -> Ledger:
        """The workspace's ledger."""
        space = workspaces.find_workspace(self.root)
        if read_only:
            return Ledger.open(space.ledger_url, read_only=True)
        signer = LogSigner(self.identity.log_origin, self.identity.log_key)
        return Ledger.open(space.ledger_url, signer=signer, checkpoint_dir=space.checkpoints)

    def release(
        self,
        path: Path,
        *,
        content_id: int = 0xABCDEF,
        seed: int = 0,
        signer: Signer | None = None,
        ingredients: Sequence[Ingredient] = (),
        tsa_url: str | None = None,
        ocsp_url: str | None = None,
        change: Callable[[dict[str, Any]], dict[str, Any]] = lambda definition: definition,
        **stated: Any,
    ) -> Path:
        """Sign, record and publish a painted clip at *path*; its proof lies beside it."""
        made = inputs(content_id, ingredients=tuple(ingredients), **stated)
        with self.ledger() as ledger, ReleaseJob.begin(ledger, path) as job:
            plain, signed = job.temporary("plain.mp4"), job.temporary("signed.mp4")
            paint(plain, seed=seed)
            result = sign_file(
                plain,
                signed,
                change(build_manifest(made)),
                signer=signer or self.identity.signer(),
                ingredients=ingredients,
                thumbnail=JPEG,
                tsa_url=tsa_url,
                ocsp_url=ocsp_url,
            )
            record = ReleaseRecord(result.manifest_id, result.manifest_bytes, content_id, TILE)
            job.record(signed, release=record)
            job.publish()
        return path

    def trust_file(self, target: Path) -> Path:
        """What a third party pins."""
        target.write_text(export_trust(self.identity, "Studio Nord", created=utc_now()))
        return target

    def verify(self, path: Path, **more: Any) -> safegen.Report:
        """Verify with this workspace's trust, without the watermark search unless asked for."""
        return safegen.verify(path, workspace=self.root, **({"watermark": False} | more))


def hand_over(path: Path, folder: Path) -> Path:
    """A copy of the video and its proof in *folder*; the copy of the video."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in (path, path.with_name(path.name + ".tlog-proof")):
        shutil.copy(file, folder)
    return folder / path.name
