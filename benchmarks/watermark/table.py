"""The attack table: which attacks are run, by name, in the order they are printed."""

from __future__ import annotations

import numpy as np

from benchmarks.watermark import attacks as a
from benchmarks.watermark.attacks import Attack, Codec

_RAW = None


def _turned(quarter_turns: int, mirrored: bool) -> Attack:
    def edit(frames: a.Frames) -> a.Frames:
        out = np.rot90(frames, quarter_turns, axes=(1, 2))
        return np.ascontiguousarray(out[:, :, ::-1] if mirrored else out)

    return Attack(edit)


ATTACKS: dict[str, Attack] = {
    "none": Attack(a.same, _RAW),
    **{f"h264_crf{c}": Attack(a.same, Codec(crf=c)) for c in (18, 23, 28, 33, 36, 40)},
    "h264_veryfast_28": Attack(a.same, Codec(crf=28, preset="veryfast")),
    "h265_crf28": Attack(a.same, Codec("libx265", 28, "medium", {"x265-params": "log-level=error:pools=1"})),
    "h265_crf34": Attack(a.same, Codec("libx265", 34, "medium", {"x265-params": "log-level=error:pools=1"})),
    "vp9_crf40": Attack(a.same, Codec("libvpx-vp9", 40, None, {"b": "0", "cpu-used": "6", "row-mt": "0"})),
    "av1_crf40": Attack(a.same, Codec("libsvtav1", 40, "10", {"svtav1-params": "lp=1"})),
    "resize_75": Attack(a.resize(0.75)),
    "resize_50": Attack(a.resize(0.5)),
    "resize_35": Attack(a.resize(0.35)),
    "crop_90": Attack(a.crop(0.9)),
    "crop_75": Attack(a.crop(0.75)),
    "crop_50": Attack(a.crop(0.5)),
    "crop_40": Attack(a.crop(0.4)),
    "aspect_120": Attack(a.resize(1.0, 0.83)),
    "rotate_2": Attack(a.rotate(2)),
    "rotate_5": Attack(a.rotate(5)),
    "rotate_10": Attack(a.rotate(10)),
    "flip_h": _turned(0, True),
    "flip_v": _turned(2, True),
    "turn_90": _turned(1, False),
    "turn_180": _turned(2, False),
    "turn_270_flip": _turned(3, True),
    "letterbox": Attack(a.letterbox(1.0)),
    "brighter": Attack(a.gain(1.1, 15)),
    "gamma_1.4": Attack(a.gain(1.0, 0, 1.4)),
    "grey": Attack(a.each(a.grey)),
    "negative": Attack(a.gain(-1.0, 255)),
    "noise_10": Attack(a.noise(10)),
    "noise_20": Attack(a.noise(20)),
    "blur_1.5": Attack(a.blur(1.5)),
    "logo_25": Attack(a.logo(0.25)),
    "fps_60pct": Attack(a.drop(0.6), fps_scale=0.6),
    "trim_8": Attack(a.trim(8)),
    "one_frame_png": Attack(a.trim(1), _RAW),
    "one_frame_jpeg50": Attack(a.jpeg(50), _RAW),
    "resize50_crop90_crf33": Attack(a.then(a.resize(0.5), a.crop(0.9)), Codec(crf=33)),
    "crop75_rotate5_crf28": Attack(a.then(a.rotate(5), a.crop(0.75)), Codec(crf=28)),
}
"""Name -> attack. Where no codec is named the edit is followed by H.264 CRF 23, medium."""
