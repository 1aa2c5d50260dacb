import numpy as np
import pytest

from safegen.watermarks.tile import code

PAYLOADS = [0, 1, 2**64 - 1, 0x5AFE_0123_89AB_CDEF, 1 << 63]


def soft(payload: int, amplitude: float, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(code.CODED_BITS)
    return amplitude * (1.0 - 2.0 * code.encode(payload)) + noise


def test_crc16_reference_value():
    # CRC-16/IBM-3740 ("CCITT-FALSE") of "12345678"; its published check value is for "123456789".
    assert code.crc16(int.from_bytes(b"12345678", "big")) == 0xA12B


def test_single_bit_changes_are_caught():
    base = code.crc16(7)
    assert all(code.crc16(7 ^ (1 << i)) != base for i in range(64))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_clean_round_trip(payload: int):
    assert code.decode(1.0 - 2.0 * code.encode(payload))[0] == payload


def test_many_at_once_equals_one_by_one():
    ids = np.array(PAYLOADS, dtype=np.uint64)
    assert (code.encode_many(ids) == np.stack([code.encode(p) for p in PAYLOADS])).all()


def test_code_is_cyclic_under_tail_biting():
    word = code.encode(0x0123_4567_89AB_CDEF)
    info = code._info_bits(0x0123_4567_89AB_CDEF)
    assert (code._convolve(np.roll(info, 5)) == np.roll(word, 20)).all()


@pytest.mark.parametrize("seed", range(8))
def test_decodes_through_noise_stronger_than_the_signal(seed: int):
    assert code.decode(soft(PAYLOADS[3], 0.95, seed))[0] == PAYLOADS[3]


def test_exact_decoder_is_never_worse_and_its_metric_bounds_every_codeword():
    plain = exact = 0
    for seed in range(12):
        y = soft(PAYLOADS[3], 0.68, seed)
        got, metric = code.decode(y)
        best, payloads = code.ml_paths(y)
        plain += got == PAYLOADS[3]
        exact += PAYLOADS[3] in payloads[:1]
        assert best >= metric - 1e-3 or got is None
        assert best >= float(np.sum(y * (1 - 2.0 * code.encode(PAYLOADS[3])))) - 1e-2
    assert exact >= plain and exact >= 8


def test_noise_does_not_pass_the_crc():
    rng = np.random.default_rng(0)
    assert all(code.decode(rng.standard_normal(code.CODED_BITS))[0] is None for _ in range(50))


def test_payload_out_of_range():
    with pytest.raises(OverflowError):
        code.encode(1 << 64)


def test_many_looks_at_once_decode_as_one_by_one():
    looks = np.stack([soft(n * 0x9E3779B97F4A7C15 % (1 << 64), 0.2 * n, n) for n in range(9)])
    together = code.decode_many(looks)
    assert together == [code.decode(one) for one in looks]
    assert together[8][0] == 8 * 0x9E3779B97F4A7C15 % (1 << 64)
