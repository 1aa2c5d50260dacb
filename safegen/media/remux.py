"""The marked video and the source's other tracks in one file; the source is opened in the sandbox only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from safegen.errors import ReleaseFailed, UnreadableInput
from safegen.media._channel import worker_messages
from safegen.media.sandbox import Limits

if TYPE_CHECKING:
    from safegen.media.footage import Footage

_LIMITS = Limits()


def add_tracks(video: Path, footage: Footage, target: Path, limits: Limits = _LIMITS) -> tuple[str, ...]:
    """Write *target* (MP4): the pictures of *video* (ours), everything else from the footage's own file.

    Returns notes about what could not be kept as it was. Raises ReleaseFailed.
    """
    job = {
        "op": "remux",
        "index": footage.index,
        "matrix": list(footage.matrix),
        "start": [footage.start.numerator, footage.start.denominator],
        **vars(limits),
    }
    try:
        for message, _ in worker_messages(
            footage.path, job, limits.max_seconds, reads={"video": video}, writes={"target": target}
        ):
            if message["type"] == "done":
                return tuple(message["notes"])
    except UnreadableInput as error:
        raise ReleaseFailed(f"the other tracks could not be added: {error}", hint=error.hint) from error
    except OSError as error:
        raise ReleaseFailed(
            f"the other tracks could not be added: {error.strerror}", hint="check for free disk space"
        ) from error
    raise ReleaseFailed("the other tracks could not be added")
