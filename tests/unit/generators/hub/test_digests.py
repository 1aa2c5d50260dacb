"""Digests of weights: altered, missing and added files are refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from safegen.errors import GenerationFailed
from safegen.generators.hub import digests


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "vae").mkdir()
    (tmp_path / "model_index.json").write_text("{}")
    (tmp_path / "vae" / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "README.md").write_text("a card is not loaded")
    (tmp_path / digests.DIGESTS).write_text(json.dumps(digests.file_digests(tmp_path)))
    return tmp_path


def test_table_and_combined_digest(folder: Path) -> None:
    table = digests.file_digests(folder)
    assert sorted(table) == ["model_index.json", "vae/model.safetensors"]
    assert table["vae/model.safetensors"] == hashlib.sha256(b"weights").hexdigest()
    lines = "".join(f"{table[n]}  {n}\n" for n in sorted(table))
    assert digests.verify_shipped_weights(folder) == hashlib.sha256(lines.encode()).hexdigest()


def test_one_altered_byte_is_refused(folder: Path) -> None:
    (folder / "vae" / "model.safetensors").write_bytes(b"Weights")
    with pytest.raises(GenerationFailed, match=r"vae/model\.safetensors") as error:
        digests.verify_shipped_weights(folder)
    assert error.value.hint


def test_an_added_file_is_refused(folder: Path) -> None:
    (folder / "vae" / "more.safetensors").write_bytes(b"")
    with pytest.raises(GenerationFailed, match="more"):
        digests.verify_shipped_weights(folder)


def test_a_missing_file_is_refused(folder: Path) -> None:
    (folder / "model_index.json").unlink()
    with pytest.raises(GenerationFailed, match="model_index"):
        digests.verify_shipped_weights(folder)


@pytest.mark.parametrize("text", [None, "", "[", "\xff"])
def test_unreadable_digests_are_refused(folder: Path, text: str | None) -> None:
    listing = folder / digests.DIGESTS
    listing.unlink() if text is None else listing.write_text(text)
    with pytest.raises(GenerationFailed):
        digests.verify_shipped_weights(folder)
