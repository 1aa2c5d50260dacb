"""Merkle tree hashing and proofs of RFC 6962 section 2.1 (RFC 9162 section 2.1), as pure functions.

Hashes are SHA-256, 32 bytes. A tree of ``size`` leaves is read through its *perfect subtrees*: node
``(level, position)`` is the root of leaves ``[position * 2**level, (position + 1) * 2**level)``. Such
a node never changes once it is full, so it can be stored: appending writes two rows per leaf on average,
and a proof reads O(log size) of them.

``node_id`` numbers full nodes in the order in which they become full, which makes storage append-only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Root of the tree without leaves (RFC 6962 section 2.1)."""

Node: TypeAlias = tuple[int, int]
"""(level, position) of a perfect subtree; level 0 is a leaf."""
Plan: TypeAlias = tuple[tuple[Node, ...], ...]
"""One hash per inner tuple: the root over those perfect subtrees, left to right."""
ReadNodes: TypeAlias = Callable[[Sequence[Node]], Mapping[Node, bytes]]
"""Gives the stored hash of every node asked for."""


class ProofError(ValueError):
    """A proof does not lead to the expected root."""


def leaf_hash(data: bytes) -> bytes:
    """``SHA-256(0x00 || data)``."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """``SHA-256(0x01 || left || right)``."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def node_id(node: Node) -> int:
    """Number (from 0) of a full node in the order of completion.

    Before leaf n there are 2n - popcount(n) full nodes; a node is completed by its last leaf, after the
    lower nodes that this leaf completes.
    """
    level, position = node
    last_leaf = ((position + 1) << level) - 1
    return 2 * last_leaf - last_leaf.bit_count() + level


def nodes_of_leaf(index: int) -> Iterator[Node]:
    """Every node that appending leaf *index* completes, the leaf first."""
    level = 0
    yield (0, index)
    while (index >> level) & 1:
        level += 1
        yield (level, index >> level)


def subtrees(start: int, end: int) -> tuple[Node, ...]:
    """The perfect subtrees that make up leaves ``[start, end)`` of the RFC's recursion, left to right.

    *start* is a multiple of the largest power of two not above ``end - start``, as in every range the
    RFC's recursion visits.
    """
    found = []
    while start < end:
        level = (end - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return tuple(found)


def inclusion_plan(index: int, size: int) -> Plan:
    """What ``PATH(index, D[size])`` is made of (RFC 6962 section 2.1.1), leaf's sibling first.

    Raises ProofError unless ``0 <= index < size``.
    """
    if not 0 <= index < size:
        raise ProofError(f"index {index} is not in a tree of {size}")
    plan: list[tuple[Node, ...]] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            plan.append(subtrees(middle, end))
            end = middle
        else:
            plan.append(subtrees(start, middle))
            start = middle
    return tuple(reversed(plan))


def consistency_plan(old: int, new: int) -> Plan:
    """What ``PROOF(old, D[new])`` is made of (RFC 6962 section 2.1.2).

    Raises ProofError unless 0 < old <= new.
    """
    if not 0 < old <= new:
        raise ProofError(f"no consistency proof from {old} to {new}")
    plan: list[tuple[Node, ...]] = []
    start, end, whole = 0, new, True
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            plan.append(subtrees(middle, end))
            end = middle
        else:
            plan.append(subtrees(start, middle))
            start, whole = middle, False
    if not whole:
        plan.append(subtrees(start, end))
    return tuple(reversed(plan))


def carry_out(plan: Plan, read: ReadNodes) -> tuple[bytes, ...]:
    """The hashes of *plan*, reading every stored node once."""
    have = read([node for part in plan for node in part])
    return tuple(fold([have[node] for node in part]) for part in plan)


def root(size: int, read: ReadNodes) -> bytes:
    """``MTH(D[size])``."""
    return carry_out((subtrees(0, size),), read)[0] if size else EMPTY_ROOT


def fold(peaks: Sequence[bytes]) -> bytes:
    """Root over neighbouring perfect subtrees of falling size, left to right; no peaks: the empty root."""
    if not peaks:
        return EMPTY_ROOT
    value = peaks[-1]
    for peak in reversed(peaks[:-1]):
        value = node_hash(peak, value)
    return value


class Frontier:
    """The right edge of a growing tree: its perfect subtrees, left to right. O(log size) memory."""

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """Start from a tree of *size* leaves whose subtrees have the hashes *peaks*."""
        if len(peaks) != size.bit_count():
            raise ValueError("one hash per perfect subtree is needed")
        self.size = size
        self._peaks = list(peaks)

    def append(self, leaf: bytes) -> list[tuple[Node, bytes]]:
        """Add a leaf by its hash; returns every node this completes with its hash, the leaf first."""
        done: list[tuple[Node, bytes]] = []
        value = leaf
        for node in nodes_of_leaf(self.size):
            if node[0]:
                value = node_hash(self._peaks.pop(), value)
            done.append((node, value))
        self._peaks.append(value)
        self.size += 1
        return done

    def root(self) -> bytes:
        """The root of the leaves so far."""
        return fold(self._peaks)


def inclusion_root(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root that an inclusion proof leads to (RFC 9162 section 2.1.3.2).

    *leaf* is the leaf's hash. Raises ProofError when the index is outside the tree or the proof has the
    wrong length; whether the root is the right one is for the caller to say.
    """
    if not 0 <= index < size:
        raise ProofError(f"index {index} is not in a tree of {size}")
    at, last, value = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofError("the inclusion proof is too long")
        if at & 1 or at == last:
            value = node_hash(sibling, value)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            value = node_hash(value, sibling)
        at, last = at >> 1, last >> 1
    if last:
        raise ProofError("the inclusion proof is too short")
    return value


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> None:
    """Check that the leaf with hash *leaf* is number *index* of the tree (*size*, *expected* root).

    Raises ProofError when it is not shown.
    """
    if inclusion_root(leaf, index, size, proof) != expected:
        raise ProofError("the inclusion proof leads to a different root")


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree (*new*, *new_root*) begins with the tree (*old*, *old_root*).

    RFC 9162 section 2.1.4.2. Raises ProofError when it is not shown.
    """
    if not 0 <= old <= new:
        raise ProofError(f"a tree of {new} cannot extend one of {old}")
    if old == new or old == 0:
        if proof or old_root != (new_root if old == new else EMPTY_ROOT):
            raise ProofError("the newer tree does not extend the older one")
        return
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not path:
        raise ProofError("the consistency proof is too short")
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("the consistency proof is too long")
        if at & 1 or at == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        at, last = at >> 1, last >> 1
    if last or first != old_root or second != new_root:
        raise ProofError("the newer tree does not extend the older one")


def _split(size: int) -> int:
    """The largest power of two below *size* (size > 1)."""
    return 1 << (size - 1).bit_length() - 1
