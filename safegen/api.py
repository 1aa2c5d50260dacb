"""The Python API: ``screen``, ``generate`` and its siblings, ``verify``: the CLI is a skin over it.

What makes clips stands in ``safegen.making``.

Every function raises SafegenError subclasses only (see ``safegen.errors``) and never prints.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from safegen.making import blend, extend, generate, generate_request, loop, plan, remix, storyboard
from safegen.protocols import NoProgress, Progress, Signer
from safegen.types import Allowed, Detection, Held, Refused, Release, Report, Request
from safegen.ways import new_seed

if TYPE_CHECKING:
    from safegen.compliance.model import Compliance
    from safegen.keys.passphrase import Passphrase
    from safegen.moderation.run import Moderation
    from safegen.pipeline.describe import Description
    from safegen.pipeline.reproduce import Reproduction

__all__ = [
    "blend",
    "comply",
    "describe",
    "detect",
    "extend",
    "generate",
    "generate_request",
    "loop",
    "moderate",
    "new_seed",
    "plan",
    "protect",
    "remix",
    "reproduce",
    "screen",
    "storyboard",
    "verify",
]

PathLike: TypeAlias = str | os.PathLike[str]


def screen(prompt: str, *, policy: str = "default", negative_prompt: str = "") -> Allowed | Held | Refused:
    """What *policy* says about *prompt*. Nothing is generated, recorded or stored.

    Raises UsageError (empty, huge or binary prompt, unknown policy), CheckUnavailable.
    """
    from safegen.screening import screen as run

    return run(Request(prompt=prompt, negative_prompt=negative_prompt, policy=policy))


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
    workspace: PathLike | None = None,
    passphrase: Passphrase = None,
    signer: Signer | None = None,
    progress: Progress = NoProgress(),
) -> Release:
    """Mark, sign and record a video or picture (PNG, JPEG) made elsewhere; the original stays as it is.

    Sound, subtitles, chapters, colours, rotation and times are kept; ``Release.warnings`` says what could
    not be. A damaged file is refused, unless *allow_damaged* lets what can be decoded pass.

    *manifest* says where the credentials go, as in ``safegen.workspace.Config``. Nothing is claimed about how
    it was made: *source_type* (an IPTC digital source type such as
    ``digitalCapture``) is recorded as the user's own statement. *output* defaults to
    ``NAME.protected.mp4`` (``.png``, ``.jpg``) beside the source.

    Raises UnreadableInput, UsageError, CheckUnavailable, ReleaseFailed, Interrupted.
    """
    from safegen.media.encode import Encoding
    from safegen.pipeline.protect import protect as run
    from safegen.pipeline.studio import open_studio
    from safegen.workspace import find

    space = find(workspace).releasing(manifest=manifest)
    with open_studio(space, passphrase=passphrase, signer=signer, progress=progress) as studio:
        return run(
            Path(path),
            None if output is None else Path(output),
            studio=studio,
            policy=policy,
            source_type=source_type,
            watermark=watermark,
            encoding=Encoding(crf=crf),
            overwrite=overwrite,
            allow_damaged=allow_damaged,
        )


def verify(
    path: PathLike,
    *,
    workspace: PathLike | None = None,
    proof: PathLike | None = None,
    trust: Sequence[PathLike] = (),
    watermark: bool = True,
    at: datetime | None = None,
    fetch_remote: Sequence[str] = (),
    resolve: str | None = None,
    resolve_by_content: bool = False,
) -> Report:
    """Where the file at *path* comes from: one verdict from credentials, watermark, content and ledger.

    Offline, unless *fetch_remote* names hosts from which remote manifests may be fetched, or *resolve* is the
    address of a C2PA soft binding resolution service, to be asked where the credentials are gone (and with
    *resolve_by_content* to be sent the whole file where its mark leads to nothing). Trust
    comes from the user's own workspace, from *trust* files and from nowhere else. *proof* is a proof sidecar
    (default: the one beside the file). *at* judges certificates at another time.

    Raises UnreadableInput, UsageError, CheckUnavailable.
    """
    from safegen.verification.run import verify_file
    from safegen.workspace import find, or_own

    found = find(workspace)
    return verify_file(
        Path(path),
        workspace=or_own(found),
        passed_over=None if found.trusted else found,
        proof=None if proof is None else Path(proof),
        trust_files=[Path(t) for t in trust],
        watermark=watermark,
        at=at,
        fetch_hosts=fetch_remote,
        resolve=resolve,
        send=resolve_by_content,
    )


def detect(
    path: PathLike,
    *,
    scheme: str = "tile",
    key: PathLike | bytes | None = None,
    progress: Progress = NoProgress(),
) -> Detection:
    """Look for watermarks in a video or picture: which, in which parts, how sure that is.

    The mark alone: no credentials, no ledger, no workspace, no network. *key* is a private key or a file
    with one (default: the public key). A mark is a pointer, not a proof; ``verify`` gives a verdict.

    Raises UnreadableInput, UsageError, CheckUnavailable, Interrupted.
    """
    from safegen.verification.detect import detect_file, read_key
    from safegen.watermarks import PUBLIC_KEY

    secret = PUBLIC_KEY if key is None else key if isinstance(key, bytes) else read_key(Path(key))
    return detect_file(Path(path), scheme=scheme, key=secret, progress=progress)


def moderate(
    path: PathLike,
    *,
    policy: str = "default",
    checks: Sequence[str] = (),
    progress: Progress = NoProgress(),
) -> Moderation:
    """What is seen in the video or picture at *path*, second by second, and what *policy* makes of it.

    *checks* are frames checks that must run besides the policy's own. Nothing is changed or recorded.

    Raises UsageError (unknown policy or check), UnreadableInput, CheckUnavailable, Interrupted.
    """
    from safegen import policies
    from safegen.moderation.batch import with_checks
    from safegen.moderation.run import moderate_file

    return moderate_file(Path(path), with_checks(policies.load(policy), checks), progress=progress)


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
    *captions* (WebVTT) says what is said. Nothing is signed, no workspace is touched.

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


def comply(
    path: PathLike,
    *,
    rule: str,
    workspace: PathLike | None = None,
    trust: Sequence[PathLike] = (),
    at: datetime | None = None,
) -> Compliance:
    """What the file at *path* shows towards *rule* (``eu-ai-act-50``, ``ca-bpc-22757``). Not legal advice.

    Verifies the file first; only statements of intact credentials count.

    Raises UsageError (an unknown rule), UnreadableInput, CheckUnavailable.
    """
    from safegen.compliance.rules import check, find

    wanted = find(rule)
    return check(verify(path, workspace=workspace, trust=trust, at=at), wanted)


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
    *negative_prompt* are needed where the workspace keeps none and must be exactly the recorded ones, like
    the files of its *inputs*. With *output* the clip is released, too, and recorded as a reproduction.

    Raises UsageError (not found, something has to be given), RefusedByPolicy and HeldForReview under the
    policy as it is now, and what ``generate`` raises.
    """
    from safegen.pipeline.reproduce import reproduce as run
    from safegen.pipeline.retrieve import Given
    from safegen.pipeline.studio import open_studio
    from safegen.workspace import find

    given = Given(prompt, negative_prompt, tuple(Path(i) for i in inputs), model, policy)
    with open_studio(find(workspace), passphrase=passphrase, progress=progress) as studio:
        return run(
            Path(path),
            None if output is None else Path(output),
            studio=studio,
            given=given,
            watermark=watermark,
            overwrite=overwrite,
            approval=approval,
        )
