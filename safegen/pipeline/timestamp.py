"""Time-stamping the checkpoint under which a release was recorded, where an authority is configured.

The release does not depend on it: an authority that does not answer becomes a warning, and `safegen log
stamp` tries again. The stamp's file appears before the video does, like every other sidecar.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from safegen.errors import LedgerError

if TYPE_CHECKING:
    from safegen.pipeline.context import ReleaseContext


@dataclass
class TimestampResult:
    """What became of the stamp: its file beside the video, or why there is none."""

    sidecars: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()


@contextmanager
def timestamp_release(proof: str, context: ReleaseContext) -> Iterator[TimestampResult]:
    """Around the publication of the release with this *proof*: stamp first, take it away if that fails."""
    from safegen.ledger.proof import SUFFIX as PROOF
    from safegen.ledger.timestamp import SUFFIX

    destination = context.job.destination
    file = destination.with_name(destination.name + PROOF + SUFFIX)
    result = TimestampResult()
    token = _request_token(proof, context, result)
    replaces = file.exists()  # only where overwriting is allowed: the job has looked
    written = token is not None and not replaces and _write_token(file, token, result)
    try:
        yield result
    except BaseException:
        if written:
            file.unlink(missing_ok=True)
        raise
    if replaces:
        file.unlink(missing_ok=True)  # whatever happens now, a stamp over the old release must not stay
        written = token is not None and _write_token(file, token, result)
    if written:
        result.sidecars = (file,)


def _write_token(path: Path, token: bytes, result: TimestampResult) -> bool:
    """Write the stamp beside the video, readable like its other sidecars; a failure is a warning."""
    from safegen._util.files import write_durable

    try:
        write_durable(path, token, mode=0o644)
    except OSError as error:
        result.warnings = (f"the time stamp cannot be written to {path.name}: {error.strerror}",)
        return False
    return True


def _request_token(proof: str, context: ReleaseContext, result: TimestampResult) -> bytes | None:
    """A stamp over the checkpoint in *proof*, kept in the workspace; None, with a warning, without one."""
    from safegen.ledger.timestamp import checkpoint_body, request_stamp, store_stamp

    workspace = context.session.workspace
    url = workspace.config.tsa_url
    if url is None:
        return None
    context.session.progress.stage("time-stamping")
    try:
        body = checkpoint_body(proof.partition("\n\n")[2])
        token = request_stamp(url, body)
        store_stamp(workspace.checkpoints, body, token)
    except LedgerError as error:
        result.warnings = (f"the ledger's checkpoint has no time stamp: {error}",)
        return None
    return token
