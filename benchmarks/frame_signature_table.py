"""Which cells belong to which element of an MPEG-7 frame signature? Measured, not copied.

``python -m benchmarks.frame_signature_table FFMPEG OUT.npz`` gives the ``signature`` filter of an ffmpeg
binary 1,024 grey pictures of 32 x 32 pixels, one pixel of each white: an element says 2 where the pixel is
in its first region, 0 where in its second, 1 where in neither. Writes ``cells``: int8 (380, 1024).
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def signatures(ffmpeg: str, pictures: NDArray[np.uint8]) -> NDArray[np.int8]:
    """What the filter says about grey *pictures*, uint8 (n, h, w): int8 (n, 380) of 0, 1, 2."""
    height, width = pictures.shape[1:]
    with tempfile.TemporaryDirectory() as folder:
        source = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{width}x{height}", "-r", "5", "-i", "-"]
        sink = ["-vf", "signature=format=xml:filename=s.xml", "-f", "null", "-"]
        command = [ffmpeg, "-v", "error", *source, *sink]
        subprocess.run(command, input=pictures.tobytes(), check=True, cwd=folder)
        text = (Path(folder) / "s.xml").read_text(encoding="utf-8")
    rows = re.findall(r"<FrameSignature>([\d\s]*)</FrameSignature>", text)
    return np.array([[int(v) for v in row.split()] for row in rows], dtype=np.int8)


def main() -> None:
    """Measure the table and write it."""
    ffmpeg, out = sys.argv[1:]
    pictures = np.full((1024, 32, 32), 128, np.uint8)
    cell = np.arange(1024)
    pictures[cell, cell // 32, cell % 32] = 255
    np.savez_compressed(out, cells=np.ascontiguousarray(signatures(ffmpeg, pictures).T - 1))


if __name__ == "__main__":
    main()
