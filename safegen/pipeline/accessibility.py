"""Making a generated clip accessible when it is marked, before it is signed: the signature covers it all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from safegen.accessibility import engines, scenes, tracks
from safegen.accessibility import sidecars as files
from safegen.media import tracks as media
from safegen.pipeline.stages import Accessibility, Encoded
from safegen.workspace.session import Session

if TYPE_CHECKING:
    from safegen.release import ReleaseJob
    from safegen.types import Decision


def sidecar_names(destination: Path, studio: Session) -> list[str]:
    """Names that a release to *destination* will take beside the video's own."""
    return list(files.names(destination.name).values()) if studio.workspace.config.access else []


def make_accessible(
    encoded: Encoded, decision: Decision | None, *, job: ReleaseJob, studio: Session, title: str = ""
) -> Encoded:
    """*encoded* with captions, descriptions, chapters and, where a synthesiser is, a spoken description.

    Videos made elsewhere stay as they are; where it is switched off the record says so. What is written is
    read back. Raises CheckUnavailable, ReleaseFailed, Interrupted.
    """
    made = encoded.moderated.unmarked
    if made.origin != "generated" or decision is None:
        return encoded
    config = studio.workspace.config
    if not config.access:
        return replace(encoded, accessibility=Accessibility(files.SWITCHED_OFF))
    studio.progress.stage("describing")
    seen = scenes.sample_clip(made.clip, studio.progress)
    shots = [shot.at for shot in decision.request.shots]
    found = scenes.segment_scenes(seen, shots=shots, clip_attributes=encoded.moderated.attributes)
    built = tracks.build_tracks(found, made.clip.seconds, audio=made.clip.audio, engine=engines.find_engine())
    written = files.build_sidecars(
        built,
        title=f"Transcript: {title or f'safegen video {encoded.content_id:016x}'}",
        prompt=" / ".join(decision.request.prompt.splitlines()) if config.publish_prompt else "",
        clip_attributes=[
            a for a in encoded.moderated.attributes if a.extractor.partition("/")[0] != scenes.EXTRACTOR
        ],
        generated=True,
    )
    target = job.temporary("accessible.mp4")
    put = files.embedded_tracks(built)
    media.mux_tracks(encoded.path, target, put, progress=studio.progress)
    files.check_embedded(media.read_tracks(target), put, encoded.frames)
    encoded.path.unlink()
    sidecars = _write_sidecars(written, job)
    return replace(
        encoded,
        path=target,
        accessibility=Accessibility(files.accessibility_record(built, written), sidecars),
    )


def _write_sidecars(written: files.Sidecars, job: ReleaseJob) -> dict[str, Path]:
    """The sidecars as temporaries of *job*, by final name. Raises ReleaseFailed."""
    from safegen.release.files import translate_os_errors

    named: dict[str, Path] = {}
    with translate_os_errors("writing the text tracks"):
        for number, (name, text) in enumerate(written.by_file_name(job.destination.name).items()):
            named[name] = job.temporary(f"track-{number}")
            named[name].write_text(text, encoding="utf-8")
    return named
