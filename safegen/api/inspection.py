"""The Python API that only examines: ``screen``, ``verify``, ``detect``, ``moderate`` and ``comply``.

Nothing is created, changed or recorded. ``safegen.api`` has all functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from safegen.api.options import with_explained
from safegen.protocols import NoProgress, Progress
from safegen.types import Allowed, Detection, Held, PathLike, Refused, Report, Request

if TYPE_CHECKING:
    from safegen.compliance.model import ComplianceReport
    from safegen.moderation.run import Moderation


@with_explained("negative_prompt")
def screen(prompt: str, *, policy: str = "default", negative_prompt: str = "") -> Allowed | Held | Refused:
    """What *policy* says about *prompt*. Nothing is generated, recorded or stored.

    Raises UsageError (empty, huge or binary prompt, unknown policy), CheckUnavailable.
    """
    from safegen.screening import screen as run

    return run(Request(prompt=prompt, negative_prompt=negative_prompt, policy=policy))


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
    c2pa_list: bool = True,
) -> Report:
    """Find out where *path* comes from: one verdict from credentials, watermark, content and ledger.

    Offline, unless *fetch_remote* names hosts from which remote manifests may be fetched, or *resolve* is the
    address of a C2PA soft binding resolution service, to be asked if the credentials are missing (and with
    *resolve_by_content* to be sent the whole file if its mark leads nowhere). Trust comes from the user's own
    workspace, from *trust* files, from the C2PA's trust list (unless *c2pa_list* is false) and from nowhere
    else. *proof* is a proof sidecar (default: the one beside the file). *at* judges certificates at another
    time. *fragments* are the other files of a fragmented MP4 whose first part is *path*: the credentials are
    checked with each of them.

    Raises UnreadableInput, UsageError, CheckUnavailable.
    """
    from safegen.verification.run import verify_file
    from safegen.workspace.config import look_up_workspace, trusted_or_own

    found = look_up_workspace(workspace)
    return verify_file(
        Path(path),
        workspace=trusted_or_own(found),
        discovered_workspace=None if found.trusted else found,
        proof=None if proof is None else Path(proof),
        trust_files=[Path(t) for t in trust],
        watermark=watermark,
        at=at,
        fetch_hosts=fetch_remote,
        resolve=resolve,
        send=resolve_by_content,
        fragments=[Path(f) for f in fragments],
        c2pa_list=c2pa_list,
    )


@with_explained("progress")
def detect(
    path: PathLike,
    *,
    scheme: str = "tile",
    key: PathLike | bytes | None = None,
    progress: Progress = NoProgress(),
) -> Detection:
    """Look for watermarks in the video or picture at *path*: which, in which parts, how certain that is.

    *scheme* is the kind of mark. Looks only at the mark: no credentials, no ledger, no workspace, no network.
    *key* is a private key or a file with one (default: the public key). A mark is a pointer, not a proof;
    ``verify`` gives a verdict.

    Raises UnreadableInput, UsageError, CheckUnavailable, Interrupted.
    """
    from safegen.verification.detect import detect_file, read_key
    from safegen.watermarks import PUBLIC_KEY

    secret = PUBLIC_KEY if key is None else key if isinstance(key, bytes) else read_key(Path(key))
    return detect_file(Path(path), scheme=scheme, key=secret, progress=progress)


@with_explained("progress")
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
    from safegen.moderation.batch import require_checks
    from safegen.moderation.run import moderate_file

    return moderate_file(Path(path), require_checks(policies.load(policy), checks), progress=progress)


def comply(
    path: PathLike,
    *,
    rule: str,
    workspace: PathLike | None = None,
    trust: Sequence[PathLike] = (),
    at: datetime | None = None,
    c2pa_list: bool = True,
) -> ComplianceReport:
    """Check the file at *path* against *rule* (``eu-ai-act-50``, ``ca-bpc-22757``). Not legal advice.

    Verifies the file first, with *workspace*, *trust*, *at* and *c2pa_list* as for ``verify``; only
    statements from intact credentials count.

    Raises UsageError (an unknown rule), UnreadableInput, CheckUnavailable.
    """
    from safegen.compliance.rules import check_compliance, rule_named

    wanted = rule_named(rule)
    return check_compliance(
        verify(path, workspace=workspace, trust=trust, at=at, c2pa_list=c2pa_list), wanted
    )
