"""A workspace with a ledger of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from safegen.keys.identity import Identity
from safegen.ledger.note import LogSigner
from safegen.ledger.store import Ledger
from safegen.workspace.config import find_workspace


@pytest.fixture
def root(in_memory: Path) -> Path:
    space = find_workspace(in_memory / "studio")
    space.create()
    Identity.load_or_create(space.keys, name="Studio Nord")
    return space.root


def opened(root: Path) -> Ledger:
    space = find_workspace(root)
    own = Identity.load(space.keys)
    signer = LogSigner(own.log_origin, own.log_key)
    return Ledger.open(space.ledger_url, signer=signer, checkpoint_dir=space.checkpoints)
