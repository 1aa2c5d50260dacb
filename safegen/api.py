"""The Python API. ``safegen.screen``, ``generate``, ``protect``, ``verify``: the CLI is a skin over it.

Every function raises SafegenError subclasses only (see ``safegen.errors``) and never prints.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from safegen.protocols import NoProgress, Progress, Signer
from safegen.types import Allowed, Held, Json, Refused, Release, Report, Request

if TYPE_CHECKING:
    from safegen.compliance.model import Compliance
    from safegen.keys.passphrase import Passphrase

PathLike: TypeAlias = str | os.PathLike[str]


def screen(prompt: str, *, policy: str = "default", negative_prompt: str = "") -> Allowed | Held | Refused:
    """What *policy* says about *prompt*. Nothing is generated, recorded or stored.

    Raises UsageError (empty, huge or binary prompt, unknown policy), CheckUnavailable.
    """
    from safegen.screening import screen as run

    return run(Request(prompt=prompt, negative_prompt=negative_prompt, policy=policy))


def generate(
    prompt: str,
    output: PathLike | None = None,
    *,
    model: str = "tiny",
    policy: str = "default",
    negative_prompt: str = "",
    seed: int | None = None,
    width: int | None = None,
    height: int | None = None,
    seconds: float | None = None,
    fps: int | None = None,
    steps: int | None = None,
    guidance: float | None = None,
    watermark: str = "tile",
    crf: int = 18,
    overwrite: bool = False,
    workspace: PathLike | None = None,
    passphrase: Passphrase = None,
    signer: Signer | None = None,
    progress: Progress = NoProgress(),
    approval: int | None = None,
    options: dict[str, Any] | None = None,
) -> Release:
    """Screen *prompt*, generate a video, mark, sign, record and release it.

    *output* is the final path (default: a fresh name in the current folder); it never appears before
    everything has succeeded. *seed* defaults to a random one, which the release records. *signer* signs
    instead of the workspace's identity (``safegen.keys.signers``: PEM, PKCS#12, callbacks for HSM or KMS).
    *approval* is a held decision that a person approved, or the approval's own entry: it lets exactly the
    same request pass the hold, once.

    Raises RefusedByPolicy, HeldForReview, UsageError, CheckUnavailable, GenerationFailed, ReleaseFailed,
    Interrupted; in every case no output file is left.
    """
    request = Request(
        prompt=prompt,
        negative_prompt=negative_prompt,
        model=model,
        policy=policy,
        seed=new_seed() if seed is None else seed,
        width=width,
        height=height,
        seconds=seconds,
        fps=fps,
        steps=steps,
        guidance=guidance,
        options=options or {},
    )
    return generate_request(
        request,
        output,
        watermark=watermark,
        crf=crf,
        overwrite=overwrite,
        workspace=workspace,
        passphrase=passphrase,
        signer=signer,
        progress=progress,
        approval=approval,
    )


def new_seed() -> int:
    """A random seed that fits every generator: 31 bits."""
    import secrets

    return secrets.randbits(31)


def generate_request(
    request: Request,
    output: PathLike | None = None,
    *,
    watermark: str = "tile",
    crf: int = 18,
    overwrite: bool = False,
    workspace: PathLike | None = None,
    passphrase: Passphrase = None,
    signer: Signer | None = None,
    progress: Progress = NoProgress(),
    approval: int | None = None,
) -> Release:
    """``generate`` for a request that exists already. Raises as it does."""
    from safegen.media.encode import Encoding
    from safegen.pipeline.produce import produce
    from safegen.pipeline.studio import open_studio
    from safegen.workspace import find

    with open_studio(find(workspace), passphrase=passphrase, signer=signer, progress=progress) as studio:
        return produce(
            request,
            None if output is None else Path(output),
            studio=studio,
            watermark=watermark,
            encoding=Encoding(crf=crf),
            overwrite=overwrite,
            approval=approval,
        )


def plan(request: Request, output: PathLike | None = None, *, workspace: PathLike | None = None) -> Json:
    """What ``generate`` would do, as JSON values; nothing is made, recorded or loaded.

    Raises RefusedByPolicy, HeldForReview, UsageError, CheckUnavailable as ``generate`` would.
    """
    from safegen.pipeline.produce import plan as run
    from safegen.workspace import find

    return run(request, None if output is None else Path(output), workspace=find(workspace))


def protect(
    path: PathLike,
    output: PathLike | None = None,
    *,
    source_type: str | None = None,
    policy: str = "default",
    watermark: str = "tile",
    crf: int = 18,
    overwrite: bool = False,
    workspace: PathLike | None = None,
    passphrase: Passphrase = None,
    signer: Signer | None = None,
    progress: Progress = NoProgress(),
) -> Release:
    """Mark, sign and record a video made elsewhere; the original stays as it is.

    Nothing is claimed about how it was made: *source_type* (an IPTC digital source type such as
    ``digitalCapture``) is recorded as the user's own statement. *output* defaults to
    ``NAME.protected.mp4`` beside the source.

    Raises UnreadableInput, UsageError, CheckUnavailable, ReleaseFailed, Interrupted.
    """
    from safegen.media.encode import Encoding
    from safegen.pipeline.protect import protect as run
    from safegen.pipeline.studio import open_studio
    from safegen.workspace import find

    with open_studio(find(workspace), passphrase=passphrase, signer=signer, progress=progress) as studio:
        return run(
            Path(path),
            None if output is None else Path(output),
            studio=studio,
            policy=policy,
            source_type=source_type,
            watermark=watermark,
            encoding=Encoding(crf=crf),
            overwrite=overwrite,
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
) -> Report:
    """Where the file at *path* comes from: one verdict from credentials, watermark, content and ledger.

    Offline, unless *fetch_remote* names hosts from which remote manifests may be fetched. Trust comes from
    the user's own workspace, from *trust* files and from nowhere else. *proof* is a proof sidecar (default:
    the one beside the file). *at* judges certificates at another time.

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
