"""Offline proofs that an entry is in a log: c2sp.org/tlog-proof@v1.

The ``extra`` line carries the entry's canonical bytes. They are not authenticated by themselves: they
are hashed into the leaf, and the inclusion proof ties that leaf to the signed checkpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safegen.errors import UnreadableInput
from safegen.ledger.canonical import MAX_LEAF, NotCanonical, parse_leaf
from safegen.ledger.checkpoint import MAX_SIZE, parse_decimal, verify_checkpoint
from safegen.ledger.merkle import HASH_BYTES, ProofError, leaf_hash, verify_inclusion
from safegen.ledger.note import MAX_NOTE, NoteError, b64, unb64
from safegen.types import Json

if TYPE_CHECKING:
    from safegen.ledger.checkpoint import Logs

HEADER = "c2sp.org/tlog-proof@v1"
SUFFIX = ".tlog-proof"
MAX_PROOF = 2 * MAX_LEAF + MAX_NOTE
"""Characters of the longest proof that is looked at."""


class ProofRejected(UnreadableInput):
    """A proof is malformed, forged, of a log that is not pinned, or about something else."""


@dataclass(frozen=True)
class VerifiedProof:
    """What a proof shows. ``entry`` is the whole leaf (v, kind, time, public, commitment)."""

    origin: str
    index: int
    tree_size: int
    entry: Json
    leaf: bytes
    root: bytes
    checkpoint: str
    """The signed checkpoint as it stands in the proof."""


def format_proof(index: int, leaf: bytes, hashes: Sequence[bytes], checkpoint: str) -> str:
    """The proof as text: *leaf* bytes, inclusion *hashes* from the leaf's sibling up, signed *checkpoint*."""
    path = "".join(f"{b64(value)}\n" for value in hashes)
    return f"{HEADER}\nextra {b64(leaf)}\nindex {index}\n{path}\n{checkpoint}"


def verify_proof(text: str, *, logs: Logs) -> VerifiedProof:
    """Verify a proof against pinned logs (origin -> Ed25519 public key, or several after a rotation).

    Raises ProofRejected with the reason: malformed or oversize text, an origin that is not pinned, a
    signature by another key, an entry that is not in the tree, bytes that are not a ledger entry.
    The caller compares ``entry["public"]`` with the file at hand: a genuine proof of *another* file is
    still genuine.
    """
    try:
        return _verify(text, logs)
    except (NoteError, ProofError, NotCanonical) as error:
        raise ProofRejected(
            f"the ledger proof was rejected: {error}",
            hint="ask whoever released the file for its proof and its log key",
        ) from error


def _verify(text: str, logs: Logs) -> VerifiedProof:
    """``verify_proof`` with plain errors."""
    if len(text) > MAX_PROOF:
        raise NoteError(f"it is longer than {MAX_PROOF} characters")
    head, blank, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not blank or lines[0] != HEADER:
        raise NoteError("it does not begin with a proof's header")
    if len(lines) < 3 or not lines[1].startswith("extra ") or not lines[2].startswith("index "):
        raise NoteError("it lacks the entry or its index")
    if len(lines) - 3 > MAX_SIZE.bit_length():
        raise NoteError("the inclusion proof is too long")
    index = parse_decimal(lines[2].removeprefix("index "))
    hashes = [unb64(line) for line in lines[3:]]
    if any(len(value) != HASH_BYTES for value in hashes):
        raise NoteError("the inclusion proof is malformed")
    leaf = unb64(lines[1].removeprefix("extra "))
    head_of_tree = verify_checkpoint(checkpoint, logs=logs)
    verify_inclusion(leaf_hash(leaf), index, head_of_tree.size, hashes, head_of_tree.root)
    entry = parse_leaf(leaf)
    return VerifiedProof(
        head_of_tree.origin, index, head_of_tree.size, entry, leaf, head_of_tree.root, checkpoint
    )
