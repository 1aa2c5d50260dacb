"""The tracks as files beside the video, as tracks inside it, and as a record of what exists and what not."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from safegen.accessibility import webvtt
from safegen.accessibility.cues import Cue
from safegen.accessibility.sidecar_names import SUFFIXES as SUFFIXES
from safegen.accessibility.sidecar_names import names as names
from safegen.accessibility.tracks import LANGUAGE, AccessibilityTracks
from safegen.accessibility.transcript import render_transcript
from safegen.errors import ReleaseFailed, UnreadableInput
from safegen.media.tracks import TextTracks, TimedText, TrackContents
from safegen.types import Attribute, Json

KINDS = ("captions", "descriptions", "chapters")
_TOLERANCE = 0.1
"""Seconds by which the described sound may differ from the clip: an AAC frame at each end."""
SWITCHED_OFF: Json = {"made": False, "reason": "switched off (--no-access)"}


@dataclass(frozen=True)
class Sidecars:
    """Text of each sidecar by kind."""

    texts: Mapping[str, str]

    def by_file_name(self, video: str) -> dict[str, str]:
        """Text by file name, for a *video* of that name."""
        return {name: self.texts[kind] for kind, name in names(video).items()}


def build_sidecars(
    tracks: AccessibilityTracks,
    *,
    title: str,
    prompt: str = "",
    clip_attributes: Sequence[Attribute] = (),
    generated: bool = False,
) -> Sidecars:
    """The sidecars, each read back. Raises ReleaseFailed if one reads back differently."""
    texts = {
        "captions": tracks.vtt("captions"),
        "descriptions": tracks.vtt("descriptions"),
        "chapters": tracks.vtt("chapters"),
        "transcript": render_transcript(
            tracks, title=title, prompt=prompt, clip_attributes=clip_attributes, generated=generated
        ),
    }
    meant = {"captions": tracks.captions, "descriptions": tracks.descriptions, "chapters": tracks.chapters}
    for kind, cues in meant.items():
        try:
            said = webvtt.parse_cues(texts[kind])
        except UnreadableInput as error:
            raise ReleaseFailed(f"the {kind} cannot be read back: {error}") from error
        if [(c.start, c.end, _flat(c.text)) for c in said] != [(c.start, c.end, _flat(c.text)) for c in cues]:
            raise ReleaseFailed(f"the {kind} read back differently from what was written")
    return Sidecars(texts)


def embedded_tracks(
    tracks: AccessibilityTracks, *, captions: bool = True, chapters: bool = True
) -> TextTracks:
    """What goes into the MP4; *captions* and *chapters* only where it has none of its own."""
    return TextTracks(
        _lines(tracks.captions) if captions else (),
        _lines(tracks.descriptions),
        _lines(tracks.chapters) if chapters and len(tracks.chapters) > 1 else (),
        None if tracks.narration is None else tracks.narration.track,
    )


def check_embedded(found: TrackContents, put: TextTracks, frames: int) -> None:
    """Raise ReleaseFailed unless a player finds in the MP4 what was *put* in, and *frames* pictures."""
    if found.frames != frames:
        raise ReleaseFailed(f"with its text tracks the file has {found.frames} frames, not {frames}")
    for kind, lines in (("captions", put.captions), ("descriptions", put.descriptions)):
        if lines and [_rounded(c) for c in found.texts.get(kind, [])] != [_rounded(c) for c in lines]:
            raise ReleaseFailed(f"the {kind} in the file read back differently from what was written")
    if put.chapters and [_rounded(c) for c in found.chapters] != [_rounded(c) for c in put.chapters]:
        raise ReleaseFailed("the chapters read back from the file differ from those written")
    if put.sound is not None:
        seconds = len(put.sound.samples) / put.sound.rate
        if abs(found.described_seconds - seconds) > _TOLERANCE or not found.other_sounds:
            raise ReleaseFailed(
                f"the audio description lasts {found.described_seconds:.2f} s, not {seconds:.2f} s"
            )


def accessibility_record(tracks: AccessibilityTracks, files: Sidecars) -> Json:
    """What manifest and ledger say: what there is, its SHA-256 (hex), and what there is not and why."""
    digests = {k: hashlib.sha256(v.encode()).hexdigest() for k, v in files.texts.items()}
    cues = {"captions": tracks.captions, "descriptions": tracks.descriptions, "chapters": tracks.chapters}
    found: Json = {"made": True, "language": LANGUAGE, "sound": tracks.sound_status}
    for kind, digest in digests.items():
        found[kind] = {"sha256": digest, **({"cues": len(cues[kind])} if kind in cues else {})}
    found["descriptions"] |= {
        "unsure": tracks.uncertain_scenes,
        "withoutRoom": len(tracks.schedule.omitted),
        "from": sorted({a.extractor for s in tracks.scenes for a in s.attributes}),
    }
    if tracks.narration is None:
        found["audioDescription"] = {"made": False, "reason": tracks.no_narration_reason}
    else:
        found["audioDescription"] = {
            "made": True,
            "cues": len(tracks.narration.cues),
            "withoutRoom": len(tracks.narration.omitted),
        }
    return found


def _lines(cues: Sequence[Cue]) -> tuple[TimedText, ...]:
    return tuple((c.start, c.end, c.text) for c in cues)


def _rounded(line: TimedText) -> tuple[int, int, str]:
    return round(line[0] * 1000), round(line[1] * 1000), _flat(line[2])


def _flat(text: str) -> str:
    return " ".join(text.split())
