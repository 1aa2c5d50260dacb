"""``describe``: text tracks, a transcript and a spoken description for a video made elsewhere."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from safegen._util.files import text_name
from safegen.accessibility import engines, scenes, sidecars, tracks, webvtt
from safegen.accessibility.cues import Cue, rounded_cue
from safegen.credentials import formats
from safegen.errors import Interrupted, UnreadableInput, UsageError
from safegen.media import sandbox
from safegen.media import tracks as media
from safegen.protocols import NoProgress, Progress
from safegen.types import Json, JsonResult

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from safegen.accessibility.speech import SpeechEngine
    from safegen.accessibility.tracks import AccessibilityTracks

SCHEMA = "safegen.description/1"


@dataclass(frozen=True)
class Description(JsonResult):
    """What was written (``paths`` by kind; ``video`` where it was asked for), what it says, what to know."""

    tracks: AccessibilityTracks
    paths: dict[str, Path]
    record: Json
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """How long and what was written."""
        return f"<Description of {self.tracks.seconds:.1f} s: {', '.join(self.paths)}>"

    def to_dict(self) -> Json:
        """``safegen.description/1``: what is seen when, and where it was written."""
        return {
            "schema": SCHEMA,
            "seconds": round(self.tracks.seconds, 3),
            "files": {kind: str(path) for kind, path in self.paths.items()},
            "scenes": [
                {
                    "start": round(scene.span[0], 3),
                    "end": round(scene.span[1], 3),
                    "text": scene.phrase.wordings[0],
                    "sure": scene.phrase.certain,
                    "attributes": {a.name: dict(a.probabilities) for a in scene.attributes},
                }
                for scene in self.tracks.scenes
            ],
            "record": self.record,
            "notes": list(self.notes),
        }


def describe(
    path: Path,
    *,
    folder: Path | None = None,
    video: Path | None = None,
    captions: Path | None = None,
    overwrite: bool = False,
    progress: Progress = NoProgress(),
    engine: SpeechEngine | None = None,
) -> Description:
    """See ``safegen.describe``. *engine*: a speech synthesiser, default the one that is installed."""
    if folder is not None and video is not None:
        raise UsageError(
            "omit --to: the files are written beside the copy", hint="give either --to or -o, not both"
        )
    supplied = None if captions is None else webvtt.read_file(captions)
    mime = formats.detect(path).mime or ""
    if mime.startswith("image/") and mime != "image/gif":
        raise UnreadableInput(f"{path} is a picture", hint="give a video")
    targets = _targets(path, folder or path.parent, video, overwrite)
    progress.stage("reading")
    info = sandbox.probe(path)
    own = media.read_tracks_sandboxed(path)
    audio = sandbox.read_audio(path) if info.audio else None
    inside = own.texts.get("captions") or own.texts.get("other")
    spoken = (
        supplied
        if supplied is not None
        else None
        if inside is None
        else [rounded_cue(*line) for line in inside]
    )
    notes: list[str] = []
    if own.frames < info.frames:
        notes.append(f"the file is cut short: {own.frames} of {info.frames} frames are present")
    progress.stage("describing")
    samples = scenes.collect_samples(_sample_frames(path, info.seconds, notes, progress), info.seconds)
    built = tracks.build_tracks(
        scenes.segment_scenes(samples),
        samples.seconds,
        audio=audio,
        spoken=spoken,
        engine=engine or engines.find_engine(),
    )
    rendered = sidecars.build_sidecars(built, title=f"Transcript: {text_name(path)}")
    embedded = sidecars.embedded_tracks(
        built, captions=not _captions_are_embedded(built, supplied), chapters=not own.chapters
    )
    with _temporary_folder(targets) as temporary:
        if video is not None:
            progress.stage("adding tracks")
            notes += media.mux_tracks_sandboxed(path, temporary / "video.mp4", embedded)
            sidecars.check_embedded(
                media.read_tracks_sandboxed(temporary / "video.mp4"), embedded, own.frames
            )
            notes += _credential_notes(path)
        for kind, text in rendered.texts.items():
            (temporary / kind).write_text(text, encoding="utf-8")
        if progress.cancelled():
            raise Interrupted("stopped before anything was written")
        _place_files(temporary, targets, overwrite)
    return Description(built, targets, sidecars.accessibility_record(built, rendered), tuple(notes))


def _captions_are_embedded(built: AccessibilityTracks, supplied: Sequence[Cue] | None) -> bool:
    """Whether the captions are those that the video has already."""
    return built.sound_status == "written" and supplied is None


def _targets(path: Path, folder: Path, video: Path | None, overwrite: bool) -> dict[str, Path]:
    """Final path by kind, each checked before any work. Raises UsageError."""
    from safegen.release.files import check_destination

    name = text_name(path) if video is None else video.name
    parent = folder if video is None else video.parent
    targets = {kind: parent / name for kind, name in sidecars.names(name).items()}
    if video is not None:
        if video.suffix.lower() not in {".mp4", ".m4v", ".mov"}:
            raise UsageError(
                f"{video.name}: tracks can only be added to an MP4", hint="give a name that ends in .mp4"
            )
        if video.exists() and video.samefile(path):
            raise UsageError("the original is never overwritten", hint="give another name with -o")
        targets["video"] = video
    for target in targets.values():
        check_destination(target.absolute(), overwrite=overwrite)
    return {kind: target.absolute() for kind, target in targets.items()}


def _sample_frames(
    path: Path, seconds: float, notes: list[str], progress: Progress
) -> Iterator[tuple[NDArray[np.uint8], float]]:
    """Small pictures with the seconds from the first; what went wrong on the way becomes a note."""
    first: float | None = None
    for item in sandbox.stream_frames(path, rate=scenes.rate_for(seconds), short_side=scenes.SHORT_SIDE):
        if isinstance(item, str):
            notes.append(f"only part of it could be examined: {item}")
            continue
        if progress.cancelled():
            raise Interrupted("stopped while examining the video")
        progress.advance()
        picture, time, _ = item
        first = time if first is None else first
        yield picture, max(0.0, time - first)


def _credential_notes(path: Path) -> list[str]:
    """A note where the source has credentials: they do not hold for the copy."""
    from safegen.credentials.in_child import read_credentials

    if read_credentials(path).manifest_id is None:
        return []
    note = f"the Content Credentials of {text_name(path)} are not valid for the copy; sign it again"
    return [f"{note} with `safegen protect`"]


@contextmanager
def _temporary_folder(targets: dict[str, Path]) -> Iterator[Path]:
    """A private folder for what is not finished, removed in every case."""
    from safegen.release.files import make_job_folder, remove_job_folder, translate_os_errors

    with translate_os_errors("creating the folder for temporary files"):
        folder = make_job_folder(next(iter(targets.values())).parent, secrets.token_hex(16))
    try:
        yield folder
    finally:
        remove_job_folder(folder)


def _place_files(temporary: Path, targets: dict[str, Path], overwrite: bool) -> None:
    """Give every file its name, the video last, none half written; all or none. Raises ReleaseFailed."""
    from safegen.release import files as moves
    from safegen.release.folder import Folder

    done: list[tuple[Path, str]] = []
    try:
        with moves.translate_os_errors("writing the tracks"):
            for kind, target in targets.items():
                source = temporary / ("video.mp4" if kind == "video" else kind)
                hashed = moves.sync_and_hash(source)
                moves.place_file(
                    Folder(source.parent, None),
                    source.name,
                    Folder(target.parent, None),
                    target.name,
                    overwrite=overwrite,
                    placeholder=lambda: None,
                )
                done.append((target, hashed.sha256))
            moves.sync_folder(next(iter(targets.values())).parent)
    except BaseException:
        for target, digest in done:
            if Folder(target.parent, None).holds(target.name, digest):
                target.unlink()
        raise


def description_rows(done: Description) -> Iterator[tuple[str, str]]:
    """*done* as names and values, for people."""
    for scene in done.tracks.scenes:
        yield f"{scene.span[0]:.1f}-{scene.span[1]:.1f} s", scene.phrase.wordings[0]
    yield (
        "sound",
        {"nothing": "none", "unrecognised": "there is sound, but no captions for what is said"}.get(
            done.tracks.sound_status, f"{len(done.tracks.captions)} captions"
        ),
    )
    spoken = done.tracks.narration
    yield "spoken", done.tracks.no_narration_reason if spoken is None else f"{len(spoken.cues)} descriptions"
    for kind, path in done.paths.items():
        yield kind, str(path)
