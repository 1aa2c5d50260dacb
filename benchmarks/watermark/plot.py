"""Line and point charts as SVG text: all the benchmarks need, without a plotting library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

__all__ = ["Point", "chart"]

Point = tuple[float, float]
_COLOURS = ("#0b6e99", "#c2410c", "#4d7c0f", "#7e22ce", "#b91c1c", "#525252", "#a16207")
_WIDTH, _HEIGHT = 640, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 34, 48


def _ticks(low: float, high: float) -> list[float]:
    """About six round numbers from *low* to *high*."""
    raw = (high - low) / 6 or 1.0
    power = 10.0 ** len(str(int(raw))) / 10 if raw >= 1 else 1.0
    while power > raw:
        power /= 10
    step = power * min((m for m in (1, 2, 5, 10) if m * power >= raw), default=10)
    first = int(low // step)
    values = [(first + n) * step for n in range(20)]
    return [round(v, 10) for v in values if low - 1e-9 <= v <= high + 1e-9]


def chart(
    title: str,
    x_label: str,
    y_label: str,
    lines: Mapping[str, Sequence[Point]],
    points: Mapping[str, Sequence[Point]] | None = None,
) -> str:
    """An SVG document: *lines* joined, *points* as dots; a legend entry for each name, axes to fit.

    Raises ValueError when there is nothing to draw.
    """
    dots = points or {}
    every = [p for group in (*lines.values(), *dots.values()) for p in group]
    if not every:
        raise ValueError("nothing to draw")
    (x0, x1), (y0, y1) = (_span([p[i] for p in every]) for i in (0, 1))

    def place(p: Point) -> tuple[float, float]:
        x = _LEFT + (p[0] - x0) / (x1 - x0) * (_WIDTH - _LEFT - _RIGHT)
        y = _HEIGHT - _BOTTOM - (p[1] - y0) / (y1 - y0) * (_HEIGHT - _TOP - _BOTTOM)
        return round(x, 1), round(y, 1)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-size="11">',
        "<style>text { font-family: sans-serif }</style>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="20" font-size="14">{escape(title)}</text>',
    ]
    for value in _ticks(x0, x1):
        x = place((value, y0))[0]
        out.append(f'<path d="M{x} {_TOP}V{_HEIGHT - _BOTTOM}" stroke="#e5e5e5"/>')
        out.append(f'<text x="{x}" y="{_HEIGHT - _BOTTOM + 15}" text-anchor="middle">{value:g}</text>')
    for value in _ticks(y0, y1):
        y = place((x0, value))[1]
        out.append(f'<path d="M{_LEFT} {y}H{_WIDTH - _RIGHT}" stroke="#e5e5e5"/>')
        out.append(f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{value:g}</text>')
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    out.append(f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 10}" text-anchor="middle">{escape(x_label)}</text>')
    turned = f'text-anchor="middle" transform="rotate(-90 16 {middle})"'
    out.append(f'<text x="16" y="{middle}" {turned}>{escape(y_label)}</text>')
    for n, (name, group) in enumerate([*lines.items(), *dots.items()]):
        colour = _COLOURS[n % len(_COLOURS)]
        where = [place(p) for p in group]
        if n < len(lines):
            path = " ".join(f"{x},{y}" for x, y in where)
            out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8"/>')
        else:
            out += [f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"/>' for x, y in where]
        row = _TOP + 14 + 15 * n
        out.append(f'<rect x="{_WIDTH - 190}" y="{row - 8}" width="9" height="9" fill="{colour}"/>')
        out.append(f'<text x="{_WIDTH - 176}" y="{row}">{escape(name)}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"


def _span(values: Sequence[float]) -> tuple[float, float]:
    """Lowest and highest value, apart by something."""
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)
