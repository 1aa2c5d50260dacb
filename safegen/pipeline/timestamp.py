"""Others' word on a release: a time stamp over the checkpoint under which it was recorded, and what its
signature lacks.

Where an authority is configured, ``[signing] tsa_required`` says whether a release depends on it. By default
it does not: an authority that does not answer becomes a warning, the record says why there is no stamp, and
`safegen log stamp` tries again. The stamp's file appears before the video does, like every other sidecar.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from safegen.errors import LedgerError, ReleaseFailed
from safegen.types import Json

if TYPE_CHECKING:
    from safegen.pipeline.context import ReleaseContext
    from safegen.pipeline.stages import Signed


@dataclass
class TimestampResult:
    """What became of the stamp: its file beside the video, or why there is none."""

    sidecars: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()


def witnesses_public(signed: Signed) -> Json:
    """What the ledger's entry says about a signature without the time stamp or the answer it should have."""
    gaps = {"time_stamp": signed.unstamped, "revocation": signed.unstapled}
    return {name: {"made": False, "reason": reason} for name, reason in gaps.items() if reason}


def witness_warnings(signed: Signed) -> tuple[str, ...]:
    """The same in words."""
    found = []
    if signed.unstamped:
        found.append(f"the signature has no time stamp: {signed.unstamped}")
    if signed.unstapled:
        found.append(f"the signature has no revocation information: {signed.unstapled}")
    return tuple(found)


@contextmanager
def timestamp_release(proof: str, context: ReleaseContext) -> Iterator[TimestampResult]:
    """Around the publication of the release with this *proof*: stamp first, take it away if that fails.

    Raises ReleaseFailed where there is no stamp and the workspace wants one: nothing is published then.
    """
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
        if workspace.config.tsa_required:
            raise ReleaseFailed(
                f"the ledger's checkpoint has no time stamp, and tsa_required wants one: {error}",
                hint="nothing was released; try again, or set tsa_required = false under [signing]",
            ) from error
        result.warnings = (f"the ledger's checkpoint has no time stamp: {error}",)
        return None
    return token
