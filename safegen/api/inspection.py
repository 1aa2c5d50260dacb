"""The Python API for existing files: ``verify``, ``detect``, ``moderate``, ``comply``.

Nothing is created, changed or recorded. ``safegen.api`` has all functions.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from safegen.protocols import NoProgress, Progress
from safegen.types import Detection, Report

if TYPE_CHECKING:
    from safegen.compliance.model import Compliance
    from safegen.moderation.run import Moderation

PathLike: TypeAlias = str | os.PathLike[str]


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
    fragments: Sequence[PathLike] = (),
) -> Report:
    """Find out where *path* comes from: one verdict from credentials, watermark, content and ledger.

    Offline, unless *fetch_remote* names hosts from which remote manifests may be fetched, or *resolve* is the
    address of a C2PA soft binding resolution service, to be asked if the credentials are missing (and with
    *resolve_by_content* to be sent the whole file if its mark leads nowhere). Trust comes from the user's own
    workspace, from *trust* files and from nowhere else. *proof* is a proof sidecar (default: the one beside
    the file). *at* judges certificates at another time. *fragments* are the other files of a fragmented MP4
    whose first part is *path*: the credentials are checked with each of them.

    Raises UnreadableInput, UsageError, CheckUnavailable.
    """
    from safegen.verification.run import verify_file
    from safegen.workspace.config import find, or_own

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
        fragments=[Path(f) for f in fragments],
    )


def detect(
    path: PathLike,
    *,
    scheme: str = "tile",
    key: PathLike | bytes | None = None,
    progress: Progress = NoProgress(),
) -> Detection:
    """Look for watermarks in a video or picture: which, in which parts, and how certain that is.

    Looks only at the mark: no credentials, no ledger, no workspace, no network. *key* is a private key or a
    file with one (default: the public key). A mark is a pointer, not a proof; ``verify`` gives a verdict.

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
    """Report what the video or picture at *path* shows, second by second, and what *policy* says about it.

    *checks* are frames checks that must run in addition to the policy's own. Nothing is changed or recorded.

    Raises UsageError (unknown policy or check), UnreadableInput, CheckUnavailable, Interrupted.
    """
    from safegen import policies
    from safegen.moderation.batch import with_checks
    from safegen.moderation.run import moderate_file

    return moderate_file(Path(path), with_checks(policies.load(policy), checks), progress=progress)


def comply(
    path: PathLike,
    *,
    rule: str,
    workspace: PathLike | None = None,
    trust: Sequence[PathLike] = (),
    at: datetime | None = None,
) -> Compliance:
    """Check the file at *path* against *rule* (``eu-ai-act-50``, ``ca-bpc-22757``). Not legal advice.

    Verifies the file first; only statements from intact credentials count.

    Raises UsageError (an unknown rule), UnreadableInput, CheckUnavailable.
    """
    from safegen.compliance.rules import check, find

    wanted = find(rule)
    return check(verify(path, workspace=workspace, trust=trust, at=at), wanted)
