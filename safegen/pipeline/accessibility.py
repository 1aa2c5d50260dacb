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
    from safegen.pipeline.context import ReleaseContext
    from safegen.release import ReleaseJob


def sidecar_names(destination: Path, session: Session) -> list[str]:
    """Names that a release to *destination* will take beside the video's own."""
    return list(files.names(destination.name).values()) if session.workspace.config.access else []


def make_accessible(encoded: Encoded, context: ReleaseContext) -> Encoded:
    """*encoded* with captions, descriptions, chapters and, where a synthesiser is, a spoken description.

    Videos made elsewhere stay as they are; where it is switched off the record says so. What is written is
    read back. Raises CheckUnavailable, ReleaseFailed, Interrupted.
    """
    unmarked, decision, config = encoded.moderated.unmarked, context.decision, context.config
    if unmarked.origin != "generated" or decision is None:
        return encoded
    if not config.access:
        return replace(encoded, accessibility=Accessibility(files.SWITCHED_OFF))
    context.progress.stage("describing")
    clip, attributes = unmarked.clip, encoded.moderated.attributes
    samples = scenes.sample_clip(clip, context.progress)
    shots = [shot.at for shot in decision.request.shots]
    segments = scenes.segment_scenes(samples, shots=shots, clip_attributes=attributes)
    built = tracks.build_tracks(segments, clip.seconds, audio=clip.audio, engine=engines.find_engine())
    title = unmarked.annotations.title or f"safegen video {encoded.content_id:016x}"
    sidecars = files.build_sidecars(
        built,
        title=f"Transcript: {title}",
        prompt=" / ".join(decision.request.prompt.splitlines()) if config.publish_prompt else "",
        clip_attributes=[a for a in attributes if a.extractor.partition("/")[0] != scenes.EXTRACTOR],
        generated=True,
    )
    target = context.job.temporary("accessible.mp4")
    embedded = files.embedded_tracks(built)
    media.mux_tracks(encoded.path, target, embedded, progress=context.progress)
    files.check_embedded(media.read_tracks(target), embedded, encoded.frames)
    encoded.path.unlink()
    accessibility = Accessibility(
        files.accessibility_record(built, sidecars), _write_sidecars(sidecars, context.job)
    )
    return replace(encoded, path=target, accessibility=accessibility)


def _write_sidecars(sidecars: files.Sidecars, job: ReleaseJob) -> dict[str, Path]:
    """The sidecars as temporaries of *job*, by final name. Raises ReleaseFailed."""
    from safegen.release.files import translate_os_errors

    by_final_name: dict[str, Path] = {}
    with translate_os_errors("writing the text tracks"):
        for number, (name, text) in enumerate(sidecars.by_file_name(job.destination.name).items()):
            by_final_name[name] = job.temporary(f"track-{number}")
            by_final_name[name].write_text(text, encoding="utf-8")
    return by_final_name
