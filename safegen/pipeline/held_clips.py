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
from safegen.media.spool import begin_digest, copy_file, pack, spool, unpack
from safegen.pipeline.ledger_records import decision_private, decision_public, plain
from safegen.pipeline.stages import Made, Part, Trace
from safegen.pipeline.upstream import LABEL as UPSTREAM
from safegen.pipeline.upstream import with_upstream
from safegen.types import AudioTrack, Clip, Decision, Held, Json, ModelRef, PolicyRef, Request

if TYPE_CHECKING:
    from safegen.ledger.reader import LedgerReader
    from safegen.policies.schema import Policy
    from safegen.review.queue import Approval
    from safegen.workspace.config import Workspace
    from safegen.workspace.session import Studio

CLIP, SOUND, RECORD, SENT = "clip.mkv", "sound.npy", "made.json", "upstream.mp4"


@dataclass(frozen=True)
class Kept:
    """A held clip, taken out again: ``output`` is what an approval has to be for, ``folder`` its place."""

    made: Made
    output: Json
    folder: Path


@contextmanager
def holding(
    decision: Decision, studio: Studio, keep: Callable[[], Json], *, request: int | None = None
) -> Iterator[None]:
    """Within the block a clip is checked: one for a person to look at is recorded with what *keep* gives.

    *decision* and *request* (its entry) are about what was asked for. HeldForReview goes on, with a hint.
    """
    try:
        yield
    except HeldForReview as stopped:
        found = stopped.decision
        held = replace(found, request=decision.request)
        keeps = studio.workspace.config.keep_prompts
        public = decision_public(held) | {"output": keep()}
        if request is not None:
            public["request"] = request
        index = studio.ledger.append("decision", public, decision_private(held, keep_prompt=keeps))
        raise HeldForReview(
            str(stopped),
            decision=held,
            hint=f"nothing was released; the clip waits as decision {index}: see `safegen review show "
            f"{index}`",
        ) from stopped


def of_a_source(policy: Policy) -> Held:
    """The decision about a video made elsewhere, for ``holding`` under *policy*: nobody asked for it."""
    return Held(Request("", model="", policy=policy.name), PolicyRef(policy.name, policy.digest), ())


def keep(made: Made, studio: Studio, content_id: int) -> Json:
    """Put *made* into the workspace, for its user alone; the digests to record. Raises ReleaseFailed."""
    import numpy as np

    folder = place(studio.workspace, f"{content_id:016x}")
    try:
        folder.mkdir(mode=0o700, parents=True)
        pack(made.clip, folder / CLIP, progress=studio.progress)
        if made.clip.audio is not None:
            np.save(folder / SOUND, made.clip.audio.samples)
        sent = next((p.path for p in made.parts if p.label == UPSTREAM), None)
        if sent is not None:
            copy_file(sent, folder / SENT)
        (folder / RECORD).write_text(json.dumps(_record(made), default=repr), encoding="utf-8")
        files = {file.name: file_sha256(file) for file in sorted(folder.iterdir())}
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise ReleaseFailed(
            f"the held clip could not be kept: {error.strerror}", hint="check for free disk space"
        ) from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return {"id": folder.name, "frames_sha256": _frames(made), "files": files}


def place(workspace: Workspace, name: str) -> Path:
    """Where the held clip *name* is kept."""
    return workspace.root / "held" / name


def output_of(ledger: LedgerReader, index: int) -> Json | None:
    """Digests of the clip that the approval *index* is about; None where it is about a request."""
    from safegen.review.queue import case

    return case(ledger, index).output


def take(
    output: Json,
    decision: Decision,
    *,
    studio: Studio,
    temporary: Callable[[str], Path],
    parts: tuple[Part, ...],
) -> Kept:
    """The kept clip that *output* names, copied to *temporary* paths, every byte compared with its record.

    *parts*: what the request was built on. Raises HeldForReview when something is missing or not as recorded.
    """
    folder = place(studio.workspace, str(output.get("id", "")))
    copies: dict[str, Path] = {}
    try:
        for name, digest in _files(output).items():
            copies[name] = temporary(f"held-{name}")
            copy_file(folder / name, copies[name])
            if file_sha256(copies[name]) != digest:
                raise WorkspaceError(f"{folder / name} differs from the file that was held")
        made = _made(copies, temporary("frames.raw"), parts, studio)
    except (SafegenError, OSError, KeyError, TypeError, ValueError) as error:
        raise _gone(decision, str(error)) from error
    if made.trace is None or made.trace.frames_sha256 != output.get("frames_sha256"):
        raise _gone(decision, "its frames differ from those that were held")
    return Kept(made, output, folder)


def forget(kept: Kept) -> None:
    """Remove a clip that was released. One that cannot be removed stays: it is in nobody's way."""
    with suppress(OSError):
        shutil.rmtree(kept.folder)


def _gone(decision: Decision, why: str) -> HeldForReview:
    from safegen.review.queue import still_held

    hint = "nothing was released; omit --approval to make and check a new clip"
    return still_held(decision, why, what="the held clip cannot be released", hint=hint)


def _files(output: Json) -> Mapping[str, str]:
    """Digests by name, the plain names of this module only."""
    files: dict[str, str] = dict(output["files"])
    if not {CLIP, RECORD} <= set(files) <= {CLIP, SOUND, RECORD, SENT}:
        raise KeyError("files")
    return files


def _frames(made: Made) -> str:
    if made.trace is None:
        raise ReleaseFailed("the held clip has no recorded digest of its frames")
    return made.trace.frames_sha256


def _record(made: Made) -> Json:
    """What made it, as JSON; floats stay floats."""
    clip, trace = made.clip, made.trace
    return {
        "clip": [clip.width, clip.height, str(clip.fps), clip.count],
        "rate": None if clip.audio is None else clip.audio.rate,
        "model": None if made.model is None else vars(made.model),
        "settings": dict(made.settings),
        "warnings": list(made.warnings),
        "trace": None if trace is None else {"request": plain(trace.request), "build": plain(trace.build)},
    }


def _made(files: Mapping[str, Path], frames: Path, parts: tuple[Part, ...], studio: Studio) -> Made:
    """What was held, its frames spooled and hashed anew."""
    import numpy as np

    said: dict[str, Any] = json.loads(files[RECORD].read_text(encoding="utf-8"))
    width, height, fps, count = said["clip"]
    packed = unpack(files[CLIP], width, height, Fraction(fps), count)
    digest = begin_digest(packed)
    clip: Clip = spool(packed, frames, progress=studio.progress, digest=digest)
    if SOUND in files:
        samples = np.load(files[SOUND], allow_pickle=False)
        clip = replace(clip, audio=AudioTrack(samples, int(said["rate"])))
    sent = files.get(SENT)
    return Made(
        clip,
        "generated",
        ModelRef(**said["model"]),
        said["settings"],
        tuple(said["warnings"]),
        parts=with_upstream(parts, sent),
        rendition=sent is not None,
        trace=Trace(digest.hexdigest(), said["trace"]["request"], said["trace"]["build"]),
    )


def approved_source(studio: Studio, sha256: str, policy: Policy) -> Approval | None:
    """Spend the approval of the video made elsewhere with that SHA-256, if there is one under *policy*.

    Raises LedgerError.
    """
    from safegen.review.queue import approvals, spend

    output = {"source_sha256": sha256}
    about = of_a_source(policy)
    for case in approvals(studio.ledger):
        by = case.decision.public.get("policy", {}).get("sha256")
        if case.output == output and by == about.policy.digest:
            return spend(studio.ledger, case.index, about, recorded=None, output=output)
    return None
