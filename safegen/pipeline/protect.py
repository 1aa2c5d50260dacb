"""``protect``: mark, sign and record a video made elsewhere."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from safegen import plugins
from safegen.errors import UnreadableInput
from safegen.media import sandbox
from safegen.media.encode import Encoding
from safegen.media.spool import copy_file
from safegen.pipeline.finish import finish
from safegen.pipeline.produce import check_output
from safegen.pipeline.steps import Made, Source
from safegen.pipeline.studio import Studio
from safegen.types import Release


def protect(
    path: Path,
    output: Path | None,
    *,
    studio: Studio,
    policy: str = "default",
    source_type: str | None = None,
    watermark: str = "tile",
    encoding: Encoding = Encoding(),
    overwrite: bool = False,
) -> Release:
    """See ``safegen.protect``. The file is decoded in the sandbox; its pictures and sound are kept."""
    from safegen.policies import load
    from safegen.release import ReleaseJob

    started = time.monotonic()
    rules = load(policy)
    plugins.load("watermarks", watermark)
    destination = output or path.with_name(f"{path.stem}.protected.mp4")
    check_output(destination)
    studio.progress.stage("reading")
    if sandbox.open_clip(path).count < 2:
        raise UnreadableInput(f"{path}: a still picture; safegen protects videos", hint="give a video file")
    with ReleaseJob.begin(
        studio.ledger, destination, clock=studio.clock, overwrite=overwrite, at=studio.at
    ) as job:
        # A copy of our own: what is checked, marked and named as the source must be one and the same.
        source = job.temporary(f"source{path.suffix}")
        copy_file(path, source)
        clip = replace(sandbox.open_clip(source), audio=sandbox.read_audio(source))
        made = Made(clip, "protected", None, {}, source=Source(source, path.name, source_type))
        return finish(
            made,
            None,
            rules,
            job=job,
            studio=studio,
            content_id=studio.new_id(),
            watermark=watermark,
            encoding=encoding,
            timings={"reading": time.monotonic() - started},
        )
