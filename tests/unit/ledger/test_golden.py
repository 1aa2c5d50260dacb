"""A proof made by the first version must verify for ever, also by nothing but the specifications."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from safegen.ledger import Draft, Ledger, LogSigner, decode_vkey, verify_proof

from .conftest import Ticking

GOLDEN = Path(__file__).parent / "golden"
PROOF = (GOLDEN / "v1.tlog-proof").read_text(encoding="utf-8")
VKEY = (GOLDEN / "v1.vkey").read_text().strip()


def test_the_frozen_proof_verifies() -> None:
    origin, key = decode_vkey(VKEY)
    shown = verify_proof(PROOF, logs={origin: key})
    assert (shown.index, shown.tree_size, shown.entry["kind"]) == (0, 3, "decision")
    assert shown.entry["public"] == {"outcome": "block", "score": 0.25}


def test_the_same_entries_still_give_the_same_bytes(tmp_path: Path, signer: LogSigner) -> None:
    drafts = [
        Draft("decision", {"outcome": "block", "score": 0.25}, {"prompt": "é"}),
        Draft("audit", {"run": [1, True, None]}),
        Draft("key", {}),
    ]
    path = tmp_path / "ledger.db"
    with Ledger.open(path, signer=signer, clock=Ticking(), random=lambda n: bytes(range(n))) as ledger:
        ledger.append_many(drafts)
        assert ledger.prove(0) == PROOF
    assert signer.vkey == VKEY


def test_a_third_party_needs_the_specifications_only() -> None:
    """The five steps of docs/ledger.md with hashlib and an Ed25519 library."""

    def sha256(*parts: bytes) -> bytes:
        return hashlib.sha256(b"".join(parts)).digest()

    name, _, key = VKEY.split("+", 2)
    public = base64.b64decode(key)[1:]
    head, checkpoint = PROOF.split("\n\n", 1)
    _, extra, index_line, *path = head.split("\n")
    leaf = base64.b64decode(extra.removeprefix("extra "))
    body, signature_line = checkpoint.split("\n\n", 1)
    origin, size, root = body.split("\n")
    fn, sn, value = int(index_line.removeprefix("index ")), int(size) - 1, sha256(b"\0", leaf)
    for sibling in map(base64.b64decode, path):
        if fn & 1 or fn == sn:
            value = sha256(b"\1", sibling, value)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            value = sha256(b"\1", value, sibling)
        fn, sn = fn >> 1, sn >> 1
    assert sn == 0 and value == base64.b64decode(root)
    dash, signer, encoded = signature_line.rstrip("\n").split(" ")
    signature = base64.b64decode(encoded)
    assert (dash, signer, origin) == ("—", name, name)
    assert signature[:4] == sha256(name.encode(), b"\n\x01", public)[:4]
    Ed25519PublicKey.from_public_bytes(public).verify(signature[4:], f"{body}\n".encode())
    assert json.loads(leaf)["public"]["outcome"] == "block"
