"""Transport streams are found by their rhythm, from wherever in one the bytes begin; nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from safegen.credentials.formats import HEAD, detect
from safegen.media.transport import find_packets
from tests.support.capabilities.make import Film, write_film


@pytest.fixture(scope="module")
def streams(tmp_path_factory: pytest.TempPathFactory) -> dict[int, bytes]:
    folder = tmp_path_factory.mktemp("streams")
    found = {}
    for length, muxer in ((188, ()), (192, (("mpegts_m2ts_mode", "1"),))):
        path = folder / f"{length}.ts"
        write_film(Film("ts", "mpegts", "mpeg2video", rate=25, muxer=muxer), path)
        found[length] = path.read_bytes()
    packets = (found[188][at : at + 188] for at in range(0, len(found[188]), 188))
    found[204] = b"".join(packet + bytes(16) for packet in packets)
    return found


@pytest.mark.parametrize("length", [188, 192, 204])
@pytest.mark.parametrize("skipped", [0, 1, 3, 4, 5, 100, 187, 188, 191])
def test_a_stream_is_known_wherever_it_was_entered(
    streams: dict[int, bytes], tmp_path: Path, length: int, skipped: int
) -> None:
    data = streams[length][skipped:]
    found = find_packets(data[:HEAD])
    assert found is not None and found[1] == length
    assert (found[0] + skipped) % length == 0 and 0 <= found[0] < length
    (tmp_path / "a").write_bytes(data)
    assert detect(tmp_path / "a").mime == "video/mp2t"


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"G",
        b"G" * 4096,
        b"GIF89a" * 700,
        b"G@" + bytes(4094),
        bytes(4096),
        (b"G@\0\x10" + bytes(184)) * 3,
    ],
    ids=["nothing", "one byte", "letters", "GIF", "one packet", "zeros", "three packets"],
)
def test_other_bytes_are_no_stream(head: bytes) -> None:
    assert find_packets(head) is None


def test_one_packet_out_of_step_is_no_stream(streams: dict[int, bytes]) -> None:
    data = bytearray(streams[188][:HEAD])
    data[188 * 7] = 0x46
    assert find_packets(bytes(data)) is None
