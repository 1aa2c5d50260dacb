"""``reproduce``: make the frames of a release again and say whether they are the same, bit by bit.

Compared are the frames before marking and encoding, by the digest that the release recorded: the mark of
every release is another one, so two released files are never the same.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from safegen.errors import SafegenError, UsageError
from safegen.pipeline.compare import Difference, FrameSimilarity, find_differences, measure_similarity
from safegen.pipeline.context import ReleaseSettings
from safegen.pipeline.find_release import ReleaseMatch, SuppliedRequest, find_release, restore_request
from safegen.pipeline.produce import make, prepare, release
from safegen.pipeline.stages import Annotations, UnmarkedClip
from safegen.types import Json, Release
from safegen.workspace.session import Session

if TYPE_CHECKING:
    from safegen.ledger.records import ReleaseEntry

SCHEMA = "safegen.reproduction/1"
NOTHING_SUPPLIED = SuppliedRequest()


@dataclass(frozen=True)
class Reproduction:
    """What became of it.

    ``identical``: every generated frame is the recorded one; ``None`` when the release recorded no digest.
    ``differences`` names what is not as it was when the release was made, ``likeness`` how far the new
    frames are from the pictures in the file that was given, which carry mark and compression. ``release``
    is the reproduced clip where one was asked for.
    """

    found: ReleaseMatch
    identical: bool | None
    frames_sha256: str
    recorded_sha256: str
    differences: tuple[Difference, ...]
    likeness: FrameSimilarity
    notes: tuple[str, ...] = ()
    release: Release | None = None

    @property
    def exit_code(self) -> int:
        """0 when identical, else 9."""
        return 0 if self.identical else 9


def reproduce(
    path: Path,
    output: Path | None,
    *,
    session: Session,
    supplied: SuppliedRequest = NOTHING_SUPPLIED,
    settings: ReleaseSettings = ReleaseSettings(),
    approval: int | None = None,
) -> Reproduction:
    """See ``safegen.reproduce``. The prompt is screened again, under the policy as it is now."""
    session.progress.stage("looking up")
    match = find_release(path, session.ledger)
    request, private = restore_request(match.release, session.ledger, supplied)
    if output is not None and output.exists() and output.samefile(path):
        raise UsageError("the reproduction would replace the original", hint="give another name with -o")
    with ExitStack() as stack:
        target, used_settings = output, settings
        if target is None:  # nothing is released: neither the user's folder nor the settings matter
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="safegen-"))
            target, used_settings = Path(folder) / "compared.mp4", ReleaseSettings()
        prepared = stack.enter_context(
            prepare(request, target, session=session, settings=used_settings, approval=approval)
        )
        unmarked = make(prepared)
        result = _compare_to_release(path, match, private, unmarked, session)
        if output is None:
            return result
        annotated = replace(unmarked, annotations=_annotations(match.release, result))
        return replace(result, release=release(prepared, annotated))


def _compare_to_release(
    path: Path, match: ReleaseMatch, private: Json, unmarked: UnmarkedClip, session: Session
) -> Reproduction:
    """How *unmarked* differs from the release that it repeats; *private*: its entry's private part."""
    from safegen.media import sandbox

    session.progress.stage("comparing")
    public = match.release.entry.public
    recorded = str(public.get("frames_sha256", ""))
    now = unmarked.generation.frames_sha256 if unmarked.generation is not None else ""
    try:
        similarity = measure_similarity(sandbox.open_clip(path), unmarked.clip)
    except SafegenError as error:
        similarity = FrameSimilarity(note=f"the frames of the file cannot be compared: {error}")
    notes = list(unmarked.warnings)
    if not recorded:
        notes.append(
            "the release recorded no digest of its frames, so there is no telling whether they are the same"
        )
    if match.release.withdrawn is not None:
        notes.append(f"the release was withdrawn by entry {match.release.withdrawn}")
    if "sha256" not in public.get("model", {}):
        notes.append("the model's weights were unknown when the release was made")
    return Reproduction(
        match,
        recorded == now if recorded and now else None,
        now,
        recorded,
        find_differences(public, private, unmarked),
        similarity,
        tuple(notes),
    )


def _annotations(first: ReleaseEntry, reproduction: Reproduction) -> Annotations:
    """What the reproduced clip's own release says about the first."""
    return Annotations(
        reproduces={
            "entry": first.index,
            "manifest": first.manifest_id,
            "identical": bool(reproduction.identical),
        }
    )


def to_json(reproduction: Reproduction) -> Json:
    """A reproduction as ``safegen.reproduction/1`` (an infinite PSNR as null with ``same_pixels``)."""
    first, similarity = reproduction.found.release, reproduction.likeness
    result = {True: "identical", False: "different", None: "unknown"}[reproduction.identical]
    return {
        "schema": SCHEMA,
        "result": result,
        "exit_code": reproduction.exit_code,
        "release": {"ledger_index": first.index, "manifest_id": first.manifest_id, "sha256": first.sha256},
        "found_by": reproduction.found.by,
        "frames_sha256": {
            "recorded": reproduction.recorded_sha256 or None,
            "now": reproduction.frames_sha256,
        },
        "differences": [vars(d) for d in reproduction.differences],
        "psnr_db": _finite(similarity.psnr),
        "worst_frame": {"number": similarity.worst_frame, "psnr_db": _finite(similarity.worst_psnr)},
        "comparison_note": similarity.note,
        "notes": list(reproduction.notes),
    }


def _finite(value: float | None) -> float | None:
    """JSON has no infinity: the same pixels are null."""
    return None if value is None or value == float("inf") else round(value, 3)
