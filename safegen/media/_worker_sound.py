"""The sandboxed worker's ``sound``: the first audio stream as plain samples."""

from __future__ import annotations

from typing import Any, BinaryIO

from safegen.media._child import Job, send


def run(container: Any, job: Job, out: BinaryIO) -> None:
    """Send the first audio stream as interleaved float32 blocks, at most two channels."""
    import av

    stream = next(iter(container.streams.audio), None)
    if stream is None:
        send(out, {"type": "end"})
        return
    rate, layout = stream.codec_context.sample_rate, "mono" if stream.channels == 1 else "stereo"
    resampler = av.AudioResampler(format="flt", layout=layout, rate=rate)
    channels, left = (1 if layout == "mono" else 2), int(job["max_samples"])
    for frame in container.decode(stream):
        for part in resampler.resample(frame):
            block = part.to_ndarray()
            left -= block.size // channels
            if left < 0:
                raise ValueError("the sound exceeds the length limit")
            head = {"type": "sound", "bytes": block.nbytes, "rate": rate, "channels": channels}
            send(out, head, memoryview(block).cast("B"))
    send(out, {"type": "end"})
