"""Searching by pictures: what is found, what is not, and an index that is never believed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from safegen.detectors.provenance._buckets import REACH
from safegen.detectors.provenance.content import compute_descriptors
from safegen.detectors.provenance.fingerprint import CodeQuery, picture_code
from safegen.detectors.provenance.index import LARGE, Index, IndexedRange, Table
from safegen.detectors.provenance.search import search
from safegen.errors import LedgerError
from safegen.ledger import Ledger
from safegen.ledger.records import ReleaseRecord
from safegen.types import FrameSample
from safegen.verification import content_index


def scene(seed: int, count: int = 12) -> FrameSample:
    """A textured place with a bright thing crossing it, other for every seed."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (7, 12, 3), dtype=np.uint8)
    ground = cv2.resize(coarse, (320, 180), interpolation=cv2.INTER_CUBIC)
    frames = np.stack([ground] * count)
    for n, frame in enumerate(frames):
        cv2.circle(frame, (40 + 20 * n, 60 + 5 * seed), 18, (250, 240, 60), -1, cv2.LINE_AA)
    times = tuple(n / 12 for n in range(count))
    return FrameSample(frames, times, (True,) * count, 320, 180, 12.0, count / 12)


def jpeg(sample: FrameSample, quality: int = 40) -> FrameSample:
    flags = [cv2.IMWRITE_JPEG_QUALITY, quality]
    frames = [cv2.imdecode(cv2.imencode(".jpg", f, flags)[1], cv2.IMREAD_COLOR) for f in sample.frames]
    return replace(sample, frames=np.stack(frames))


def mirrored(sample: FrameSample) -> FrameSample:
    return replace(sample, frames=np.ascontiguousarray(sample.frames[:, :, ::-1]))


def cropped(sample: FrameSample, share: float, x: float = 0.5, y: float = 0.5) -> FrameSample:
    height, width = sample.frames.shape[1:3]
    high, wide = round(height * share), round(width * share)
    top, left = round((height - high) * y), round((width - wide) * x)
    cut = np.ascontiguousarray(sample.frames[:, top : top + high, left : left + wide])
    return replace(sample, frames=cut, width=wide, height=high)


def boxed(sample: FrameSample) -> FrameSample:
    frames = [cv2.copyMakeBorder(f, 30, 30, 0, 0, cv2.BORDER_CONSTANT) for f in sample.frames]
    return replace(sample, frames=np.stack(frames), height=sample.height + 60)


SEEDS = range(8)


@pytest.fixture(scope="module")
def recorded() -> dict[int, bytes]:
    return {10 + seed: compute_descriptors(scene(seed)).to_bytes() for seed in SEEDS}


@pytest.fixture(scope="module")
def index(recorded: dict[int, bytes]) -> Index:
    made = Index(IndexedRange("example.com/log", 18, "00"))
    for number, packed in recorded.items():
        made.add(number, packed)
    return made


@pytest.mark.parametrize(
    "edit",
    [
        jpeg,
        mirrored,
        boxed,
        lambda s: mirrored(boxed(jpeg(s))),
        lambda s: replace(s, frames=np.clip(s.frames * 0.7 + 20, 0, 255).astype(np.uint8)),
        lambda s: replace(s, frames=s.frames[4:5], times=(0.0,), keyframe=(True,), seconds=1 / 12),
    ],
    ids=["jpeg", "mirrored", "boxed", "mirrored-boxed", "brighter", "one-picture"],
)
def test_whole_copies_are_found(index: Index, recorded: dict[int, bytes], edit) -> None:
    for seed in (0, 3):
        found = search(index, recorded.__getitem__, edit(scene(seed)))
        assert [m.index for m in found] == [10 + seed] and not found[0].cropped


@pytest.mark.parametrize(("share", "x", "y"), [(0.9, 0.5, 0.5), (0.8, 0.2, 0.9), (0.75, 0.6, 0.3)])
def test_crops_are_found(index: Index, recorded: dict[int, bytes], share: float, x: float, y: float) -> None:
    found = search(index, recorded.__getitem__, mirrored(cropped(scene(2), share, x, y)))
    assert [m.index for m in found] == [12] and found[0].cropped and found[0].mirrored


def test_other_pictures_are_not_found(index: Index, recorded: dict[int, bytes]) -> None:
    for seed in range(20, 26):
        assert search(index, recorded.__getitem__, scene(seed)) == []
    flat = scene(0)
    assert search(index, recorded.__getitem__, replace(flat, frames=np.full_like(flat.frames, 90))) == []


def test_a_candidate_counts_only_if_the_record_agrees(index: Index, recorded: dict[int, bytes]) -> None:
    """The index says release 10; what the ledger has under 10 is something else."""
    assert search(index, lambda _: recorded[15], scene(0)) == []
    assert search(index, lambda _: b"", scene(0)) == []


def test_the_table_finds_what_counting_every_bit_finds() -> None:
    rng = np.random.default_rng(5)
    table = Table()
    codes = rng.integers(0, 2**64, (70_000, 4), dtype=np.uint64)
    table.add(-1, [])
    for number, code in enumerate(codes):
        table.add(number, [code])
    query = codes[41_234].copy()
    for bit in rng.choice(256, 30, replace=False):
        query[bit // 64] ^= np.uint64(1 << int(bit % 64))
    found = table.nearest_rows(CodeQuery(query, False))
    assert [(n.index, n.bits) for n in found] == [(41_234, 30)]


def flipped(code: np.ndarray, bits: list[int]) -> np.ndarray:
    out = code.copy()
    for bit in bits:
        out[bit // 64] ^= np.uint64(1 << (bit % 64))
    return out


@pytest.mark.parametrize(("first", "rest"), [(0, 0), (1, 30), (3, 40)])
def test_buckets_find_what_reading_every_row_finds(first: int, rest: int) -> None:
    rng = np.random.default_rng(6)
    table = Table()
    codes = rng.integers(0, 2**64, (4, LARGE), dtype=np.uint64)
    codes[:, 77] = flipped(codes[:, 4321], [17, 99, 200])
    table.fill(codes, np.arange(LARGE, dtype=np.int64) * 10)
    changed = [*rng.choice(16, first, replace=False), *(16 + rng.choice(240, rest, replace=False))]
    query = CodeQuery(flipped(codes[:, 4321], [int(b) for b in changed]), True)
    quick, whole = (
        sorted((n.index, n.bits) for n in table.nearest_rows(query, quick=q)) for q in (True, False)
    )
    assert quick == whole and (43_210, first + rest) in quick and 770 in [index for index, _ in quick]


def test_buckets_reach_so_far_and_no_further_and_keep_up_with_the_table() -> None:
    rng = np.random.default_rng(7)
    table = Table()
    codes = rng.integers(0, 2**64, (4, LARGE), dtype=np.uint64)
    table.fill(codes, np.arange(LARGE, dtype=np.int64))
    far = CodeQuery(flipped(codes[:, 9], list(range(REACH + 1))), False)
    assert [n.index for n in table.nearest_rows(far)] == [9] and table.nearest_rows(far, quick=True) == []
    new = rng.integers(0, 2**64, 4, dtype=np.uint64)
    assert table.nearest_rows(CodeQuery(new, False), quick=True) == []
    table.add(LARGE + 5, [new])
    assert [(n.index, n.bits) for n in table.nearest_rows(CodeQuery(new, False), quick=True)] == [
        (LARGE + 5, 0)
    ]


def test_small_tables_are_read_whole() -> None:
    table = Table()
    code = np.arange(4, dtype=np.uint64)
    table.add(3, [code])
    far = CodeQuery(flipped(code, list(range(REACH + 4))), False)
    assert [n.index for n in table.nearest_rows(far, quick=True)] == [3]
    assert Table().nearest_rows(far, quick=True) == [] and Table().nearest_rows(far) == []


def test_a_flat_picture_has_no_code() -> None:
    assert picture_code(np.full((48, 64), 7, np.uint8)) is None


def test_file_of_the_index(index: Index) -> None:
    data = index.to_bytes()
    again = Index.from_bytes(data)
    assert again is not None and again.upto == index.upto
    assert np.array_equal(again.whole.codes, index.whole.codes) and len(again.inner) == len(index.inner)
    for at in range(0, len(data), 97):
        broken = bytearray(data)
        broken[at] ^= 0x40
        read = Index.from_bytes(bytes(broken))
        assert read is None or read.upto != index.upto or data[at] in b'{}":, ', at
    assert Index.from_bytes(data[:-1]) is None and Index.from_bytes(b"") is None


# --- beside a ledger ------------------------------------------------------------------------------


def release(ledger: Ledger, packed: bytes) -> int:
    record = ReleaseRecord(f"urn:c2pa:{len(ledger)}", b"manifest", len(ledger), "tile", descriptors=packed)
    sha256 = f"{len(ledger):064x}"
    with ledger.transaction() as transaction:
        return transaction.release(record, sha256=sha256, size=1)


@pytest.fixture
def ledger(tmp_path: Path):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from safegen.ledger import LogSigner

    key = LogSigner("example.com/log", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    with Ledger.open(tmp_path / "ledger.db", signer=key, checkpoint_dir=tmp_path / "checkpoints") as opened:
        yield opened


def test_kept_beside_the_ledger_and_brought_up_to_date(ledger: Ledger, tmp_path: Path) -> None:
    file = tmp_path / content_index.INDEX_NAME
    first = release(ledger, compute_descriptors(scene(0)).to_bytes())
    assert [m.index for m in content_index.search_releases(ledger, jpeg(scene(0)), file)] == [first]
    assert file.stat().st_mode & 0o777 == 0o600
    release(ledger, b"")
    second = release(ledger, compute_descriptors(scene(1)).to_bytes())
    assert [m.index for m in content_index.search_releases(ledger, jpeg(scene(1)), file)] == [second]
    kept = Index.from_bytes(file.read_bytes())
    assert kept is not None and kept.upto.size == len(ledger) and set(kept.whole.releases) == {first, second}
    assert [p.name for p in tmp_path.glob(".fingerprints*")] == []


@pytest.mark.parametrize("harm", ["gone", "torn", "junk", "other", "longer", "poisoned", "folder"])
def test_an_index_that_cannot_be_used_is_built_anew(ledger: Ledger, tmp_path: Path, harm: str) -> None:
    file = tmp_path / content_index.INDEX_NAME
    number = release(ledger, compute_descriptors(scene(0)).to_bytes())
    content_index.open_index(ledger, file)
    data = file.read_bytes()
    file.unlink()
    kept = Index.from_bytes(data)
    assert kept is not None
    if harm == "torn":
        file.write_bytes(data[: len(data) // 2])
    elif harm == "junk":
        file.write_bytes(b"\0" * 4096)
    elif harm == "other":
        file.write_bytes(replace(kept, upto=replace(kept.upto, leaf="0" * 64)).to_bytes())
    elif harm == "longer":
        file.write_bytes(replace(kept, upto=replace(kept.upto, size=99)).to_bytes())
    elif harm == "poisoned":  # sound in itself, but it sends us to an entry that is no release
        bad = Index(kept.upto)
        bad.add(number + 7, compute_descriptors(scene(0)).to_bytes())
        file.write_bytes(bad.to_bytes())
    elif harm == "folder":
        file.mkdir()
    assert [m.index for m in content_index.search_releases(ledger, jpeg(scene(0)), file)] == [number]


def test_damaged_descriptors_do_not_answer_no(ledger: Ledger, tmp_path: Path) -> None:
    release(ledger, b"not descriptors")
    with pytest.raises(LedgerError, match="damaged"):
        content_index.search_releases(ledger, scene(0), tmp_path / content_index.INDEX_NAME)
