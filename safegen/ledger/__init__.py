"""The tamper-evident ledger: Merkle tree, signed checkpoints, offline proofs.

Names are imported on first use: verifying a proof needs no database library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from safegen.ledger.checkpoint import Checkpoint, sign_checkpoint, verify_checkpoint
    from safegen.ledger.note import LogSigner, decode_vkey, encode_vkey
    from safegen.ledger.proof import ProofRejected, VerifiedProof, verify_proof
    from safegen.ledger.records import CheckReport, Draft, Entry, Problem, ReleaseEntry, ReleaseRecord
    from safegen.ledger.store import Ledger

_LAZY = {
    "Checkpoint": "checkpoint",
    "sign_checkpoint": "checkpoint",
    "verify_checkpoint": "checkpoint",
    "LogSigner": "note",
    "decode_vkey": "note",
    "encode_vkey": "note",
    "ProofRejected": "proof",
    "VerifiedProof": "proof",
    "verify_proof": "proof",
    "CheckReport": "records",
    "Draft": "records",
    "Entry": "records",
    "Problem": "records",
    "ReleaseEntry": "records",
    "ReleaseRecord": "records",
    "Ledger": "store",
}

__all__ = [
    "CheckReport",
    "Checkpoint",
    "Draft",
    "Entry",
    "Ledger",
    "LogSigner",
    "Problem",
    "ProofRejected",
    "ReleaseEntry",
    "ReleaseRecord",
    "VerifiedProof",
    "decode_vkey",
    "encode_vkey",
    "sign_checkpoint",
    "verify_checkpoint",
    "verify_proof",
]


def __getattr__(name: str) -> object:
    """Import public names on first use (PEP 562)."""
    if name in _LAZY:
        import importlib

        return getattr(importlib.import_module(f"safegen.ledger.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'safegen.ledger' has no attribute {name!r}")
