"""MPEG transport streams (ISO/IEC 13818-1): found by their rhythm, wherever in one the bytes begin."""

from __future__ import annotations

_SYNC = 0x47
LENGTHS = (188, 192, 204)
"""Bytes of a packet: as defined, with a time stamp before it (Blu-ray, AVCHD), with error correction."""
_CONTENT = 0x30
"""Bits of a packet's fourth byte that say whether it has a payload, more header, or both."""
_FEWEST = 4
"""Packets that must follow each other before anything is taken for a stream."""
_MOST_ASIDE = 204


def find_packets(head: bytes) -> tuple[int, int] | None:
    """(offset, length) of the first whole packet and of all in *head*, the beginning of a file; else None.

    Every packet in *head* must begin with the sync byte, there must be at least four, and not all the same.
    """
    for length in LENGTHS:
        for first in range(min(length, _MOST_ASIDE)):
            marks = head[first::length]
            controls = head[first + 3 :: length]  # 0 is reserved: a text full of the letter G has it
            if len(marks) < _FEWEST or set(marks) != {_SYNC} or not all(c & _CONTENT for c in controls):
                continue
            # Words that repeat have a rhythm, too, but then nothing changes from one packet to the next.
            if len({head[at : at + length] for at in range(first, len(head) - length + 1, length)}) > 1:
                return _start_of(first, length), length
    return None


def _start_of(sync: int, length: int) -> int:
    """Where the first whole packet begins whose sync byte is at *sync*."""
    if length != 192:
        return sync
    return sync - 4 if sync >= 4 else sync - 4 + length  # four bytes of time stamp come first
