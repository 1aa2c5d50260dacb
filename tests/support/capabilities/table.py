"""Every case of the capability matrix, in the order of its page."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.support.capabilities import pictures
from tests.support.capabilities.make import Case, Film, Sound, write_film

_CODECS: dict[tuple[str, str], tuple[str, ...]] = {
    ("mp4", "mp4"): ("libx264", "libx265", "mpeg4", "libsvtav1", "libvpx-vp9", "mpeg2video", "mjpeg"),
    ("mov", "mov"): ("libx264", "prores_ks", "mjpeg", "qtrle", "png", "dnxhd", "mpeg4"),
    ("mkv", "matroska"): (
        "libx264",
        "libx265",
        "libvpx",
        "libvpx-vp9",
        "ffv1",
        "mpeg4",
        "mpeg2video",
        "mpeg1video",
        "mjpeg",
        "prores_ks",
        "snow",
        "libsvtav1",
    ),
    ("webm", "webm"): ("libvpx", "libvpx-vp9", "libsvtav1"),
    ("avi", "avi"): (
        "libx264",
        "mpeg4",
        "mjpeg",
        "ffv1",
        "huffyuv",
        "rawvideo",
        "msmpeg4",
        "msmpeg4v2",
        "wmv2",
        "utvideo",
        "cinepak",
        "mpeg2video",
        "ffvhuff",
        "flv",
    ),
    ("ts", "mpegts"): ("libx264", "libx265", "mpeg2video", "mpeg1video", "mpeg4"),
    ("mpg", "mpeg"): ("mpeg1video", "mpeg2video"),
    ("vob", "vob"): ("mpeg2video",),
    ("flv", "flv"): ("flv", "libx264"),
    ("wmv", "asf"): ("wmv1", "wmv2", "msmpeg4", "libx264"),
    ("mxf", "mxf"): ("mpeg2video",),
    ("ivf", "ivf"): ("libvpx", "libvpx-vp9", "libsvtav1"),
    ("3gp", "3gp"): ("libx264", "mpeg4", "h263"),
    ("264", "h264"): ("libx264",),
    ("265", "hevc"): ("libx265",),
    ("m2v", "mpeg2video"): ("mpeg2video",),
    ("obu", "obu"): ("libsvtav1",),
    ("y4m", "yuv4mpegpipe"): ("wrapped_avframe",),
}
_PIXELS = {
    "prores_ks": "yuv422p10le",
    "qtrle": "rgb24",
    "png": "rgb24",
    "mjpeg": "yuvj420p",
    "cinepak": "rgb24",
    "huffyuv": "yuv422p",
    "dnxhd": "yuv422p",
}
_SIZES = {"dnxhd": (1280, 720), "h263": (176, 144)}
_RATES = {"mpeg2video": 25, "mpeg1video": 25, "dnxhd": 25}
_OPTIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "libsvtav1": (("preset", "12"),),
    "libx264": (("preset", "veryfast"),),
    "libx265": (("preset", "ultrafast"), ("x265-params", "log-level=none:pools=1:frame-threads=1")),
    "dnxhd": (("b", "120M"),),
    "snow": (("strict", "-2"),),
}
_FORMATS = (
    "yuv422p",
    "yuv444p",
    "yuv410p",
    "yuv411p",
    "yuv440p",
    "yuva420p",
    "yuva444p",
    "yuv420p10le",
    "yuv422p10le",
    "yuv444p10le",
    "yuv420p12le",
    "yuv420p16le",
    "yuv444p16le",
    "gray",
    "gray10le",
    "gray16le",
    "bgr0",
    "bgra",
    "gbrp10le",
    "gbrp16le",
    "rgb48le",
    "rgba64le",
)
_RAW = ("yuyv422", "uyvy422", "rgb24", "bgr24", "nv12", "rgb555le", "gray")
_SOUNDS = (
    "aac",
    "libmp3lame",
    "mp2",
    "ac3",
    "eac3",
    "flac",
    "alac",
    "libopus",
    "tta",
    "wavpack",
    "pcm_s16le",
    "pcm_s24le",
    "pcm_s32le",
    "pcm_f32le",
    "pcm_u8",
)
_LAYOUTS = (
    ("pcm_s16le", "5.1"),
    ("pcm_f32le", "5.1"),
    ("pcm_f32le", "2.1"),
    ("aac", "5.1"),
    ("flac", "quad"),
    ("libopus", "5.1"),
)
_RATED = (("pcm_f32le", 96000), ("pcm_f32le", 22050), ("pcm_f32le", 8000), ("pcm_f32le", 7000))
_OTHER_SOUND = (
    ("mov", "mov", "libx264", "pcm_s16be"),
    ("mov", "mov", "libx264", "alac"),
    ("mov", "mov", "libx264", "pcm_alaw"),
    ("avi", "avi", "mpeg4", "libmp3lame"),
    ("avi", "avi", "mpeg4", "pcm_s16le"),
    ("avi", "avi", "mpeg4", "adpcm_ms"),
    ("avi", "avi", "mpeg4", "ac3"),
    ("avi", "avi", "mpeg4", "pcm_mulaw"),
    ("ts", "mpegts", "libx264", "aac"),
    ("ts", "mpegts", "libx264", "mp2"),
    ("ts", "mpegts", "libx264", "ac3"),
    ("flv", "flv", "flv", "libmp3lame"),
    ("flv", "flv", "flv", "adpcm_swf"),
    ("flv", "flv", "flv", "nellymoser"),
    ("webm", "webm", "libvpx", "libopus"),
    ("mp4", "mp4", "libx264", "aac"),
    ("mp4", "mp4", "libx264", "libopus"),
    ("mxf", "mxf", "mpeg2video", "pcm_s16le"),
    ("avi", "avi", "mpeg4", "pcm_alaw"),
    ("avi", "avi", "mpeg4", "adpcm_ima_wav"),
    ("mov", "mov", "libx264", "adpcm_ima_qt"),
    ("mov", "mov", "libx264", "pcm_mulaw"),
    ("mpg", "mpeg", "mpeg2video", "mp2"),
)
_MP4_EXTRAS = (
    "turned 90",
    "turned 180",
    "turned 270",
    "mirrored",
    "chapters",
    "metadata",
    "mov_text",
    "two videos",
    "full range",
    "anamorphic",
    "uneven times",
)
_TEXTS = ("subrip", "ass", "webvtt")
_M2TS = (("mpegts_m2ts_mode", "1"),)
_FRAGMENTS = (("movflags", "frag_keyframe+empty_moov+default_base_moof"),)


def cases() -> list[Case]:
    """All of them."""
    return [*_films(), *pictures.cases()]


def _film(
    suffix: str, form: str, codec: str, beside: str = "", *, sound: Sound | None = None, **more: object
) -> Case:
    pixels = str(more.pop("pixels", _PIXELS.get(codec, "yuv420p")))
    options = (*_OPTIONS.get(codec, ()), *more.pop("options", ()))  # type: ignore[misc]
    size = more.pop("size", _SIZES.get(codec, (96, 64)))
    extras = (*more.pop("extras", ()), *((beside,) if beside else ()))  # type: ignore[misc]
    film = Film(
        suffix,
        form,
        codec,
        pixels,
        sound,
        size,
        options=options,
        extras=extras,  # type: ignore[arg-type]
        rate=_RATES.get(codec, 12),
        **more,
    )  # type: ignore[arg-type]
    heard = f"{sound.codec.removeprefix('lib')} {sound.rate} Hz {sound.layout}" if sound else ""
    return Case(form, codec.removeprefix("lib"), pixels, heard, beside, suffix, partial(_write, film))


def _write(film: Film, path: Path) -> None:
    write_film(film, path)


def _films() -> Iterator[Case]:
    for (suffix, form), codecs in _CODECS.items():
        for codec in codecs:
            yield _film(suffix, form, codec)
    for pixels in _FORMATS:
        yield _film("mkv", "matroska", "ffv1", pixels=pixels)
    for pixels in _RAW:
        yield _film(
            "mov" if pixels in ("yuyv422", "uyvy422") else "avi",
            "mov" if pixels in ("yuyv422", "uyvy422") else "avi",
            "rawvideo",
            pixels=pixels,
        )
    for codec in _SOUNDS:
        rate = {"g722": 16000, "libspeex": 16000}.get(codec, 48000)
        layout = "mono" if codec in ("g722", "libspeex") else "stereo"
        yield _film("mkv", "matroska", "libx264", sound=Sound(codec, rate, layout))
    for codec, layout in _LAYOUTS:
        yield _film("mkv", "matroska", "libx264", sound=Sound(codec, 48000, layout))
    for codec, rate in _RATED:
        yield _film("mkv", "matroska", "libx264", sound=Sound(codec, rate, "mono"))
    for suffix, form, codec, heard in _OTHER_SOUND:
        rate, layout = (
            (44100, "mono") if form == "flv" or "adpcm" in heard or "law" in heard else (48000, "stereo")
        )
        yield _film(suffix, form, codec, sound=Sound(heard, rate, layout))
    for extra in _MP4_EXTRAS:
        yield _film("mp4", "mp4", "libx264", extra)
    for text in _TEXTS:
        yield _film("mkv", "matroska", "libx264", text)
    for extra in ("PQ", "HLG"):
        yield _film("mp4", "mp4", "libx265", extra, pixels="yuv420p10le")
        yield _film("mp4", "mp4", "libx265", extra, pixels="yuv420p")
    yield _film("mp4", "mp4", "libx265", "10 bit", pixels="yuv420p10le")
    yield _film("mts", "mpegts", "libx264", "192-byte packets", muxer=_M2TS)
    yield _film("mp4", "mp4", "libx264", "fragmented", muxer=_FRAGMENTS)
    for suffix, form, codec in (
        ("mp4", "mp4", "libx264"),
        ("avi", "avi", "mpeg4"),
        ("mkv", "matroska", "libvpx"),
        ("ts", "mpegts", "mpeg2video"),
    ):
        yield _film(suffix, form, codec, "one picture", frames=1)
        yield _film(suffix, form, codec, "two pictures", frames=2)
    yield _film("avi", "avi", "libx264", "B-frames", options=(("bf", "3"),), frames=24)
    yield _film("avi", "avi", "mpeg4", "B-frames", options=(("bf", "2"),), frames=24)
    yield _film("mp4", "mp4", "libx264", "odd size", size=(97, 65), pixels="yuv444p")
    for fields in ("tff", "bff"):
        yield _film(
            "mp4", "mp4", "libx264", f"interlaced, {fields}", options=(("x264-params", f"{fields}=1"),)
        )
