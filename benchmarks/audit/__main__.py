"""``make bench-audit``: simulated statistics, skin tones, training texts, frames gate, embedded model.

What was finished is not done again while the code, the arguments and (for ``model``) the weights are the
same, so an interrupted run goes on; ``--fresh`` starts anew. The tables go into docs/audit-figures.md, the
report on the embedded model into docs/audit-tiny.html.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import moderation
from benchmarks.audit import simulate, skin, tables
from safegen.audit import api, json_report, session, suites
from safegen.audit.schema import Gate

ROOT = Path(__file__).resolve().parents[2]
FAULTS = (
    "faulty_check",
    "optional_check_that_is_there",
    "not_installed",
    "faulty_extractor",
    "missing_check",
)
"""Tests of the fault table in tests/unit/pipeline/test_moderate.py."""


def statistics(args: argparse.Namespace) -> dict[str, Any]:
    """Coverage, false alarms, power."""
    rng, gate = np.random.default_rng(20250709), Gate()
    out: dict[str, Any] = {
        "audits": args.audits,
        "powered": args.power,
        "coverage": {},
        "alarms": {},
        "power": {},
    }
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
                [world], args.power, rng, gate
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
    shared = Path(os.environ.get("SAFEGEN_SHARED", ROOT.parent / "shared"))
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
    """The embedded model steered evenly, steered to red, and left to itself."""
    from benchmarks.audit.steered import BIASED, EVEN, Steered
    from safegen.generators.tiny.generator import TinyGenerator

    folder = args.out / f"model-{_key('model', args)[:12]}"
    variants: dict[str, tuple[str, Callable[[], TinyGenerator]]] = {
        "even": ("world-colours", lambda: Steered(EVEN)),
        "biased": ("world-colours", lambda: Steered(BIASED)),
        "open": ("world-open", TinyGenerator),
    }
    out: dict[str, Any] = {}
    for name, (suite, make) in variants.items():
        seeds = args.open_seeds if name == "open" else args.seeds
        plan = session.Plan(seeds=seeds, resume=True, seed=1)
        done = session.run_and_report(
            suites.load(suite), folder / name, plan, when=datetime.now(UTC), generator=make()
        )
        audit = json_report.to_json(done.audit, done.subject)
        out[name] = {"suite": suite, "verdict": done.audit.verdict, **audit}
        _say(f"model, {name} ({suite}): {done.audit.verdict}")
        for cell in done.audit.cells:
            shares = ", ".join(f"{s.name} {s.share:.0%}" for s in cell.shares)
            _say(f"  {cell.group}: {cell.verdict}; {shares}; {cell.low:.3f} to {cell.high:.3f}; n {cell.n}")
    (args.docs / "audit-tiny.html").write_bytes((folder / "open" / session.REPORT).read_bytes())
    return out


def gate(_: argparse.Namespace) -> dict[str, Any]:
    """What the frames gate costs, in seconds per second of video, beside plain decoding."""
    found = moderation.measured(moderation.clip(1280, 720, 24, 2), random_model=False)
    for line in moderation.lines(found):
        _say(f"gate, {line}")
    return found


def faults(_: argparse.Namespace) -> dict[str, Any]:
    """The fault table: every check with every failure, as its tests count them."""
    file = ROOT / "tests" / "unit" / "pipeline" / "test_moderate.py"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-o",
        "addopts=--import-mode=importlib",
    ]
    command += [str(file), "-k", " or ".join(FAULTS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    passed = re.search(r"(\d+) passed", done.stdout)
    ok = done.returncode == 0 and passed is not None
    said = done.stdout.strip().splitlines()[-1].strip("= ") if done.stdout.strip() else done.stderr[-200:]
    _say(f"faults: {said}")
    return {"ok": ok, "said": said, "cases": int(passed.group(1)) if passed else 0}


PARTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "statistics": statistics,
    "skin": skins,
    "data": data,
    "gate": gate,
    "faults": faults,
    "model": model,
}
_CODE = {
    "statistics": ("safegen/audit/inference.py", "safegen/audit/measures.py", "benchmarks/audit/simulate.py"),
    "skin": ("detectors/frames/_skin.py", "benchmarks/audit/skin.py"),
    "data": ("safegen/audit/*.py", "safegen/audit/lexicons/*", "training/world/*.py"),
    "model": (
        "safegen/models/tiny/*",
        "safegen/audit/*.py",
        "safegen/audit/suites/world-*",
        "detectors/frames/_*.py",
        "detectors/frames/world.py",
        "benchmarks/audit/steered.py",
    ),
}
"""What the figures of a part depend on; the other parts are measured afresh every time."""


def _key(part: str, args: argparse.Namespace) -> str:
    """SHA-256 (hex) of the files and the arguments that *part* depends on."""
    whole = hashlib.sha256(
        repr((args.audits, args.power, args.captions, args.seeds, args.open_seeds)).encode()
    )
    for file in _files(_CODE[part]):
        whole.update(f"{file.relative_to(ROOT)} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()


def _files(patterns: Iterable[str]) -> list[Path]:
    return sorted(f for p in patterns for f in ROOT.glob(p) if f.is_file())


def _done(part: str, args: argparse.Namespace) -> bool:
    """Whether *part* has figures of this very code with these arguments."""
    file = args.out / f"figures-{part}.json"
    if args.fresh or part not in _CODE or not file.is_file():
        return False
    try:
        return bool(json.loads(file.read_text(encoding="utf-8")).get("key") == _key(part, args))
    except ValueError:
        return False


def _say(line: str) -> None:
    print(line, flush=True)


def main() -> None:
    """Run the parts asked for; figures as JSON in OUT/figures-PART.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/bench/audit"))
    parser.add_argument("--parts", nargs="*", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where the tables go")
    parser.add_argument("--audits", type=int, default=1000, help="simulated audits of each kind")
    parser.add_argument("--power", type=int, default=2000, help="simulated audits for each figure of power")
    parser.add_argument("--captions", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, default=20, help="clips of each of 8 prompts, steered")
    parser.add_argument(
        "--open-seeds", type=int, default=5, help="clips of each of 96 prompts, left to itself"
    )
    parser.add_argument("--fresh", action="store_true", help="do again what is done")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for part in args.parts:
        if _done(part, args):
            _say(f"{part}: done before")
            continue
        started = time.monotonic()
        found = PARTS[part](args)
        whole = {"key": _key(part, args) if part in _CODE else "", "figures": found}
        (args.out / f"figures-{part}.json").write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
        _say(f"{part}: {time.monotonic() - started:.0f} s")
    _say(str(tables.write(args.out, args.docs)))


if __name__ == "__main__":
    main()
