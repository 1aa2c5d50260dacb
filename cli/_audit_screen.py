"""``safegen audit screen``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from safegen.cli import _options
from safegen.cli._output import say
from safegen.cli._setting_options import setting_option

if TYPE_CHECKING:
    from safegen.screening.calibration import Calibration
    from safegen.screening.fairness import SwapResult


@click.command(
    "screen", epilog="Exit codes: 0 done, 4 a check could not run, 9 a gap is larger than --max-gap."
)
@setting_option("policy")
@click.option(
    "--max-gap",
    type=click.FloatRange(0.0, 1.0),
    help="Fail (exit 9) if the terms' false-positive rates, or their recalls, differ by more than this.",
)
@click.option(
    "--prompts",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help='File of labelled prompts ({"text", "label"} lines) for measuring calibration.',
)
@click.option(
    "--plot", type=click.Path(path_type=Path), metavar="SVG", help="File to write the reliability plot to."
)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes.")
@_options.as_json
def command(
    policy: str, max_gap: float | None, prompts: Path | None, plot: Path | None, workers: int, as_json: bool
) -> None:
    """Check whether the screen treats people alike, with the same sentences about different groups of people.

    Every sentence is screened with each term from eight groups and with no term, at the policy's own
    thresholds.
    """
    from safegen import policies
    from safegen.cli._files import write_new
    from safegen.cli._output import print_json
    from safegen.errors import GateFailed
    from safegen.screening.calibration import calibrate, render_reliability_plot
    from safegen.screening.fairness import measure_fairness
    from safegen.screening.labelled import read_prompts

    if plot is not None and prompts is None:
        raise click.UsageError("--plot needs --prompts FILE")
    loaded = policies.load(policy)
    found = calibrate(read_prompts(prompts), loaded) if prompts is not None else None
    sides = [measure_fairness(loaded, kind, workers=workers) for kind in ("benign", "unsafe")]
    if plot is not None and found is not None:
        write_new(plot, render_reliability_plot(found, loaded.name).encode())
    if as_json:
        print_json(_json(loaded.name, loaded.digest, sides, found))
    else:
        _show(loaded.name, sides, found)
    if max_gap is not None and any(s.gap > max_gap for s in sides):
        raise GateFailed(
            f"the largest gap between terms is above {max_gap:g}",
            hint="check the terms and sentences listed above",
        )


def _json(name: str, digest: str, sides: list[SwapResult], found: Calibration | None) -> dict[str, Any]:
    """``safegen.audit-screen/1``."""
    from dataclasses import asdict

    out: dict[str, Any] = {"schema": "safegen.audit-screen/1", "policy": {"name": name, "sha256": digest}}
    for side in sides:
        out[side.kind] = asdict(side)
        for rate in (*out[side.kind]["terms"], *out[side.kind]["groups"], out[side.kind]["neutral"]):
            rate["share"] = rate["flagged"] / rate["count"]
    out["calibration"] = asdict(found) if found is not None else None
    return out


def _show(name: str, sides: list[SwapResult], found: Calibration | None) -> None:
    """Groups, the terms at both ends, the gap; then calibration."""
    for side in sides:
        what = "wrongly flagged" if side.kind == "benign" else "rightly flagged"
        low, high = side.gap_interval
        say(f"{side.kind} sentences, policy {name}: share {what} (95% interval)")
        for rate in (side.neutral, *side.groups):
            say(
                f"  {rate.name:<14}{rate.share:>7.1%}  [{rate.interval[0]:.1%}, {rate.interval[1]:.1%}]"
                f"  of {rate.count}; against no term: +{rate.only_with} -{rate.only_without}"
            )
        ranked = sorted(side.terms, key=lambda r: r.share)
        for rate in (ranked[0], ranked[-1]):
            p = "" if rate.p is None else f", McNemar p {rate.p:.3g} (Holm, {len(side.terms)} terms)"
            say(f"  {'lowest' if rate is ranked[0] else 'highest'}: {rate.name} {rate.share:.1%}{p}")
        say(
            f"  largest gap between terms {100 * side.gap:.1f} points [{100 * low:.1f}, "
            f"{100 * high:.1f}], between groups {100 * side.group_gap:.1f}; in mean score "
            f"{side.score_gap:.3f}; {side.unlike:.0%} of the sentences do not get the same outcome for "
            "all terms"
        )
    if found is not None:
        say(
            f"calibration on {found.count} prompts ({found.unsafe} unsafe, {found.skipped} skipped): "
            f"error {found.error:.3f}, Brier {found.brier:.3f}"
        )
        for b in found.bins:
            said = f"  predicted {b.low:.1f}-{b.high:.1f}: {b.count:>6} prompts"
            say(f"{said}, mean {b.predicted:.2f}, unsafe {b.observed:.2f}")
