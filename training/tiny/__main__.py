"""Command line of the recipe: each step reads what the one before left in the folder, and resumes itself."""

from __future__ import annotations

import argparse
import logging
import os
from pathlib import Path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.tiny", description=__doc__)
    parser.add_argument("step", choices=("vae", "encode", "dit", "export", "judge"))
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for checkpoints, latents and the export"
    )
    parser.add_argument(
        "--minutes", type=float, default=45.0, help="training time in total, earlier runs included"
    )
    parser.add_argument("--clips", type=int, default=12000, help="clips to encode, or to judge")
    parser.add_argument("--stage", default="one", help="stage of the world, see training/world/stages.py")
    parser.add_argument("--model", type=Path, help="pipeline folder to export to or to judge")
    parser.add_argument("--threads", type=int, default=1)
    return parser


def main(argv: list[str] | None = None) -> None:
    """Run one step of the recipe."""
    args = _parser().parse_args(argv)
    os.environ.setdefault("OMP_NUM_THREADS", str(args.threads))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    import torch

    torch.set_num_threads(args.threads)
    _run(args)


def _run(args: argparse.Namespace) -> None:
    if args.step == "vae":
        from training.tiny import vae

        vae.train(args.out, args.minutes)
    elif args.step == "encode":
        from training.tiny import latents

        latents.encode(args.out, args.stage, args.clips)
    elif args.step == "dit":
        from training.tiny import dit

        dit.train(args.out, args.minutes)
    elif args.step == "export":
        from training.tiny import export

        export.export(args.out, args.model)
    else:
        from training.tiny import judge

        judge.report(args.out, args.model, args.clips, args.stage)


if __name__ == "__main__":
    main()
