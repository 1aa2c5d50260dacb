"""What safegen adds to raw diffusers: the same pipeline and settings, end to end, in one process.

Raw: load, call, encode with PyAV at the same x264 settings. Safegen: the whole ``generate`` (screening,
loading with digests, the same call, moderation, watermark, encoding, signature, ledger, checks). After a
warm-up of each, runs take turns; medians of wall and of CPU seconds (CPU seconds say more on a busy machine).

    python -m benchmarks.overhead --runs 3 --out out/bench/overhead.json
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

PROMPT = "a red ball rolling left to right over green grass"


def seconds(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Wall and CPU seconds (all threads, children that ended) of *work*, and what it gave."""
    wall, cpu = time.perf_counter(), _cpu()
    result = work()
    return time.perf_counter() - wall, _cpu() - cpu, result


def _cpu() -> float:
    t = os.times()
    return t.user + t.system + t.children_user + t.children_system


def encode(frames: np.ndarray, destination: Path, fps: int) -> None:
    """Frames (n, h, w, 3) uint8 as H.264, crf 18, preset medium."""
    import av

    with av.open(str(destination), "w", options={"movflags": "+faststart"}) as box:
        stream = box.add_stream("libx264", rate=Fraction(fps))
        stream.height, stream.width, stream.pix_fmt = frames.shape[1], frames.shape[2], "yuv420p"
        stream.options = {"crf": "18", "preset": "medium"}
        for frame in frames:
            box.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        box.mux(stream.encode(None))


def raw(folder: Path, arguments: dict[str, Any], destination: Path, fps: int) -> None:
    """What a script with diffusers does."""
    import torch
    from diffusers import DiffusionPipeline

    pipe = DiffusionPipeline.from_pretrained(str(folder), local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    with torch.inference_mode():
        made = pipe(**arguments, generator=torch.Generator("cpu").manual_seed(1), output_type="np").frames[0]
    encode((np.clip(made, 0, 1) * 255).round().astype(np.uint8), destination, fps)


def heavy(folder: Path) -> Path:
    """A Wan pipeline with random weights whose denoising takes about twenty seconds of one core."""
    import torch
    from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanPipeline, WanTransformer3DModel
    from transformers import AutoTokenizer, UMT5Config, UMT5EncoderModel

    from safegen.generators.tiny.generator import FOLDER

    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(str(FOLDER / "tokenizer"))
    text = UMT5Config(vocab_size=len(tokenizer) + 8, d_model=64, d_kv=16, num_heads=4, d_ff=128, num_layers=2)
    pipe = WanPipeline(
        tokenizer=tokenizer,
        text_encoder=UMT5EncoderModel(text),
        vae=AutoencoderKLWan(base_dim=16, dim_mult=[1, 1, 2, 2], num_res_blocks=1),
        scheduler=UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
        ),
        transformer=WanTransformer3DModel(
            num_attention_heads=4, attention_head_dim=64, text_dim=64, ffn_dim=1024, num_layers=6
        ),
    )
    with torch.no_grad():  # at full contrast what it draws flashes, and the frames gate refuses that
        pipe.vae.decoder.conv_out.weight.mul_(0.4)
    pipe.save_pretrained(str(folder))
    return folder


def compare(
    name: str,
    model: str,
    folder: Path,
    arguments: dict[str, Any],
    request: dict[str, Any],
    *,
    fps: int,
    runs: int,
    work: Path,
) -> dict[str, Any]:
    """Medians of *runs* of each, and their ratio."""
    import safegen

    def plain(steps: int | None = None) -> None:
        changed = {**arguments, **({"num_inference_steps": steps} if steps else {})}
        raw(folder, changed, work / "raw.mp4", fps)

    def whole(steps: int | None = None) -> Any:
        changed = {**request, **({"steps": steps} if steps else {})}
        return safegen.generate(
            PROMPT,
            work / "safegen.mp4",
            model=model,
            seed=1,
            overwrite=True,
            workspace=work / "workspace",
            **changed,
        )

    plain(1)
    whole(1)
    table: dict[str, list[float]] = {"raw": [], "safegen": [], "raw_cpu": [], "safegen_cpu": []}
    stages: list[dict[str, float]] = []
    for _ in range(runs):
        for key, job in (("raw", plain), ("safegen", whole)):
            wall, cpu, result = seconds(job)
            table[key].append(wall)
            table[f"{key}_cpu"].append(cpu)
            if key == "safegen":
                stages.append(dict(result.timings))
    median = {k: round(statistics.median(v), 3) for k, v in table.items()}
    return {
        "case": name,
        "runs": runs,
        "median_s": median,
        "ratio": round(median["safegen"] / median["raw"], 3),
        "ratio_cpu": round(median["safegen_cpu"] / median["raw_cpu"], 3),
        "stages_s": {k: round(statistics.median(s[k] for s in stages), 3) for k in stages[0]},
        "all_s": {k: [round(x, 3) for x in v] for k, v in table.items()},
    }


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--steps", type=int, default=6, help="denoising steps of the heavier pipeline")
    parser.add_argument("--only", choices=("embedded", "heavy"))
    parser.add_argument("--out", type=Path, default=Path("out/bench/overhead.json"))
    options = parser.parse_args()
    cases = [c for c in ("embedded", "heavy") if options.only in (None, c)]
    results: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        for case in cases:
            results.append(_case(case, options.runs, options.steps, work))
            _show(results[-1])
            options.out.parent.mkdir(parents=True, exist_ok=True)
            options.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def _case(name: str, runs: int, steps: int, work: Path) -> dict[str, Any]:
    from safegen.generators.tiny.generator import FOLDER, PRESET

    if name == "embedded":
        native = {
            "prompt": PROMPT,
            "width": PRESET.width,
            "height": PRESET.height,
            "num_frames": PRESET.frames,
            "num_inference_steps": PRESET.steps,
            "guidance_scale": PRESET.guidance,
            **PRESET.options,
        }
        return compare(name, "tiny", FOLDER, native, {}, fps=6, runs=runs, work=work)
    folder = heavy(work / "heavy")
    size = {"width": 320, "height": 192}
    arguments = {
        "prompt": PROMPT,
        **size,
        "num_frames": 49,
        "num_inference_steps": steps,
        "guidance_scale": 5.0,
    }
    request = {**size, "seconds": 49 / 16, "steps": steps, "guidance": 5.0}
    return compare(name, str(folder), folder, arguments, request, fps=16, runs=runs, work=work)


def _show(row: dict[str, Any]) -> None:
    median = row["median_s"]
    print(f"{row['case']}: raw {median['raw']} s, safegen {median['safegen']} s: x{row['ratio']}")
    print(f"  CPU: raw {median['raw_cpu']} s, safegen {median['safegen_cpu']} s: x{row['ratio_cpu']}")
    print("  " + ", ".join(f"{k} {v}" for k, v in row["stages_s"].items()), flush=True)


if __name__ == "__main__":
    main()
