"""The Python API for existing files: ``protect``, ``describe`` and ``reproduce``.

Every function raises SafegenError subclasses only (see ``safegen.errors``) and never prints.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from safegen.api.options import with_explained
from safegen.protocols import NoProgress, Progress, Signer
from safegen.types import PathLike, Release

if TYPE_CHECKING:
    from safegen.keys.passphrase import Passphrase
    from safegen.pipeline.describe import Description
    from safegen.pipeline.reproduce import Reproduction


@with_explained("policy", "watermark", "crf", "overwrite", "workspace", "passphrase", "signer", "progress")
def protect(
    path: PathLike,
    output: PathLike | None = None,
    *,
    source_type: str | None = None,
    policy: str = "default",
    watermark: str = "tile",
    crf: int = 18,
    overwrite: bool = False,
    allow_damaged: bool = False,
    manifest: str | None = None,
    label: str | None = None,
    workspace: PathLike | None = None,
    passphrase: Passphrase = None,
    signer: Signer | None = None,
    progress: Progress = NoProgress(),
) -> Release:
    """Mark, sign and record the video or picture (PNG, JPEG) at *path*; the original is not changed.

    Sound, subtitles, chapters, colours, rotation and times are kept; ``Release.warnings`` lists what could
    not be. A damaged file is refused, unless *allow_damaged* lets the decodable part pass.

    *manifest* says where the credentials go, as in ``safegen.workspace.config.Config``; *label*, such as
    ``AI-generated``, is written into every frame (never because of a workspace setting). No claim is made
    about how the file was made: *source_type* (an IPTC digital source type such as ``digitalCapture``) is
    signed as the owner's own statement. *output* defaults to ``NAME.protected.mp4`` (``.png``, ``.jpg``)
    beside the source.

    Raises UnreadableInput, UsageError, CheckUnavailable, ReleaseFailed, Interrupted.
    """
    from safegen.credentials.source_types import source_type_address
    from safegen.media.encode import Encoding
    from safegen.pipeline.context import ReleaseSettings
    from safegen.pipeline.protect import protect as run
    from safegen.request.settings import check_settings
    from safegen.workspace.config import find_workspace
    from safegen.workspace.session import open_session

    check_settings({"crf": crf, "watermark": watermark, "policy": policy})
    if source_type is not None:
        source_type_address(source_type)
    space = find_workspace(workspace).with_release_settings(manifest=manifest, label=label or "")
    with open_session(space, passphrase=passphrase, signer=signer, progress=progress) as session:
        return run(
            Path(path),
            None if output is None else Path(output),
            session=session,
            policy=policy,
            source_type=source_type,
            settings=ReleaseSettings(watermark, Encoding(crf=crf), overwrite),
            allow_damaged=allow_damaged,
        )


@with_explained("overwrite", "progress")
def describe(
    path: PathLike,
    *,
    folder: PathLike | None = None,
    video: PathLike | None = None,
    captions: PathLike | None = None,
    overwrite: bool = False,
    progress: Progress = NoProgress(),
) -> Description:
    """Write captions, descriptions, chapters (WebVTT) and a transcript (HTML) for a video made elsewhere.

    They go into *folder* (default: beside *path*), or beside *video*, a copy with the tracks inside.
    *captions* (WebVTT) gives what is said. Nothing is signed, and no workspace is touched.

    Raises UnreadableInput, UsageError, CheckUnavailable, ReleaseFailed, Interrupted: nothing is left then.
    """
    from safegen.pipeline.describe import describe as run

    return run(
        Path(path),
        folder=None if folder is None else Path(folder),
        video=None if video is None else Path(video),
        captions=None if captions is None else Path(captions),
        overwrite=overwrite,
        progress=progress,
    )


@with_explained("overwrite", "approval", "workspace", "passphrase", "progress")
def reproduce(
    path: PathLike,
    output: PathLike | None = None,
    *,
    prompt: str | None = None,
    negative_prompt: str | None = None,
    inputs: Sequence[PathLike] = (),
    model: str | None = None,
    policy: str | None = None,
    watermark: str = "tile",
    overwrite: bool = False,
    approval: int | None = None,
    workspace: PathLike | None = None,
    passphrase: Passphrase = None,
    progress: Progress = NoProgress(),
) -> Reproduction:
    """Generate the release at *path* again and say whether its frames are the same, bit by bit.

    The release is found by the file's hash, its manifest's id, its watermark or its pictures. *prompt* and
    *negative_prompt* are needed if the workspace did not keep them, and must match the recorded ones exactly,
    as must the files of its *inputs*. *model* is where the recorded model is today, *policy* the one to
    screen under (default: both as recorded). With *output*, the clip is also released with a *watermark*, and
    recorded as a reproduction.

    Raises UsageError (not found, or something must be given), RefusedByPolicy and HeldForReview under the
    current policy, and whatever ``generate`` raises.
    """
    from safegen.generators.remote.origins import confirm
    from safegen.pipeline.context import ReleaseSettings
    from safegen.pipeline.find_release import SuppliedRequest
    from safegen.pipeline.reproduce import reproduce as run
    from safegen.workspace.config import find_workspace
    from safegen.workspace.session import open_session

    confirm(model)
    supplied = SuppliedRequest(prompt, negative_prompt, tuple(Path(i) for i in inputs), model, policy)
    with open_session(find_workspace(workspace), passphrase=passphrase, progress=progress) as session:
        return run(
            Path(path),
            None if output is None else Path(output),
            session=session,
            supplied=supplied,
            settings=ReleaseSettings(watermark, overwrite=overwrite),
            approval=approval,
        )
