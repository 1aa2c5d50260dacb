"""The benchmark's rows as tables, a summary and charts."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from typing import Any

from benchmarks.watermark.plot import Point, chart

__all__ = ["charts", "markdown"]

Rows = Sequence[dict[str, Any]]


def _of(rows: Rows, kind: str, **where: str) -> list[dict[str, Any]]:
    return [r for r in rows if r["kind"] == kind and all(r[k] == v for k, v in where.items())]


def _names(rows: Rows, field: str) -> list[str]:
    return list(dict.fromkeys(r[field] for r in rows if field in r))


def _costs(rows: Rows) -> list[str]:
    out = [
        "| scheme | clip | frames | PSNR-Y | SSIM-Y | bitrate | embed fps | of x264 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in _of(rows, "cost"):
        out.append(
            f"| {r['scheme']} | {r['clip']} | {r['frames']} | {r['psnr_y']:.1f} | {r['ssim_y']:.4f} "
            f"| {r['bitrate_delta']:+.0%} | {r['embed_fps']:.1f} | {r['share_of_x264']:.1%} |"
        )
    return out


def _cell(rows: Rows) -> str:
    """Read freely / among known ids / of how many."""
    if not rows:
        return ""
    free, known = (sum(bool(r[f]) for r in rows) for f in ("payload", "known"))
    wrong = sum(bool(r["wrong"]) for r in rows)
    return f"{free} / {known} / {len(rows)}" + (f" ({wrong} wrong)" if wrong else "")


def _outcomes(rows: Rows) -> list[str]:
    schemes = _names(rows, "scheme")
    out = [
        f"| attack | {' | '.join(schemes)} | detect CPU s ({schemes[0]}), median / max |",
        "|" + "---|" * (len(schemes) + 2),
    ]
    for attack in _names(_of(rows, "attack"), "attack"):
        cells = [_cell(_of(rows, "attack", attack=attack, scheme=s)) for s in schemes]
        times = [r["seconds"] for r in _of(rows, "attack", attack=attack, scheme=schemes[0])]
        speed = f"{statistics.median(times):.2f} / {max(times):.2f}" if times else ""
        out.append(f"| {attack} | {' | '.join(cells)} | {speed} |")
    cells = [_cell(_of(rows, "attack", scheme=s)) for s in schemes]
    return [*out, f"| **all** | {' | '.join(cells)} | |"]


def markdown(rows: Rows, date: str) -> str:
    """The tables: what marking costs, and what was read (freely / among 1,000 known ids / of clips)."""
    if not rows:
        return "Nothing was measured.\n"
    head = f"Measured {date}, one thread. Cells: read freely / read among 1,000 known ids / clips."
    return "\n".join([head, "", *_costs(rows), "", *_outcomes(rows), ""])


def _share(rows: Rows, field: str) -> float:
    return sum(bool(r[field]) for r in rows) / len(rows)


def charts(rows: Rows) -> dict[str, str]:
    """File name -> SVG: reading against quality, and against the H.264 rate factor."""
    quality: dict[str, list[Point]] = {}
    rates: dict[str, list[Point]] = {}
    for scheme in _names(rows, "scheme"):
        mine = _of(rows, "attack", scheme=scheme)
        for cost in _of(rows, "cost", scheme=scheme):
            there = [r for r in mine if r["clip"] == cost["clip"]]
            if there:
                point = (cost["psnr_y"], 100 * _share(there, "known"))
                quality.setdefault(scheme, []).append(point)
        by_rate = {a: _of(mine, "attack", attack=a) for a in _names(mine, "attack")}
        line = [
            (float(m[1]), 100 * _share(found, "known"))
            for a, found in by_rate.items()
            if (m := re.fullmatch(r"h264_crf(\d+)", a))
        ]
        if line:
            rates[scheme] = sorted(line)
    out = {}
    if quality:
        title = "Robustness against quality, one point a clip"
        out["quality.svg"] = chart(title, "PSNR-Y, dB", "attacks survived, % (known ids)", {}, quality)
    if rates:
        title = "Marks read after H.264, medium"
        out["h264.svg"] = chart(title, "CRF", "clips read, % (known ids)", rates)
    return out
