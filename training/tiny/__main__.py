"""Trains the embedded model: each step reads what the one before left in the folder, and resumes itself.

vae     the video autoencoder (`--minutes` of training in total, earlier runs included)
encode  latents of rendered training clips
decoder the decoder alone, on full-length clips (`--minutes` in total, a third of it in `all`)
text    the text encoder, which learns to read (`--minutes` in total, a fifth of it in `all`)
dit     the diffusion transformer (`--minutes` in total)
export  the pipeline folder (`--model`, default OUT/model)
judge   figures and contact sheets
card    the model card, from the figures
all     every step, one after the other; `--minutes` for each of the two trainings
"""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path

STEPS = ("vae", "encode", "decoder", "text", "dit", "export", "judge", "card")


def _parser() -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m training.tiny", description=__doc__, formatter_class=form
    )
    parser.add_argument("step", choices=(*STEPS, "all"))
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints, latents and figures")
    parser.add_argument("--minutes", type=float, default=70.0, help="training time in total")
    parser.add_argument("--clips", type=int, help="clips to encode (20000) or to judge (48)")
    parser.add_argument("--stage", default="full", help="stage of the world, see training/world/stages.py")
    parser.add_argument("--model", type=Path, help="pipeline folder to export to or to judge")
    parser.add_argument("--start", type=Path, help="pipeline folder of an earlier model to start from")
    parser.add_argument("--sources", nargs="+", help="what to judge: renders, reconstructions, generated")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1, help="processes that train the dit together")
    return parser


def main(argv: list[str] | None = None) -> None:
    """Run one step of the recipe, or all of them."""
    args = _parser().parse_args(argv)
    os.environ.setdefault("OMP_NUM_THREADS", str(args.threads))
    import torch

    from training.tiny import state

    state.talk()
    torch.set_num_threads(args.threads)
    for step in STEPS if args.step == "all" else (args.step,):
        _run(step, args)


def _run(step: str, args: argparse.Namespace) -> None:
    model = args.model or args.out / "model"
    if step == "vae":
        from training.tiny import vae

        vae.train(args.out, args.minutes, args.start)
    elif step == "encode":
        from training.tiny import latents

        latents.encode(args.out, args.stage, args.clips or 20000)
    elif step == "decoder":
        from training.tiny import decoder

        decoder.train(args.out, args.minutes / (3 if args.step == "all" else 1))
    elif step == "text":
        from training.tiny import reading

        reading.train(args.out, args.stage, args.minutes / (5 if args.step == "all" else 1), args.start)
    elif step == "dit":
        from training.tiny import dit, team

        work = partial(dit.train, args.out, args.minutes, args.start)
        team.together(work, args.processes)
    elif step == "export":
        from training.tiny import export

        export.export(args.out, model)
    elif step == "card":
        from training.tiny import card

        card.write(args.out, model)
    else:
        from training.tiny import judge

        made = model if model.is_dir() else None
        sources = args.sources or judge.SOURCES
        judge.report(args.out, made, args.clips or judge.CLIPS, args.stage, sources)


if __name__ == "__main__":
    main()
