"""Plots as inline SVG. Each has a description in words, and none needs colour to be read."""

from __future__ import annotations

from collections.abc import Sequence

from safegen._util.html import escape
from safegen.audit.evaluation import Cell

_LEFT, _WIDTH, _ROW = 210, 400, 26
_RIGHT = 150
_CHARS = 28


def shares(cell: Cell) -> str:
    """Bars of the shares seen, a line for each 95 % interval, a diamond for each target."""
    top = max([0.2, *(s.high for s in cell.shares), *(s.target for s in cell.shares)])
    parts = [_axis(top, len(cell.shares))]
    for i, s in enumerate(cell.shares):
        y = 30 + i * _ROW
        x = [_LEFT + _WIDTH * v / top for v in (s.share, s.low, s.high, s.target)]
        parts.append(_name(s.name, y))
        parts.append(f'<rect class="bar" x="{_LEFT}" y="{y}" width="{x[0] - _LEFT:.1f}" height="14"/>')
        parts.append(_whisker(x[1], x[2], y + 7))
        parts.append(_diamond(x[3], y + 7))
        parts.append(f'<text x="{_LEFT + _WIDTH + 8}" y="{y + 11}">{s.share:.0%} of {cell.n}</text>')
    said = "; ".join(f"{s.name} {s.share:.0%} (target {s.target:.0%})" for s in cell.shares)
    return _svg(parts, len(cell.shares), f"Shares of {cell.attribute}: {said}")


def forest(cells: Sequence[Cell], limit: float) -> str:
    """Each cell's distance from its target with its 95 % interval, beside the gate's limit."""
    top = max([0.3, *(c.high for c in cells if c.n)])
    rows = max(1, len(cells))
    at = _LEFT + _WIDTH * limit / top
    parts = [_axis(top, rows)]
    parts.append(f'<line class="limit" x1="{at:.1f}" y1="22" x2="{at:.1f}" y2="{30 + rows * _ROW}"/>')
    said = []
    for i, c in enumerate(cells):
        y = 37 + i * _ROW
        parts.append(_name(f"{c.attribute}: {c.group}", y - 7))
        if c.n:
            parts.append(_whisker(_LEFT + _WIDTH * c.low / top, _LEFT + _WIDTH * c.high / top, y))
            parts.append(
                f'<circle class="dot" cx="{_LEFT + _WIDTH * c.corrected / top:.1f}" cy="{y}" r="5"/>'
            )
        parts.append(f'<text x="{_LEFT + _WIDTH + 8}" y="{y + 4}">{c.verdict}</text>')
        said.append(
            f"{c.attribute} in {c.group}: {c.corrected:.2f} ({c.low:.2f} to {c.high:.2f}), {c.verdict}"
        )
    return _svg(parts, rows, f"Distance from the target, limit {limit:.2f}. " + "; ".join(said))


def _axis(top: float, rows: int) -> str:
    parts = []
    for i in range(5):
        value = top * i / 4
        x = _LEFT + _WIDTH * i / 4
        parts.append(f'<line class="grid" x1="{x}" y1="22" x2="{x}" y2="{30 + rows * _ROW}"/>')
        parts.append(f'<text class="tick" x="{x}" y="14" text-anchor="middle">{value:.0%}</text>')
    return "".join(parts)


def _name(name: str, y: float) -> str:
    short = name if len(name) <= _CHARS else name[: _CHARS - 1] + "…"
    return f'<text x="{_LEFT - 8}" y="{y + 11}" text-anchor="end">{escape(short)}</text>'


def _whisker(low: float, high: float, y: float) -> str:
    ends = "".join(f"M{x:.1f} {y - 4}V{y + 4}" for x in (low, high))
    return f'<path class="whisker" d="M{low:.1f} {y}H{high:.1f}{ends}"/>'


def _diamond(x: float, y: float) -> str:
    return f'<path class="target" d="M{x:.1f} {y - 6}l4 6l-4 6l-4 -6z"/>'


def _svg(parts: Sequence[str], rows: int, said: str) -> str:
    width, height = _LEFT + _WIDTH + _RIGHT, 36 + rows * _ROW
    head = f'<svg class="plot" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(said)}">'
    return f"{head}{''.join(parts)}</svg>"
