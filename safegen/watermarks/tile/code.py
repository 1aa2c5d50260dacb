"""The payload's code: 64 bits + CRC-16, tail-biting convolutional K=9 rate 1/4, soft decoding.

CRC-16: x^16+x^12+x^5+1 (ITU-T V.41), initial value FFFF. Convolutional code: generators 765, 671,
513, 473 (octal), the K=9 rate-1/4 code of Proakis, "Digital Communications", table 8.2-3; tail-biting
after Ma & Wolf 1986; wrap-around decoding after Shao, Lin & Fossorier 2003. Both are linear over
GF(2) (the CRC up to a constant), so many ids are encoded at once by one matrix product.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CODED_BITS",
    "PAYLOAD_BITS",
    "crc16",
    "decode",
    "decode_many",
    "encode",
    "encode_many",
    "ml_paths",
]

PAYLOAD_BITS = 64
_CRC_BITS = 16
_INFO = PAYLOAD_BITS + _CRC_BITS
_MEMORY = 8
_STATES = 1 << _MEMORY
_GENERATORS = (0o765, 0o671, 0o513, 0o473)
_RATE = len(_GENERATORS)
CODED_BITS = _INFO * _RATE
_WRAP = 48


def crc16(payload: int) -> int:
    """CRC-16 (polynomial 1021 hex, initial FFFF) of the payload's 8 bytes, big-endian."""
    register = 0xFFFF
    for byte in payload.to_bytes(PAYLOAD_BITS // 8, "big"):
        register ^= byte << 8
        for _ in range(8):
            register = ((register << 1) ^ 0x1021 if register & 0x8000 else register << 1) & 0xFFFF
    return register


def _info_bits(payload: int) -> NDArray[np.uint8]:
    word = (payload << _CRC_BITS) | crc16(payload)
    return np.unpackbits(np.frombuffer(word.to_bytes(_INFO // 8, "big"), dtype=np.uint8))


def _convolve(info: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Tail-biting encoding of the last axis: (..., 80) -> (..., 320)."""
    out = np.zeros((*info.shape, _RATE), dtype=np.uint8)
    for delay in range(_MEMORY + 1):
        shifted = np.roll(info, delay, axis=-1)
        for j, generator in enumerate(_GENERATORS):
            if generator >> (_MEMORY - delay) & 1:
                out[..., j] ^= shifted
    return out.reshape(*info.shape[:-1], CODED_BITS)


def encode(payload: int) -> NDArray[np.uint8]:
    """The 320 coded bits (uint8, 0/1) of *payload*. Raises OverflowError outside [0, 2**64)."""
    return _convolve(_info_bits(payload))


@lru_cache(maxsize=1)
def _generator_matrix() -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    constant = encode(0)
    rows = np.stack([encode(1 << (PAYLOAD_BITS - 1 - i)) ^ constant for i in range(PAYLOAD_BITS)])
    return rows.astype(np.float32), constant


def encode_many(payloads: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Coded bits of many payloads: uint64 (n,) -> uint8 (n, 320)."""
    matrix, constant = _generator_matrix()
    raw = payloads.astype(">u8").view(np.uint8).reshape(-1, PAYLOAD_BITS // 8)
    bits = np.unpackbits(raw, axis=1).astype(np.float32)
    parity = (bits @ matrix).astype(np.int16) & 1
    return parity.astype(np.uint8) ^ constant


@lru_cache(maxsize=1)
def _trellis() -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Predecessors (256, 2) and the +-1 outputs (256, 2, 4) of the branches that enter each state.

    A state holds the last 8 input bits, the newest in the lowest place.
    """
    state = np.arange(_STATES)
    previous = np.stack([state >> 1, state >> 1 | _STATES >> 1], axis=1)
    register = previous << 1 | (state & 1)[:, None]
    outputs = np.empty((_STATES, 2, _RATE))
    for j, generator in enumerate(_GENERATORS):
        taps = int(f"{generator:09b}"[::-1], 2)
        bits = np.array([[bin(int(r) & taps).count("1") & 1 for r in row] for row in register])
        outputs[:, :, j] = 1.0 - 2.0 * bits
    return previous, outputs


def _check(bits: NDArray[np.uint8]) -> int | None:
    word = int.from_bytes(np.packbits(bits).tobytes(), "big")
    payload, crc = word >> _CRC_BITS, word & ((1 << _CRC_BITS) - 1)
    return payload if crc16(payload) == crc else None


def decode(soft: NDArray[np.float64]) -> tuple[int | None, float]:
    """Wrap-around Viterbi decoding of 320 soft values (positive = bit 0), and the found path's metric.

    The payload is ``None`` if the CRC fails. The metric, sum(soft * +-1 code bits), is close to the best
    codeword's.
    """
    return decode_many(soft[None])[0]


def decode_many(soft: NDArray[np.float64]) -> list[tuple[int | None, float]]:
    """``decode`` of every row of *soft* (n, 320), all in one pass over the trellis.

    The trellis runs 48 steps over each end, starting from no knowledge of the state.
    """
    previous, outputs = _trellis()
    columns = outputs.transpose(2, 1, 0).reshape(_RATE, 2 * _STATES)
    symbols = soft.reshape(len(soft), _INFO, _RATE)
    steps = np.arange(-_WRAP, _INFO + _WRAP) % _INFO
    metric = np.zeros((len(soft), _STATES))
    choice = np.empty((len(steps), len(soft), _STATES), dtype=bool)
    for t, step in enumerate(steps):
        # States 2s and 2s + 1 are entered from s and from s + 128.
        entered = np.repeat(metric.reshape(-1, 2, _STATES // 2), 2, axis=2)
        entered += (symbols[:, step] @ columns).reshape(-1, 2, _STATES)
        np.greater(entered[:, 1], entered[:, 0], out=choice[t])
        metric = entered.max(axis=1)
    row = np.arange(len(soft))
    state = metric.argmax(axis=1)
    bits = np.empty((len(steps), len(soft)), dtype=np.uint8)
    for t in range(len(steps) - 1, -1, -1):
        bits[t] = state & 1
        state = previous[state, choice[t, row, state].astype(np.int64)]
    info = np.ascontiguousarray(bits[_WRAP : _WRAP + _INFO].T)
    value = np.sum(soft * (1.0 - 2.0 * _convolve(info)), axis=1)
    return [(_check(one), float(v)) for one, v in zip(info, value, strict=True)]


def ml_paths(soft: NDArray[np.float64], offset: int = 0, least: float = -np.inf) -> tuple[float, list[int]]:
    """The best tail-biting path through every state at time *offset*, all of them exact.

    Gives the best metric and, best first, the payloads whose CRC holds.
    Exact maximum likelihood: one Viterbi pass per state, all 256 at once. Metric = sum(soft * +-1 code
    bits); no codeword has a higher one. Payloads best first, of paths whose metric is at least *least*.
    Over several offsets the paths are a list decoder: each alternative is the best one with an error
    event across that instant.
    """
    previous, outputs = _trellis()
    symbols = np.roll(soft.reshape(_INFO, _RATE), -offset, axis=0).astype(np.float32)
    branch = np.einsum("tj,spj->tsp", symbols, outputs.astype(np.float32))
    metric = np.full((_STATES, _STATES), -1e9, dtype=np.float32)
    np.fill_diagonal(metric, 0.0)
    choice = np.empty((_INFO, _STATES, _STATES), dtype=bool)
    for t in range(_INFO):
        low = metric[previous[:, 0]] + branch[t, :, 0, None]
        high = metric[previous[:, 1]] + branch[t, :, 1, None]
        np.greater(high, low, out=choice[t])
        metric = np.maximum(low, high)
    start = np.arange(_STATES)
    state = start.copy()
    bits = np.empty((_INFO, _STATES), dtype=np.uint8)
    for t in range(_INFO - 1, -1, -1):
        bits[t] = state & 1
        state = previous[state, choice[t, state, start].astype(np.int64)]
    bits = np.roll(bits, offset, axis=0)
    final = metric[start, start]
    found = [_check(bits[:, s]) for s in np.argsort(-final) if final[s] >= least]
    return float(final.max()), [p for p in found if p is not None]
