"""Text in the pictures: read by Tesseract where it is installed, judged by the rule lists for prompts."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from typing import TYPE_CHECKING

from safegen.detectors.frames._sampling import sample_frames
from safegen.errors import CheckAbsent, CheckUnavailable
from safegen.media._start import environment
from safegen.types import CheckRun, Finding

if TYPE_CHECKING:
    from safegen.protocols import FrameDetector
    from safegen.types import Clip, Frame

NAME, VERSION = "text", "1"
SURE = 60.0
"""Tesseract's confidence (0 to 100) from which a word counts."""
_SECONDS = 60
_COLUMNS = 12


def read_text(frame: Frame, program: str) -> str:
    """The words in a picture (uint8 RGB). Raises CheckUnavailable when the program fails."""
    import cv2

    ok, png = cv2.imencode(".png", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    if not ok:
        raise CheckUnavailable("a frame could not be passed to the text reader")
    try:
        done = subprocess.run(
            [program, "-", "-", "--psm", "11", "tsv"],
            input=png.tobytes(),
            capture_output=True,
            env=environment("TESSDATA_PREFIX"),
            timeout=_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise CheckUnavailable(f"tesseract failed: {type(error).__name__}") from error
    return parse_tsv(done.stdout.decode("utf-8", "replace"))


def parse_tsv(table: str) -> str:
    """The sure words of Tesseract's table, in order. Raises CheckUnavailable when it is none."""
    lines = table.splitlines()
    if not lines or not lines[0].startswith("level\t"):
        raise CheckUnavailable("tesseract returned no table", hint="check that it is version 4 or newer")
    found = []
    for line in lines[1:]:
        row = line.split("\t")
        if len(row) != _COLUMNS or not row[11].strip():
            continue
        try:
            sure = float(row[10]) >= SURE
        except ValueError as error:
            raise CheckUnavailable("tesseract returned an invalid table") from error
        if sure:
            found.append(row[11].strip())
    return " ".join(found)


class TextCheck:
    """Frames check for what is written in the pictures."""

    name = NAME

    def run(self, clip: Clip) -> tuple[Sequence[Finding], CheckRun]:
        """Findings of the rule lists in what can be read, with prompts' categories. Raises CheckAbsent."""
        from safegen.detectors.prompt.rules import Rules

        program = shutil.which("tesseract")
        if program is None:
            raise CheckAbsent("Tesseract is not installed", hint="apt install tesseract-ocr")
        rules = Rules()
        best: dict[tuple[str, int], Finding] = {}
        for sample in sample_frames(clip, per_second=1.0):
            text = read_text(sample.frame, program)
            for seen in rules.run(text)[0] if text else ():
                key = (seen.category, int(sample.time))
                reason = f"the text in the picture at {sample.time:.1f} s {seen.reason}"
                finding = Finding(seen.category, seen.score, NAME, reason, time=sample.time)
                if key not in best or best[key].score < finding.score:
                    best[key] = finding
        highest = max((f.score for f in best.values()), default=0.0)
        return list(best.values()), CheckRun(NAME, VERSION, rules.lexicon().digest, highest)


def create() -> FrameDetector:
    """The plug-in."""
    return TextCheck()
