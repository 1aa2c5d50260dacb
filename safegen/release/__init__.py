"""The release protocol: nothing appears in the user's folder that is not signed and recorded."""

from __future__ import annotations

from safegen.ledger.records import ReleaseRecord
from safegen.release.job import ReleaseJob
from safegen.release.recovery import recover
from safegen.release.values import Published, Recorded, RecoveryReport

__all__ = ["Published", "Recorded", "RecoveryReport", "ReleaseJob", "ReleaseRecord", "recover"]
