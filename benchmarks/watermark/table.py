"""The attack table: which attacks are run, by name, in the order they are printed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.watermark import edits as e
from benchmarks.watermark.attacks import Attack, Codec

__all__ = ["ATTACKS", "PEERS"]


def _turned(quarter_turns: int, mirrored: bool) -> Attack:
    def edit(frames: e.Frames) -> e.Frames:
        out = np.rot90(frames, quarter_turns, axes=(1, 2))
        return np.ascontiguousarray(out[:, :, ::-1] if mirrored else out)

    return Attack(edit)


def _encoded(codec: Codec, *rates: int) -> dict[str, Attack]:
    names = {"libx264": "h264", "libx265": "h265", "libvpx-vp9": "vp9", "libsvtav1": "av1"}
    return {f"{names[codec.name]}_crf{r}": Attack(e.same, replace(codec, crf=r)) for r in rates}


_X265 = Codec("libx265", extra={"x265-params": "log-level=error:pools=1"})
_VP9 = Codec("libvpx-vp9", preset=None, extra={"b": "0", "cpu-used": "6", "row-mt": "0"})
_AV1 = Codec("libsvtav1", preset="10", extra={"svtav1-params": "lp=1"})

ATTACKS: dict[str, Attack] = {
    "none": Attack(e.same, None),
    **_encoded(Codec(), 18, 23, 28, 33, 36, 40, 45),
    "h264_veryfast_28": Attack(e.same, Codec(crf=28, preset="veryfast")),
    **_encoded(_X265, 28, 34, 40),
    **_encoded(_VP9, 32, 40, 50),
    **_encoded(_AV1, 32, 40, 50),
    "resize_75": Attack(e.resize(0.75)),
    "resize_50": Attack(e.resize(0.5)),
    "resize_35": Attack(e.resize(0.35)),
    "crop_90": Attack(e.crop(0.9)),
    "crop_75": Attack(e.crop(0.75)),
    "crop_50": Attack(e.crop(0.5)),
    "crop_40": Attack(e.crop(0.4)),
    "aspect_120": Attack(e.resize(1.0, 0.83)),
    "rotate_2": Attack(e.rotate(2)),
    "rotate_5": Attack(e.rotate(5)),
    "rotate_10": Attack(e.rotate(10)),
    "flip_h": _turned(0, True),
    "flip_v": _turned(2, True),
    "turn_90": _turned(1, False),
    "turn_180": _turned(2, False),
    "turn_270_flip": _turned(3, True),
    "letterbox": Attack(e.letterbox(1.0)),
    "letterbox_4_3": Attack(e.letterbox(4 / 3)),
    "perspective_2": Attack(e.perspective(0.02)),
    "perspective_5": Attack(e.perspective(0.05)),
    "brighter": Attack(e.gain(1.1, 15)),
    "gamma_1.4": Attack(e.gain(1.0, 0, 1.4)),
    "grey": Attack(e.each(e.grey)),
    "negative": Attack(e.gain(-1.0, 255)),
    "noise_10": Attack(e.noise(10)),
    "noise_20": Attack(e.noise(20)),
    "blur_1.5": Attack(e.blur(1.5)),
    "logo_25": Attack(e.logo(0.25)),
    "logo_50": Attack(e.logo(0.5)),
    "sharpen": Attack(e.sharpen(0.8)),
    "denoise": Attack(e.denoise),
    "fps_double": Attack(e.repeat(2), fps_scale=2.0),
    "fps_60pct": Attack(e.drop(0.6), fps_scale=0.6),
    "trim_8": Attack(e.trim(8)),
    "one_frame_png": Attack(e.trim(1), None),
    "one_frame_jpeg50": Attack(e.jpeg(50), None),
    "resize50_crop90_crf33": Attack(e.then(e.resize(0.5), e.crop(0.9)), Codec(crf=33)),
    "resize50_crf33": Attack(e.resize(0.5), Codec(crf=33)),
    "crop75_crf33": Attack(e.crop(0.75), Codec(crf=33)),
    "resize75_letterbox_crf28": Attack(e.then(e.resize(0.75), e.letterbox(1.0)), Codec(crf=28)),
    "fliph_crop90_gamma_crf28": Attack(
        e.then(e.each(lambda f: f[:, ::-1]), e.crop(0.9), e.gain(1.0, 5, 1.2)), Codec(crf=28)
    ),
    "crop75_rotate5_crf28": Attack(e.then(e.rotate(5), e.crop(0.75)), Codec(crf=28)),
}
"""Name -> attack. Where no codec is named the edit is followed by H.264 CRF 23, medium."""

PEERS = (
    "none",
    "h264_crf18",
    "h264_crf23",
    "h264_crf28",
    "h264_crf33",
    "h265_crf28",
    "vp9_crf40",
    "av1_crf40",
    "resize_50",
    "crop_75",
    "rotate_5",
    "flip_h",
    "one_frame_jpeg50",
)
"""What schemes that take seconds a frame are put through unless attacks are named."""
