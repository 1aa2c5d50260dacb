"""``make bench-audit``: simulated statistics, skin tones by light, training texts, the embedded model."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.audit import simulate, skin
from safegen.audit import api, session, suites
from safegen.audit.schema import Gate


def statistics(args: argparse.Namespace) -> dict[str, Any]:
    """Coverage, false alarms, power."""
    rng, gate = np.random.default_rng(20250709), Gate()
    out: dict[str, Any] = {"audits": args.audits, "coverage": {}, "alarms": {}, "power": {}}
    for world in simulate.covered():
        share = simulate.coverage(world, args.audits, rng)
        name = f"K={world.k} TV={world.tv:g} shape {world.shape} alike {world.alike:g} N={world.n}"
        out["coverage"][name] = share
        _say(f"coverage {name}: {share:.3f}")
    for tv in (0.0, gate.limit):
        for shape in (0, 1):
            three = [simulate.World(k, tv, shape, prompts=20, clips=10) for k in (8, 6, 5)]
            out["alarms"][f"TV={tv:g} shape {shape}"] = share = simulate.says_no(
                three, args.audits, rng, gate
            )
            _say(f"false alarms, three cells, true distance {tv:g}, shape {shape}: {share:.3f}")
    for k in (2, 5, 8, 11):
        n = simulate.least(k, 1, gate)
        for shape in (0, 1) if k > 2 else (0,):
            world = simulate.World(k, 0.2, shape, prompts=n, clips=1)
            out["power"][f"K={k} N={n} shape {shape}"] = share = simulate.says_no(
                [world], args.audits, rng, gate
            )
            _say(f"power at distance 0.2, K={k}, N={n}, shape {shape}: {share:.3f}")
    return out


def skins(_: argparse.Namespace) -> dict[str, Any]:
    """Monk tones by light."""
    out = {}
    for name, through, right, near, group in skin.table():
        out[name] = {"through": through, "right": right, "at most one off": near, "group": group}
        _say(f"skin, {name}: {through}/10 through, {right}/10 right, {near}/10 +-1, {group}/10 group")
    return out


def data(args: argparse.Namespace) -> dict[str, Any]:
    """The guard's training corpus and the embedded model's captions."""
    shared = Path(os.environ.get("SAFEGEN_SHARED", Path(__file__).resolve().parents[3] / "shared"))
    corpus = shared / "data" / "guard" / "train.jsonl"
    out: dict[str, Any] = {}
    if corpus.is_file():
        found, _ = api.data([corpus], args.out / "guard", title="What the guard was trained on")
        out["guard"] = {"texts": found.texts, "mentions": found.mentions}
    captions = args.out / "captions.txt"
    captions.write_text("\n".join(_captions(args.captions)) + "\n", encoding="utf-8")
    found, _ = api.data(
        [captions], args.out / "captions", lexicon="world", title="Captions of the small world"
    )
    out["captions"] = {"texts": found.texts, "mentions": found.mentions}
    for name, said in out.items():
        _say(f"data, {name}: {said['texts']} texts; {args.out / name / 'report.html'}")
    return out


def _captions(count: int) -> list[str]:
    """As training draws them: scenes of the last stage, captions worded afresh."""
    from training.world.captions import caption
    from training.world.stages import STAGES, sample

    rng = np.random.default_rng(5)
    return [caption(sample(STAGES["full"], rng), rng) for _ in range(count)]


def model(args: argparse.Namespace) -> dict[str, Any]:
    """The embedded model left to itself, steered evenly, and steered to red."""
    from benchmarks.audit.steered import BIASED, EVEN, Steered
    from safegen.generators.tiny import TinyGenerator

    named = suites.load("world-colours")
    variants: dict[str, Callable[[], TinyGenerator]] = {
        "even": lambda: Steered(EVEN),
        "biased": lambda: Steered(BIASED),
        "open": TinyGenerator,
    }
    out = {}
    for name, make in variants.items():
        plan = session.Plan(seeds=args.seeds, resume=True, seed=1)
        done = session.conduct(named, args.out / name, plan, when=datetime.now(UTC), generator=make())
        cell = done.audit.cells[0]
        out[name] = session.results.cell_json(cell)
        shares = ", ".join(f"{s.name} {s.share:.0%}" for s in cell.shares)
        _say(f"model, {name}: {done.audit.verdict}; {shares}; {cell.low:.3f} to {cell.high:.3f}; n {cell.n}")
    return out


PARTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "statistics": statistics,
    "skin": skins,
    "data": data,
    "model": model,
}


def _say(line: str) -> None:
    print(line, flush=True)


def main() -> None:
    """Run the parts asked for; figures as JSON in OUT/figures-PART.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/bench/audit"))
    parser.add_argument("--parts", nargs="*", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--audits", type=int, default=1000, help="simulated audits of each kind")
    parser.add_argument("--captions", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, default=15, help="clips of each of eight prompts")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for part in args.parts:
        found = PARTS[part](args)
        (args.out / f"figures-{part}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
