"""The sandboxed worker's ``still``: the one picture of a PNG or JPEG, upright, with its colour profile."""

from __future__ import annotations

from typing import Any, BinaryIO

from safegen.media._child import Job, Refuse, send
from safegen.media.pyav import side_data

_KEPT = frozenset({"ICC_PROFILE", "DISPLAYMATRIX"})


def run(container: Any, job: Job, out: BinaryIO) -> None:
    """Send ``still``: pixels (grey, RGB or RGBA; 8 or 16 bit), then ``profile``: the ICC profile's bytes."""
    import numpy as np

    if not container.streams.video:
        raise LookupError("it contains no picture")
    stream = container.streams.video[0]
    frames = container.decode(stream)
    frame = next(frames, None)
    if frame is None:
        raise ValueError("the picture cannot be decoded")
    if frame.width * frame.height > int(job["max_pixels"]):
        raise Refuse(f"{frame.width}x{frame.height} is more than the limit of {job['max_pixels']} pixels")
    if next(frames, None) is not None:
        raise Refuse("it is an animation: it has more than one frame", "convert it to MP4 and protect that")
    if frame.is_corrupt:
        raise Refuse("the picture is damaged", "fetch it again")
    side = side_data(frame, _KEPT, stream.codec_context.name)
    turned = _upright(frame.to_ndarray(format=_form(frame)), side.get("DISPLAYMATRIX", b""))
    picture: Any = np.ascontiguousarray(turned)
    head = {"type": "still", "bits": picture.itemsize * 8, "bytes": picture.nbytes, "size": picture.shape}
    name = frame.format.name
    send(out, {**head, "subsampled": name.startswith(("yuv420", "yuvj420"))}, memoryview(picture).cast("B"))
    profile = side.get("ICC_PROFILE", b"")
    send(out, {"type": "profile", "bytes": len(profile)}, profile)


def _form(frame: Any) -> str:
    """The plain form that loses nothing."""
    parts = frame.format.components
    name = frame.format.name
    alpha = name == "pal8" or any(c.is_alpha for c in parts)
    deep = name != "pal8" and max(c.bits for c in parts) > 8
    if alpha:
        return "rgba64le" if deep else "rgba"
    if name.startswith(("gray", "mono")):
        return "gray16le" if deep else "gray"
    return "rgb48le" if deep else "rgb24"


def _upright(picture: Any, raw: bytes) -> Any:
    """The picture turned and mirrored as its display matrix (from EXIF) says; multiples of 90 degrees."""
    import numpy as np

    if len(raw) < 36:
        return picture
    m = [int.from_bytes(raw[i : i + 4], "little", signed=True) for i in (0, 4, 12, 16)]
    wanted = np.sign(np.array([[m[0], m[2]], [m[1], m[3]]]))
    for mirrored in (False, True):
        for quarter in range(4):
            turn = np.linalg.matrix_power(np.array([[0, 1], [-1, 0]]), quarter)
            step = turn @ np.diag([-1, 1]) if mirrored else turn
            if np.array_equal(step, wanted):
                shown = picture[:, ::-1] if mirrored else picture
                return np.rot90(shown, quarter)
    return picture
