"""Finds flashing that can harm people with photosensitive epilepsy (WCAG 2.3.1, ITU-R BT.1702).

Every frame is looked at; nothing is sampled. How it is counted stands in ``_flashing``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from safegen.detectors.frames import _flashing
from safegen.types import CheckRun, Finding

if TYPE_CHECKING:
    from safegen.protocols import FrameDetector
    from safegen.types import Clip

NAME = "flash"
VERSION = "1"
WORDS = {
    "flash_general": "flashes more than three times a second",
    "flash_red": "flashes red more than three times a second",
}


class FlashDetector:
    """Frames check for general and red flashes."""

    name = NAME

    def run(self, clip: Clip) -> tuple[Sequence[Finding], CheckRun]:
        """One finding per kind and second that breaks the limit; its score is 1, since it does or does not.

        The run's score is the largest share of any 10 degrees of the visual field that flashed too often.
        """
        size = _flashing.grid(clip.width, clip.height)
        general: _flashing.General | None = None
        red: _flashing.Red | None = None
        worst: dict[tuple[str, int], tuple[float, float]] = {}
        highest = 0.0
        for number, frame in enumerate(clip):
            luminance, redness, saturated = _flashing.cells(frame, size)
            if general is None or red is None:
                general = _flashing.General(luminance, size, clip.fps)
                red = _flashing.Red(redness, saturated, size, clip.fps)
                continue
            time = float(number / clip.fps)
            shares = {
                "flash_general": general.update(number, luminance),
                "flash_red": red.update(number, redness, saturated),
            }
            for kind, share in shares.items():
                highest = max(highest, share)
                if share > _flashing.AREA and share > worst.get((kind, int(time)), (0.0, 0.0))[0]:
                    worst[kind, int(time)] = (share, time)
        found = [_finding(kind, share, time) for (kind, _), (share, time) in sorted(worst.items())]
        return found, CheckRun(NAME, VERSION, score=highest, looked_for=("flash_general", "flash_red"))


def _finding(kind: str, share: float, time: float) -> Finding:
    where = f"over {share:.0%} of 10 degrees of the visual field (WCAG 2.3.1 allows 25%)"
    return Finding(kind, 1.0, NAME, f"{WORDS[kind]} {where} before {time:.1f} s", time=time)


def create() -> FrameDetector:
    """The plug-in."""
    return FlashDetector()
