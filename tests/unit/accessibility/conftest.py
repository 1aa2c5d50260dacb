"""A clip of the rendered world, and an engine that speaks in tones."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from safegen.accessibility.speech import SpeechFailed
from safegen.media import sandbox, tracks
from safegen.media.encode import Encoding, encode_mp4
from safegen.types import AudioTrack, Clip
from tests.unit.media.conftest import _talk
from training.world.render import render
from training.world.spec import Scene, Thing

FPS = 12
FAST = Encoding(preset="ultrafast")


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandboxed worker's own code without the process around it: a tenth of the time."""
    for module in (tracks, sandbox):
        monkeypatch.setattr(module, "worker_messages", _talk)


class Tones:
    """A speech synthesiser where none is installed: a tone as long as the words would take."""

    name = "tones 1"

    def __init__(self, pace: float = 15.0, broken: bool = False) -> None:
        self.pace, self.broken = pace, broken

    def say(self, text: str, pace: float = 1.0) -> AudioTrack:
        if self.broken:
            raise SpeechFailed("tones failed")
        n = round(len(text) / self.pace / pace * 22_050)
        return AudioTrack((0.4 * np.sin(np.arange(n) / 8)).astype(np.float32)[:, None], 22_050)


def world(colour: str, kind: str, motion: str, place: str, seed: int = 1) -> np.ndarray:
    """Three seconds of the small world: (36, 64, 64, 3) uint8 RGB."""
    scene = Scene((Thing(kind, colour, "medium"),), motion=motion, background=place)
    native = render(scene, seed)[0]
    return native[np.linspace(0, len(native) - 1, 3 * FPS).round().astype(int)]


def overlap(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Seconds that two spans have in common."""
    return max(0.0, min(a[1], b[1]) - max(a[0], b[0]))


@pytest.fixture(scope="session")
def two_shots() -> Clip:
    """A red ball that moves right over grass for 3 s, then a blue box that stays still on snow for 3 s."""
    frames = np.concatenate(
        [world("red", "ball", "right", "grass"), world("blue", "box", "still", "snow", 2)]
    )
    return Clip.from_array(frames, FPS)


@pytest.fixture
def mp4(tmp_path: Path, two_shots: Clip) -> Path:
    """The same as a file without sound."""
    return written(tmp_path / "clip.mp4", two_shots)


def written(path: Path, clip: Clip, audio: AudioTrack | None = None) -> Path:
    """*clip* as an MP4."""
    encode_mp4(clip, path, fps=Fraction(FPS), audio=audio, encoding=FAST)
    return path
