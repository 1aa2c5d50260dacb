"""Everything that makes a clip accessible, worked out together: what is said, seen and missing, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from safegen.accessibility import webvtt
from safegen.accessibility.cues import Cue, rounded_cue
from safegen.accessibility.narration import Narration, narrate
from safegen.accessibility.scenes import Scene
from safegen.accessibility.scheduling import Schedule, schedule_cues
from safegen.accessibility.sound import detect_sound, find_pauses
from safegen.accessibility.speech import SpeechEngine, SpeechFailed
from safegen.types import AudioTrack

if TYPE_CHECKING:
    from safegen.accessibility.cues import Interval

SoundStatus: TypeAlias = Literal["nothing", "unrecognised", "written"]
"""What is known of the sound: there is none; some, unrecognised; somebody wrote down what is said."""

NO_SOUND, SOUND = "[No sound]", "[Sound]"
_SHOWN = 3.0
"""Seconds that a note about sound is shown at most."""
NOTES = {
    "nothing": "This video has no sound, so nothing is said in it.",
    "unrecognised": "This video has sound that was not transcribed: anything said in it is missing here.",
    "written": "",
}
NO_ENGINE = "no speech synthesiser is installed (espeak-ng)"
LANGUAGE = "en"


@dataclass(frozen=True)
class AccessibilityTracks:
    """The tracks of a clip that lasts *seconds*.

    ``placed`` are the descriptions as text; ``narration`` the same spoken, or None and ``unspoken`` says why.
    """

    seconds: float
    sound_status: SoundStatus
    captions: tuple[Cue, ...]
    schedule: Schedule
    chapters: tuple[Cue, ...]
    scenes: tuple[Scene, ...]
    narration: Narration | None = None
    no_narration_reason: str = ""

    @property
    def descriptions(self) -> tuple[Cue, ...]:
        """What is seen, in the pauses of what is said."""
        return self.schedule.cues

    def vtt(self, kind: Literal["captions", "descriptions", "chapters"]) -> str:
        """One of the tracks as WebVTT."""
        cues = {"captions": self.captions, "descriptions": self.descriptions, "chapters": self.chapters}[kind]
        note = {
            "captions": NOTES[self.sound_status],
            "descriptions": self._confidence_note(),
            "chapters": "",
        }[kind]
        return webvtt.format_cues(cues, kind=kind, note=note)

    @property
    def uncertain_scenes(self) -> int:
        """How many scenes are described with uncertainty."""
        return sum(not s.phrase.certain for s in self.scenes)

    def _confidence_note(self) -> str:
        said = ["Written by a program that analysed the pictures."]
        if self.uncertain_scenes:
            said.append(
                f"It is unsure about {self.uncertain_scenes} of {len(self.scenes)} parts, "
                "and says so at each of them."
            )
        if self.schedule.omitted:
            said.append(
                f"{len(self.schedule.omitted)} parts have no pause long enough for a description: see "
                "the transcript."
            )
        return " ".join(said)


def build_tracks(
    scenes: Sequence[Scene],
    seconds: float,
    *,
    audio: AudioTrack | None,
    spoken: Sequence[Cue] | None = None,
    engine: SpeechEngine | None = None,
) -> AccessibilityTracks:
    """The tracks for a clip of *seconds* in which *scenes* are seen and *audio* is heard.

    *spoken*: what is said, where somebody wrote it down; without it all sound may be speech. *engine* speaks
    the descriptions; a failing one costs the spoken track only, and ``unspoken`` says so.
    """
    loud = detect_sound(audio)
    if spoken is not None and all(c.text in (NO_SOUND, SOUND) for c in spoken):
        spoken = None  # our own notes: nobody listened
    heard: SoundStatus = "written" if spoken is not None else "unrecognised" if loud else "nothing"
    room = find_pauses(seconds, loud, spoken)
    narration, unspoken = _narration(scenes, room, audio, seconds, engine)
    return AccessibilityTracks(
        seconds,
        heard,
        _captions(loud, spoken, seconds),
        schedule_cues(scenes, room),
        _chapters(scenes),
        tuple(scenes),
        narration,
        unspoken,
    )


def _narration(
    scenes: Sequence[Scene],
    room: Sequence[Interval],
    audio: AudioTrack | None,
    seconds: float,
    engine: SpeechEngine | None,
) -> tuple[Narration | None, str]:
    """The spoken descriptions, or why there are none."""
    if engine is None:
        return None, NO_ENGINE
    try:
        narration = narrate(scenes, room, audio, seconds, engine)
    except SpeechFailed as error:
        return None, str(error)
    if not narration.cues:
        return None, "there is no pause long enough for speech"
    return narration, ""


def _captions(loud: Sequence[Interval], spoken: Sequence[Cue] | None, seconds: float) -> tuple[Cue, ...]:
    """What is said; else that there is sound, and where; else that there is none."""
    if spoken is not None:
        return tuple(
            rounded_cue(c.start, min(c.end, seconds), c.text) for c in spoken if c.start < seconds and c.text
        )
    if not loud:
        return (rounded_cue(0.0, min(seconds, _SHOWN), NO_SOUND),)
    return tuple(rounded_cue(a, min(b, seconds, a + _SHOWN), SOUND) for a, b in loud if a < seconds)


def _chapters(scenes: Sequence[Scene]) -> tuple[Cue, ...]:
    """One for each shot of a storyboard, else for each scene; those of one title in a row are one."""
    out: list[Cue] = []
    for scene in scenes:
        title = scene.phrase.title if scene.shot is None else _shot_title(scenes, scene.shot)
        start = out.pop().start if out and out[-1].text == title else scene.span[0]
        out.append(rounded_cue(start, scene.span[1], title))
    return tuple(out)


def _shot_title(scenes: Sequence[Scene], shot: int) -> str:
    """Its number, and what its first recognised scene shows."""
    own = [s for s in scenes if s.shot == shot]
    first = next((s for s in own if s.phrase.recognised), own[0])
    return f"Shot {shot}: {first.phrase.title}"
