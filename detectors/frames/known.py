"""Known content: pictures and videos on a list of fingerprints must not be shown again.

The list (``SAFEGEN_KNOWN``: a JSON Lines file, made by ``add``) holds, for each, a name and content
descriptors, from which the pictures cannot be got back in any detail.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from safegen.detectors.frames._sampling import sample_frames
from safegen.detectors.provenance.content import Descriptors, compare_content, compute_descriptors
from safegen.errors import CheckAbsent, CheckUnavailable, UnreadableInput, UsageError
from safegen.types import CheckRun, Finding, FrameSample

if TYPE_CHECKING:
    from safegen.protocols import FrameDetector
    from safegen.types import Clip

NAME, VERSION = "known", "1"
VARIABLE = "SAFEGEN_KNOWN"
_MOST = 96
_MAX_LIST = 256 * 2**20


def sample_clip(clip: Clip, *, first: float = 0.0, last: float | None = None) -> FrameSample:
    """At most 96 frames of *clip* from *first* to *last* (seconds). Raises UnreadableInput for none."""
    end = clip.seconds if last is None else last
    seen = [s for s in sample_frames(clip, per_second=4.0, most=_MOST) if first <= s.time <= end][:_MOST]
    if not seen:
        raise UnreadableInput("there are no frames to compare", hint="check that the clip is not empty")
    frames = np.stack([s.frame for s in seen])
    times = tuple(s.time - first for s in seen)
    return FrameSample(
        frames, times, tuple(False for _ in seen), clip.width, clip.height, float(clip.fps), end - first
    )


def pack_descriptors(clip: Clip) -> str:
    """The descriptors of *clip* as text (base64)."""
    return base64.b64encode(compute_descriptors(sample_clip(clip)).to_bytes()).decode("ascii")


def match_score(packed_descriptors: str, sample: FrameSample) -> float:
    """How alike *sample* is to what was packed, in [0, 1]; 0 where it does not count as the same.

    A list's picture may stand anywhere in a video, so every frame is compared with a picture of its own.
    Raises UnreadableInput for descriptors that are none.
    """
    try:
        described = Descriptors.from_bytes(base64.b64decode(packed_descriptors, validate=True))
    except ValueError as error:
        raise UnreadableInput("the content descriptors are not base64") from error
    parts = [sample]
    if len(described.pictures) == 1 and len(sample.frames) > 1:
        parts = [_one(sample, i) for i in range(len(sample.frames))]
    scores = [compare_content(described, part, None, only_matches=True) for part in parts]
    return max((min(1.0, s.score) for s in scores if s.matches), default=0.0)


def _one(sample: FrameSample, index: int) -> FrameSample:
    """A sample of one frame."""
    return FrameSample(
        sample.frames[index : index + 1], (0.0,), (True,), sample.width, sample.height, sample.fps, 0.0
    )


def add(path: Path, name: str, clip: Clip) -> None:
    """Append *clip* as *name* to the list in *path*. Raises UsageError, UnreadableInput."""
    if not name.strip():
        raise UsageError("a list entry needs a name", hint="give the entry a name")
    row = json.dumps({"name": name, "descriptors": pack_descriptors(clip)})
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(row + "\n")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", hint="choose another file") from error


def read(path: Path) -> tuple[tuple[tuple[str, str], ...], str]:
    """Names and packed descriptors of a list, and its SHA-256 (hex). Raises CheckUnavailable, CheckAbsent."""
    try:
        data = path.read_bytes()[: _MAX_LIST + 1]
    except OSError as error:
        raise CheckUnavailable(f"the list {path.name} cannot be read: {error.strerror}") from error
    rows = []
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            rows.append((str(value["name"]), str(value["descriptors"])))
        except (ValueError, KeyError, TypeError) as error:
            raise CheckUnavailable(
                f"{path.name}, line {number}: not a valid entry of a list of known content"
            ) from error
    if not rows or len(data) > _MAX_LIST:
        raise CheckUnavailable(f"the list {path.name} is empty or too large", hint="see docs/moderation.md")
    return tuple(rows), hashlib.sha256(data).hexdigest()


class KnownCheck:
    """Frames check against the list."""

    name = NAME

    def run(self, clip: Clip) -> tuple[Sequence[Finding], CheckRun]:
        """A finding for each entry of the list that the clip shows. Raises CheckAbsent, CheckUnavailable."""
        place = os.environ.get(VARIABLE)
        if not place:
            raise CheckAbsent("there is no list of known content", hint=f"name one in {VARIABLE}")
        rows, digest = read(Path(place))
        sample = sample_clip(clip)
        found = []
        for name, descriptors in rows:
            score = match_score(descriptors, sample)
            if score > 0:
                found.append(Finding("known_content", score, NAME, f"it is on the list as {name!r}"))
        highest = max((f.score for f in found), default=0.0)
        return found, CheckRun(NAME, VERSION, digest, highest, ("known_content",))


def create() -> FrameDetector:
    """The plug-in."""
    return KnownCheck()
