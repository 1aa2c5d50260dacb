"""``moderate``: the frames gate for a video or picture that is there already, whoever made it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from safegen._util.hashing import sha256_of
from safegen.errors import Interrupted, UnreadableInput, UsageError
from safegen.media import sandbox
from safegen.moderation.findings import by_second, finding_to_dict, sorted_findings, strictest_action
from safegen.moderation.gate import GateResult, apply_rules, in_words
from safegen.moderation.single_pass import SinglePass
from safegen.policies.frames import HIDING_ACTIONS
from safegen.protocols import NoProgress, Progress
from safegen.types import Action, Clip, Finding, Json, JsonResult, PolicyRef

if TYPE_CHECKING:
    from safegen.policies.schema import Policy
    from safegen.types import Frame

SHORT_SIDE = 720
"""Pictures are looked at scaled down to this short side."""
MAX_FPS = Fraction(120)
_EVERY_PICTURE = 1000.0

SCHEMA = "safegen.moderate/1"
"""Described in docs/moderation.md."""


@dataclass(frozen=True)
class Moderation(JsonResult):
    """What was seen in the file at ``path``, second by second, and what the policy makes of it.

    ``width``, ``height`` are those of the pictures as they were looked at; ``fps`` the rate they were looked
    at; ``frames`` how many there were.
    """

    path: Path
    sha256: str
    kind: Literal["video", "picture"]
    width: int
    height: int
    seconds: float
    fps: float
    frames: int
    policy: PolicyRef
    gate: GateResult
    notes: tuple[str, ...] = ()

    @property
    def action(self) -> Action:
        """The strictest consequence of any finding."""
        return self.gate.action

    @property
    def exit_code(self) -> int:
        """``safegen moderate``'s: 0 nothing stands against it, 3 blocked, 7 a person has to do something."""
        return self.action.exit_code

    @property
    def not_looked_for(self) -> tuple[str, ...]:
        """What a picture may show and nothing looked for: of ``nudity``, ``violence``, ``dangerous``."""
        return self.gate.not_looked_for

    @property
    def blind_spot(self) -> str:
        """``not_looked_for`` as a sentence, or empty."""
        return f"nothing looked for {in_words(self.not_looked_for)}" if self.not_looked_for else ""

    def __repr__(self) -> str:
        """The consequence, the file, and what nothing looked for."""
        blind = f", {self.blind_spot}" if self.blind_spot else ""
        return f"<Moderation {self.action} {self.path.name}, {len(self.gate.findings)} findings{blind}>"

    def to_dict(self) -> Json:
        """``safegen.moderate/1``, the strictest finding first."""
        rows = self.gate.findings
        return {
            "schema": SCHEMA,
            "path": str(self.path),
            "sha256": self.sha256,
            "kind": self.kind,
            "action": str(self.action),
            "exit_code": self.exit_code,
            "policy": {"name": self.policy.name, "sha256": self.policy.digest},
            "looked_at": {
                "width": self.width,
                "height": self.height,
                "seconds": round(self.seconds, 3),
                "fps": round(self.fps, 3),
                "frames": self.frames,
            },
            "checks": [
                {"name": c.name, "version": c.version, "sha256": c.digest, "score": c.score}
                for c in self.gate.ran
            ],
            "requested": list(self.gate.requested),
            "absent": dict(self.gate.absent),
            "not_looked_for": list(self.not_looked_for),
            "findings": [finding_to_dict(r) for r in sorted_findings(rows)],
            "seconds": [
                {
                    "second": second,
                    "action": str(strictest_action(found)),
                    "categories": sorted({r.finding.category for r in found}),
                }
                for second, found in by_second(rows).items()
            ],
            "notes": list(self.notes),
        }


def moderate_file(path: Path, policy: Policy, *, progress: Progress = NoProgress()) -> Moderation:
    """Look at the whole of *path* with the checks that *policy* asks for, in one pass over its pictures.

    Raises UnreadableInput, UsageError (no check at all), CheckUnavailable, Interrupted.
    """
    if not policy.frames.required:
        raise UsageError(
            "the policy requires no frames check", hint="name at least one under `frames: required:`"
        )
    info = sandbox.probe(path)
    picture = info.frames <= 1 and info.seconds <= 1.0 and not info.audio and _is_picture(path)
    progress.stage("moderating", None if picture else max(1, round(info.seconds)))
    fps = min(MAX_FPS, info.fps) if info.fps > 0 else Fraction(24)
    while True:
        notes: list[str] = []
        reading = _ConstantRateReader(path, fps, notes)
        clip = reading.clip(info.seconds)
        gate, frames = _run_in_parallel(clip, reading, policy, progress)
        if not reading.dropped or fps >= MAX_FPS:
            break
        fps = min(MAX_FPS, 2 * fps)  # its rate varies: some pictures came faster than its average
    if notes:
        damage = [
            Finding("undecodable", 1.0, "decoder", f"only part of it could be examined: {n}") for n in notes
        ]
        gate = replace(gate, findings=(*gate.findings, *apply_rules(policy, damage)))
    digest = sha256_of(path)
    return Moderation(
        path,
        digest,
        "picture" if picture else "video",
        clip.width,
        clip.height,
        0.0 if picture else float(frames / clip.fps),
        float(clip.fps),
        frames,
        PolicyRef(policy.name, policy.digest),
        gate,
        tuple(_gate_notes(gate)),
    )


def _is_picture(path: Path) -> bool:
    from safegen.credentials import formats

    return (formats.detect(path).mime or "").startswith("image/")


def _gate_notes(gate: GateResult) -> Iterator[str]:
    for name, why in gate.absent.items():
        yield f"not checked: {name} ({why})"
    if gate.action in HIDING_ACTIONS:
        yield f"the policy requires faces to be hidden ({gate.action}); this file shows faces"


class _ConstantRateReader:
    """One decoding of a file, brought to a constant frame rate: each picture as long as it is shown."""

    def __init__(self, path: Path, fps: Fraction, notes: list[str]) -> None:
        self._path, self._fps, self._notes = path, fps, notes
        self.dropped = 0
        """Pictures that were shown for less than half a frame."""
        self._pass = self._resample()
        self._first = next(self._pass, None)

    def clip(self, seconds: float) -> Clip:
        """What the checks see; another reading decodes anew. Raises UnreadableInput without any picture."""
        if self._first is None:
            raise UnreadableInput(
                f"{self._path}: no picture in it can be decoded", hint="check that the file is complete"
            )
        height, width = self._first.shape[:2]
        count = max(1, round(seconds * self._fps))
        return Clip(
            lambda: _ConstantRateReader(self._path, self._fps, [])._all(), width, height, self._fps, count
        )

    def _all(self) -> Iterator[Frame]:
        if self._first is not None:
            yield self._first
        yield from self._pass

    def __iter__(self) -> Iterator[Frame]:
        """The frames of this decoding, once."""
        return self._all()

    def _note(self, text: str) -> None:
        if text not in self._notes:
            self._notes.append(text)

    def _resample(self) -> Iterator[Frame]:
        number, start, used = 0, 0.0, True
        shown: Frame | None = None
        for item in sandbox.stream_frames(self._path, rate=_EVERY_PICTURE, short_side=SHORT_SIDE):
            if isinstance(item, str):
                self._note(item)
                continue
            picture, time, _ = item
            if shown is None:
                start = time
            elif picture.shape != shown.shape:
                self._note("its frames change size")
                continue
            while shown is not None and number / self._fps < time - start - 0.5 / self._fps:
                yield shown
                number, used = number + 1, True
            self.dropped += not used
            shown, used = picture, False
        if shown is not None:
            yield shown


def _run_in_parallel(
    clip: Clip, reading: _ConstantRateReader, policy: Policy, progress: Progress
) -> tuple[GateResult, int]:
    """Every check on one common pass; the answers, and how many frames there were.

    A check that fails ends the pass only when the others need no more frames, either.
    """
    count = 0
    stopped = Interrupted("stopped while examining the file")
    with SinglePass(clip, policy, extractors=False) as checks:
        try:
            for frame in reading:
                if progress.cancelled():
                    raise stopped
                if checks.finished and checks.failed:
                    break
                checks.feed(frame)
                count += 1
                if count % max(1, round(clip.fps)) == 0:
                    progress.advance()
        except BaseException:
            checks.stop(stopped)
            raise
        checks.end()
        looked, _ = checks.results()
    return looked, count
