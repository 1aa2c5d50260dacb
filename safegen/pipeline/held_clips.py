"""Clips held by the frames gate: kept for a person to review, and released unchanged when approved.

The ``decision`` entry of a held clip names, under ``output``, the SHA-256 of its frames and of every file
kept in ``held/ID`` of the workspace (or of the source of a video made elsewhere, of which nothing is kept).
An approval lets exactly these pass: what is kept is taken and hashed, nothing is generated again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safegen._util.hashing import file_sha256
from safegen.errors import HeldForReview, ReleaseFailed, SafegenError, WorkspaceError
from safegen.media.spool import copy_file, pack, spool, start_digest, unpack
from safegen.pipeline.ledger_records import append_decision, decision_public, to_canonical
from safegen.pipeline.manifest import UPSTREAM, add_upstream
from safegen.pipeline.stages import GenerationRecord, IngredientFile, UnmarkedClip
from safegen.types import AudioTrack, Clip, Decision, Held, Json, ModelRef, PolicyRef, Request

if TYPE_CHECKING:
    from safegen.ledger.reader import LedgerReader
    from safegen.pipeline.context import ReleaseContext
    from safegen.policies.schema import Policy
    from safegen.review.queue import Approval
    from safegen.workspace.config import Workspace
    from safegen.workspace.session import Session

CLIP_FILE, SOUND_FILE, RECORD_FILE, UPSTREAM_FILE = "clip.mkv", "sound.npy", "made.json", "upstream.mp4"


@dataclass(frozen=True)
class HeldClip:
    """A held clip, taken out again: an approval has to be for ``output``; ``folder`` is where it is kept."""

    unmarked: UnmarkedClip
    output: Json
    folder: Path


@contextmanager
def record_if_held(context: ReleaseContext, store: Callable[[], Json]) -> Iterator[None]:
    """Within the block a clip is checked: one that a person has to see is recorded with what *store* returns.

    HeldForReview goes on, with a hint.
    """
    try:
        yield
    except HeldForReview as error:
        decision = context.decision or source_decision(context.policy)
        held = replace(error.decision, request=decision.request)
        public = decision_public(held) | {"output": store()}
        if context.decision_index is not None:
            public["request"] = context.decision_index
        index = append_decision(context.session, held, public)
        raise HeldForReview(
            str(error),
            decision=held,
            hint=f"nothing was released; the clip waits as decision {index}: see `safegen review show "
            f"{index}`",
        ) from error


def source_decision(policy: Policy) -> Held:
    """The decision about a video made elsewhere under *policy*: no request led to it."""
    return Held(Request("", model="", policy=policy.name), PolicyRef(policy.name, policy.digest), ())


def store_held_clip(unmarked: UnmarkedClip, context: ReleaseContext) -> Json:
    """Put the clip into the workspace, for its user alone; the digests to record. Raises ReleaseFailed."""
    import numpy as np

    folder = held_clip_folder(context.session.workspace, f"{context.content_id:016x}")
    try:
        folder.mkdir(mode=0o700, parents=True)
        pack(unmarked.clip, folder / CLIP_FILE, progress=context.progress)
        if unmarked.clip.audio is not None:
            np.save(folder / SOUND_FILE, unmarked.clip.audio.samples)
        upstream = next((p.path for p in unmarked.ingredients if p.label == UPSTREAM), None)
        if upstream is not None:
            copy_file(upstream, folder / UPSTREAM_FILE)
        (folder / RECORD_FILE).write_text(json.dumps(_clip_json(unmarked), default=repr), encoding="utf-8")
        files = {file.name: file_sha256(file) for file in sorted(folder.iterdir())}
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise ReleaseFailed(
            f"the held clip could not be kept: {error.strerror}", hint="check for free disk space"
        ) from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return {"id": folder.name, "frames_sha256": _frames_sha256(unmarked), "files": files}


def held_clip_folder(workspace: Workspace, name: str) -> Path:
    """Where the held clip *name* is kept."""
    return workspace.root / "held" / name


def approved_output(ledger: LedgerReader, index: int) -> Json | None:
    """Digests of the clip that the approval *index* is about; None where it is about a request."""
    from safegen.review.queue import load_case

    return load_case(ledger, index).output


def load_held_clip(
    output: Json,
    decision: Decision,
    *,
    session: Session,
    temporary: Callable[[str], Path],
    ingredients: tuple[IngredientFile, ...],
) -> HeldClip:
    """The kept clip that *output* names, copied to *temporary* paths, every byte compared with its record.

    *ingredients*: what the request was built on. Raises HeldForReview when something is missing or is not as
    recorded.
    """
    folder = held_clip_folder(session.workspace, str(output.get("id", "")))
    copies: dict[str, Path] = {}
    try:
        for name, digest in _recorded_files(output).items():
            copies[name] = temporary(f"held-{name}")
            copy_file(folder / name, copies[name])
            if file_sha256(copies[name]) != digest:
                raise WorkspaceError(f"{folder / name} differs from the file that was held")
        unmarked = _load_clip(copies, temporary("frames.raw"), ingredients, session)
    except (SafegenError, OSError, KeyError, TypeError, ValueError) as error:
        raise _unavailable(decision, str(error)) from error
    if unmarked.generation is None or unmarked.generation.frames_sha256 != output.get("frames_sha256"):
        raise _unavailable(decision, "its frames differ from those that were held")
    return HeldClip(unmarked, output, folder)


def remove_held_clip(held_clip: HeldClip) -> None:
    """Remove a clip that was released. One that cannot be removed stays: it is in nobody's way."""
    with suppress(OSError):
        shutil.rmtree(held_clip.folder)


def _unavailable(decision: Decision, why: str) -> HeldForReview:
    from safegen.review.matching import still_held_error

    hint = "nothing was released; omit --approval to make and check a new clip"
    return still_held_error(decision, why, subject="the held clip cannot be released", hint=hint)


def _recorded_files(output: Json) -> Mapping[str, str]:
    """Digests by name, the plain names of this module only."""
    files: dict[str, str] = dict(output["files"])
    if not {CLIP_FILE, RECORD_FILE} <= set(files) <= {CLIP_FILE, SOUND_FILE, RECORD_FILE, UPSTREAM_FILE}:
        raise KeyError("files")
    return files


def _frames_sha256(unmarked: UnmarkedClip) -> str:
    if unmarked.generation is None:
        raise ReleaseFailed("the held clip has no recorded digest of its frames")
    return unmarked.generation.frames_sha256


def _clip_json(unmarked: UnmarkedClip) -> Json:
    """What made it, as JSON; floats stay floats."""
    clip, generation = unmarked.clip, unmarked.generation
    return {
        "clip": [clip.width, clip.height, str(clip.fps), clip.count],
        "rate": None if clip.audio is None else clip.audio.rate,
        "model": None if unmarked.model is None else vars(unmarked.model),
        "settings": dict(unmarked.settings),
        "warnings": list(unmarked.warnings),
        "trace": None
        if generation is None
        else {"request": to_canonical(generation.request), "build": to_canonical(generation.environment)},
    }


def _load_clip(
    files: Mapping[str, Path], frames: Path, ingredients: tuple[IngredientFile, ...], session: Session
) -> UnmarkedClip:
    """What was held, its frames spooled and hashed anew."""
    import numpy as np

    record: dict[str, Any] = json.loads(files[RECORD_FILE].read_text(encoding="utf-8"))
    width, height, fps, count = record["clip"]
    packed = unpack(files[CLIP_FILE], width, height, Fraction(fps), count)
    digest = start_digest(packed)
    clip: Clip = spool(packed, frames, progress=session.progress, digest=digest)
    if SOUND_FILE in files:
        samples = np.load(files[SOUND_FILE], allow_pickle=False)
        clip = replace(clip, audio=AudioTrack(samples, int(record["rate"])))
    upstream = files.get(UPSTREAM_FILE)
    return UnmarkedClip(
        clip,
        "generated",
        ModelRef(**record["model"]),
        record["settings"],
        tuple(record["warnings"]),
        ingredients=add_upstream(ingredients, upstream),
        rendition=upstream is not None,
        generation=GenerationRecord(digest.hexdigest(), record["trace"]["request"], record["trace"]["build"]),
    )


def spend_source_approval(session: Session, sha256: str, policy: Policy) -> Approval | None:
    """Spend the approval of the video made elsewhere with that SHA-256, if there is one under *policy*.

    Raises LedgerError.
    """
    from safegen.review.queue import list_unspent, spend_approval

    output = {"source_sha256": sha256}
    decision = source_decision(policy)
    for case in list_unspent(session.ledger):
        decided_under = case.decision.public.get("policy", {}).get("sha256")
        if case.output == output and decided_under == decision.policy.digest:
            return spend_approval(session.ledger, case.index, decision, recorded=None, output=output)
    return None
