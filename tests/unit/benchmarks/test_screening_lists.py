"""The sets that measure the rule lists are frozen."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

FROZEN = {
    "benign.txt": ("bab67766f310260ff6c2115a54119eaeeff743905225bd7a491aef8acc2afc76", 200),
    "names.tsv": ("6218ad16ec958e0acae44fa21b1c7580b28f7c61bb70041da60bedfe2ede4b28", 150),
    "obfuscated.tsv": ("cc42a54dc2a2655be160728ab6d16f133c251007be30ff787cf6710e26d07d2f", 100),
}


@pytest.mark.parametrize("name", sorted(FROZEN))
def test_measuring_sets_are_frozen(root: Path, name: str) -> None:
    raw = (root / "tests" / "data" / "lists" / name).read_bytes()
    digest, least = FROZEN[name]
    assert hashlib.sha256(raw).hexdigest() == digest
    lines = raw.decode("utf-8").splitlines()
    assert len(lines) >= least
    assert len(set(lines)) == len(lines)
