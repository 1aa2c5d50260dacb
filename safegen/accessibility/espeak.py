"""eSpeak NG (https://github.com/espeak-ng/espeak-ng), run as a program: text on stdin, WAV in a file."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path

from safegen._util.logs import logger
from safegen.accessibility.speech import SpeechFailed
from safegen.media._start import environment
from safegen.types import AudioTrack

_log = logger(__name__)

PROGRAM = "espeak-ng"
_DATA = "ESPEAK_DATA_PATH"
_SECONDS = 30
_WORDS = 175
"""Words a minute at pace 1."""
_CHARACTERS = 2000


@dataclass(frozen=True)
class Espeak:
    """The program at *path*."""

    path: str
    version: str
    voice: str = "en"

    @property
    def name(self) -> str:
        """``espeak-ng 1.51``."""
        return f"{PROGRAM} {self.version}"

    def say(self, text: str, pace: float = 1.0) -> AudioTrack:
        """*text* spoken, one channel at 22.05 kHz. Raises SpeechFailed."""
        with tempfile.TemporaryDirectory(prefix="safegen-speech-") as folder:
            target = Path(folder) / "speech.wav"
            words = str(round(_WORDS * pace))
            command = [self.path, "-v", self.voice, "-s", words, "-b", "1", "--stdin", "-w", str(target)]
            try:
                subprocess.run(
                    command,
                    input=text[:_CHARACTERS].encode(),
                    capture_output=True,
                    env=environment(_DATA),
                    timeout=_SECONDS,
                    check=True,
                )
                return _read(target)
            except (OSError, subprocess.SubprocessError, wave.Error, EOFError) as error:
                raise SpeechFailed(f"{PROGRAM} failed: {type(error).__name__}") from error


def find_espeak() -> Espeak | None:
    """The program found on the PATH, or None. One that does not work fails only when asked to speak."""
    path = shutil.which(PROGRAM)
    if path is None:
        return None
    try:
        answer = subprocess.run(
            [path, "--version"], capture_output=True, timeout=_SECONDS, check=True, env=environment(_DATA)
        ).stdout
    except (OSError, subprocess.SubprocessError):
        answer = b""  # it is there: the record must not say that nothing is installed
    found = re.search(rb"\d+(?:\.\d+)+", answer)
    version = found.group().decode() if found else "of unknown version"
    _log.debug("speech by %(program)s %(version)s", {"program": PROGRAM, "version": version})
    return Espeak(path, version)


def _read(file: Path) -> AudioTrack:
    """A 16-bit WAV as float32. Raises wave.Error, EOFError, SpeechFailed for silence."""
    import numpy as np

    with wave.open(str(file), "rb") as sound:
        if sound.getsampwidth() != 2:
            raise SpeechFailed(f"{PROGRAM} produced {8 * sound.getsampwidth()}-bit audio; 16-bit is needed")
        data = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").reshape(-1, sound.getnchannels())
        rate = sound.getframerate()
    samples = data.mean(1, keepdims=True, dtype=np.float32) / np.float32(32768)
    if not len(samples) or float(np.abs(samples).max()) < 1e-3:
        raise SpeechFailed(f"{PROGRAM} produced no speech")
    loud = np.flatnonzero(np.abs(samples[:, 0]) > 1e-3)
    return AudioTrack(samples[: loud[-1] + 1], rate)
