"""Memory stays bounded: how many pictures are alive at a time, spools that are packed, threads that end."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from safegen.errors import UnreadableInput
from safegen.media import spool as spools
from safegen.media.encode import Encoding, codec_options
from safegen.media.footage import Footage, Picture, open_footage
from safegen.media.prefetch import prefetch
from safegen.pipeline.mark_footage import check_and_encode
from safegen.pipeline.protect import _preview_clip
from safegen.pipeline.stages import UnmarkedClip
from safegen.policies import load
from safegen.types import Clip
from tests.support.video_server import until


class Counted(Footage):
    """Footage that knows how many of its pictures are alive."""

    alive = most = 0

    def __iter__(self) -> Iterator[Picture]:
        for picture in super().__iter__():
            type(self).alive += 1
            type(self).most = max(self.most, self.alive)
            weakref.finalize(picture, self._gone)
            yield picture
            del picture

    @classmethod
    def _gone(cls) -> None:
        cls.alive -= 1


def test_a_long_clip_is_never_in_memory(tmp_path: Path, makers: dict[str, Callable[..., Any]]) -> None:
    source = makers["film"](tmp_path / "long.mp4", count=120, size=(96, 128), options={"preset": "ultrafast"})
    footage = Counted(**vars(open_footage(source)))
    made = UnmarkedClip(_preview_clip(footage), "protected", None, {})
    encoded = check_and_encode(
        made,
        footage,
        load("default"),
        tmp_path / "out.mp4",
        content_id=5,
        encoding=Encoding(preset="ultrafast"),
    )
    assert encoded.frames == 120
    assert Counted.most <= 8
    gc.collect()
    assert Counted.alive == 0
    assert {p.name for p in tmp_path.iterdir()} == {"long.mp4", "out.mp4"}, "nothing raw on the disk"


def test_the_encoder_looks_less_far_ahead_in_large_frames() -> None:
    def ahead_of(width: int, height: int, *, deep: bool = False) -> int:
        text = " ".join(codec_options(Encoding(), width, height, deep=deep).values())
        return int(text.split("rc-lookahead=")[1].split(":")[0])

    assert ahead_of(1280, 720) == 40
    for size in ((3840, 2160), (7680, 4320)):
        held = ahead_of(*size) * size[0] * size[1] * 3 // 2
        assert held <= 260 * 2**20
    assert ahead_of(1920, 1080, deep=True) < ahead_of(1920, 1080) < 40


@pytest.mark.parametrize("size", [(48, 64), (37, 51)])
def test_a_packed_spool_reads_back_exactly(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    makers: dict[str, Callable[..., Any]],
    size: tuple[int, int],
) -> None:
    frames = np.stack(makers["grain"](30, size))
    frames[7] = np.random.default_rng(0).integers(0, 256, frames[7].shape, np.uint8)
    clip = Clip.from_array(frames, 24)
    raw = spools.spool(clip, tmp_path / "raw")
    monkeypatch.setattr(spools, "COMPACT_BYTES", 1000)
    digests = [spools.start_digest(clip) for _ in range(2)]
    packed = spools.spool(clip, tmp_path / "packed", digest=digests[0])
    spools.spool(raw, tmp_path / "again", digest=digests[1])
    assert np.array_equal(np.stack(list(packed)), frames) and np.array_equal(np.stack(list(packed)), frames)
    assert packed.count == 30 and digests[0].digest() == digests[1].digest()
    assert (tmp_path / "packed").stat().st_size < (tmp_path / "raw").stat().st_size / 2


def test_ahead_keeps_order_and_is_only_a_little_ahead() -> None:
    made: list[int] = []

    def numbers() -> Iterator[int]:
        for i in range(50):
            made.append(i)
            yield i

    seen = []
    for number in prefetch(numbers(), 2):
        seen.append(number)
        assert len(made) <= number + 5
    assert seen == list(range(50))


def test_ahead_hands_errors_on_and_ends_its_thread() -> None:
    closed = threading.Event()

    def broken() -> Iterator[int]:
        try:
            yield 1
            raise UnreadableInput("it broke")
        finally:
            closed.set()

    before = threading.active_count()
    stream = prefetch(broken())
    assert next(stream) == 1
    with pytest.raises(UnreadableInput, match="it broke"):
        next(stream)
    assert closed.wait(300)

    def endless() -> Iterator[int]:
        while True:
            yield 0

    stream = prefetch(endless())
    next(stream)
    stream.close()
    until(lambda: threading.active_count() <= before)


def test_an_iterator_that_cannot_be_closed_keeps_nobody_waiting() -> None:
    class Stuck:
        def __iter__(self) -> Iterator[int]:
            return self

        def __next__(self) -> int:
            raise StopIteration

        def close(self) -> None:
            raise ValueError("already executing")

    with pytest.raises(ValueError, match="already executing"):
        list(prefetch(Stuck()))


@pytest.mark.parametrize("how", ["stop", "done"])
def test_a_reader_of_the_common_pass_never_waits_for_ever(how: str) -> None:
    """Whether the pass was stopped (even with a full queue), or the check given up while it reads."""
    from safegen.moderation.single_pass import ClipView

    view = ClipView(Clip.from_array(np.zeros((1, 8, 8, 3), np.uint8), 8))
    ended: list[BaseException] = []

    def read() -> None:
        try:
            for _ in view.clip:
                time.sleep(0.01)
        except BaseException as error:
            ended.append(error)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    for _ in range(6):
        view.feed(np.zeros((8, 8, 3), np.uint8))
    if how == "stop":
        view.stop(UnreadableInput("it broke off"))
        view.feed(None)
    else:
        view.run(lambda clip: None)
    reader.join(300)
    assert not reader.is_alive()
    assert len(ended) == 1


class Angry:
    """A check that raises after a few frames, or reads twice, or not at all."""

    def __init__(self, how: str) -> None:
        self.how = how

    def __call__(self, name: str, clip: Clip) -> Any:
        from safegen.errors import CheckUnavailable
        from safegen.types import CheckRun

        if self.how == "raises":
            next(iter(clip))
            raise CheckUnavailable("the check broke")
        if self.how == "twice":
            assert [len(list(clip)), len(list(clip))] == [24, 24]
        return [], CheckRun(name, "1")


@pytest.mark.parametrize("how", ["raises", "twice", "never"])
def test_a_check_in_the_common_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, makers: dict[str, Callable[..., Any]], how: str
) -> None:
    from safegen.errors import CheckUnavailable
    from safegen.moderation import single_pass

    source = makers["film"](tmp_path / "a.mp4", count=24, size=(64, 96))
    footage = replace(open_footage(source), notes=[])
    made = UnmarkedClip(_preview_clip(footage), "protected", None, {})
    monkeypatch.setattr(single_pass, "run_check", Angry(how))

    def run() -> Any:
        return check_and_encode(
            made,
            footage,
            load("default"),
            tmp_path / "o.mp4",
            content_id=5,
            encoding=Encoding(preset="ultrafast"),
        )

    if how == "raises":
        with pytest.raises(CheckUnavailable, match="the check broke"):
            run()
    else:
        assert run().frames == 24
    assert Fraction(footage.rate) == 24
