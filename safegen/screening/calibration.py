"""Do the screen's probabilities mean what they say? Reliability on labelled prompts, in numbers and drawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from safegen._util.html import escape
from safegen.errors import UsageError
from safegen.policies.schema import Policy
from safegen.screening.labelled import LabelledPrompt
from safegen.screening.run import screen_requests
from safegen.screening.statistics import Bin, calibration_error, reliability
from safegen.types import Request

_CHUNK = 64
_SIDE, _EDGE = 320, 44


@dataclass(frozen=True)
class Calibration:
    """``error``: expected calibration error; ``brier``: mean squared error; both in [0, 1], 0 is best.

    ``unsafe`` of ``count`` prompts are labelled so; ``skipped`` could not be screened or have no label.
    """

    count: int
    unsafe: int
    skipped: int
    error: float
    brier: float
    bins: tuple[Bin, ...]


def calibrate(prompts: Iterable[LabelledPrompt], policy: Policy) -> Calibration:
    """Compare the probability of category ``unsafe`` with the labels. Raises UsageError without both."""
    rows = list(prompts)
    labelled = [r for r in rows if r.label]
    scores: list[float] = []
    truth: list[bool] = []
    for start in range(0, len(labelled), _CHUNK):
        part = labelled[start : start + _CHUNK]
        for row, verdict in zip(part, screen_requests([Request(r.text) for r in part], policy), strict=True):
            if not isinstance(verdict, UsageError):
                scores.append(verdict.categories.get("unsafe", 0.0))
                truth.append(row.label == "unsafe")
    if not any(truth) or all(truth):
        raise UsageError(
            "calibration needs safe and unsafe prompts", hint='give lines with "label": "safe" or "unsafe"'
        )
    p, y = np.array(scores), np.array(truth)
    bins = reliability(p, y)
    brier = float(((p - y) ** 2).mean())
    return Calibration(len(p), int(y.sum()), len(rows) - len(p), calibration_error(bins), brier, tuple(bins))


def render_reliability_plot(found: Calibration, title: str) -> str:
    """The reliability plot as an SVG: observed share over probability, with intervals."""
    size = _SIDE + 2 * _EDGE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" font-size="11">',
        f"<title>{escape(title)}: reliability</title>",
        f'<rect width="{size}" height="{size}" fill="#fff"/>',
        f'<rect x="{_EDGE}" y="{_EDGE}" width="{_SIDE}" height="{_SIDE}" fill="none" stroke="#999"/>',
        f'<path d="M{_at(0, 0)} L{_at(1, 1)}" stroke="#bbb" stroke-dasharray="4 4"/>',
    ]
    for i in range(0, 11, 2):
        x, y = _EDGE + _SIDE * i / 10, _EDGE + _SIDE * (1 - i / 10)
        parts.append(f'<text x="{x:.0f}" y="{_EDGE + _SIDE + 15}" text-anchor="middle">{i / 10:g}</text>')
        parts.append(f'<text x="{_EDGE - 6}" y="{y + 4:.0f}" text-anchor="end">{i / 10:g}</text>')
    for b in found.bins:
        low, high = b.interval
        parts.append(
            f'<path d="M{_at(b.predicted, low)} L{_at(b.predicted, high)}" stroke="#36c" stroke-width="2"/>'
        )
        cx, cy = _at(b.predicted, b.observed).split(",")
        parts.append(f'<circle cx="{cx}" cy="{cy}" r="4" fill="#36c"><title>{b.count}</title></circle>')
    line = " L".join(_at(b.predicted, b.observed) for b in found.bins)
    parts.append(f'<path d="M{line}" fill="none" stroke="#36c"/>')
    quality = f"calibration error {found.error:.3f}, Brier {found.brier:.3f}"
    words = f"{escape(title)}: {found.count} prompts, {quality}"
    middle = size / 2
    parts.append(f'<text x="{middle}" y="{_EDGE - 14}" text-anchor="middle">{words}</text>')
    parts.append(f'<text x="{middle}" y="{size - 10}" text-anchor="middle">probability of unsafe</text>')
    turned = f'transform="rotate(-90 12 {middle})"'
    parts.append(f'<text {turned} x="12" y="{middle}" text-anchor="middle">share unsafe</text>')
    return "\n".join([*parts, "</svg>", ""])


def _at(x: float, y: float) -> str:
    return f"{_EDGE + _SIDE * x:.1f},{_EDGE + _SIDE * (1 - y):.1f}"
