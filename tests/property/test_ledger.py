"""Properties of tree, canonical JSON, notes and proofs."""

from __future__ import annotations

import json
import string
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from safegen.ledger import LogSigner, ProofRejected, sign_checkpoint, verify_proof
from safegen.ledger.canonical import canonical, commitment, make_leaf, parse
from safegen.ledger.merkle import (
    Frontier,
    Node,
    ProofError,
    carry_out,
    consistency_plan,
    inclusion_plan,
    inclusion_root,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from safegen.ledger.note import NoteError, split_note
from safegen.ledger.proof import format_proof

SIGNER = LogSigner("example.com/property", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
LOGS = {SIGNER.origin: SIGNER.public_key}
NODES: dict[Node, bytes] = {}
ROOTS = []
EDGE = Frontier()
for _number in range(600):
    ROOTS.append(EDGE.root())
    NODES.update(EDGE.append(leaf_hash(b"%d" % _number)))
ROOTS.append(EDGE.root())


def read(nodes: object) -> dict[Node, bytes]:
    return {node: NODES[node] for node in nodes}


@given(st.data())
def test_inclusion(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 600))
    index = data.draw(st.integers(0, size - 1))
    proof = carry_out(inclusion_plan(index, size), read)
    assert len(proof) <= (size - 1).bit_length()
    verify_inclusion(leaf_hash(b"%d" % index), index, size, proof, ROOTS[size])
    other = data.draw(st.integers(0, 599).filter(lambda i: i != index))
    with pytest.raises(ProofError):
        verify_inclusion(leaf_hash(b"%d" % other), index, size, proof, ROOTS[size])
    with pytest.raises(ProofError):
        verify_inclusion(leaf_hash(b"%d" % index), other, size, proof, ROOTS[size])


@given(st.data())
def test_consistency(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, 600))
    old = data.draw(st.integers(1, new))
    proof = carry_out(consistency_plan(old, new), read)
    verify_consistency(old, ROOTS[old], new, ROOTS[new], proof)
    other = data.draw(st.integers(1, 600).filter(lambda i: i != old))
    with pytest.raises(ProofError):
        verify_consistency(old, ROOTS[other], new, ROOTS[new], proof)


@given(
    st.integers(0, 2**63 - 1),
    st.integers(0, 2**63 - 1),
    st.lists(st.binary(min_size=32, max_size=32), max_size=70),
)
def test_verification_ends_whatever_it_is_given(index: int, size: int, proof: list[bytes]) -> None:
    with suppress(ProofError):
        inclusion_root(bytes(32), index, size, proof)
    if proof:
        with pytest.raises(ProofError):
            verify_consistency(index, bytes(32), size, bytes(32), proof)


scalars = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text()
floats = st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not 2**53 - 1 < abs(x) < 1e21)
values = st.recursive(
    scalars | floats,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_canonical_json_reads_back_and_is_a_fixed_point(value: object) -> None:
    text = canonical(value)
    again = json.loads(text)
    assert again == value
    assert canonical(again) == text
    assert parse(text) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_read_back_exactly(value: float) -> None:
    if not 2**53 - 1 < abs(value) < 1e21:
        assert float(canonical(value)) == value


@given(st.dictionaries(st.text(), st.integers(0, 9), min_size=2))
def test_order_of_keys_does_not_matter(value: dict[str, int]) -> None:
    assert canonical(dict(reversed(value.items()))) == canonical(value)


@given(st.text())
def test_hostile_notes_and_proofs(text: str) -> None:
    with pytest.raises(ProofRejected):
        verify_proof(text, logs=LOGS)
    with pytest.raises(ProofRejected):
        verify_proof(f"c2sp.org/tlog-proof@v1\nextra {text}\nindex 0\n\n{text}", logs=LOGS)
    with suppress(NoteError):
        split_note(text)


@settings(max_examples=60)
@given(
    st.dictionaries(st.text(), scalars, max_size=4),
    st.lists(st.binary(min_size=1, max_size=20), max_size=20),
    st.data(),
)
def test_any_edit_of_a_proof_is_rejected(
    public: dict[str, object], others: list[bytes], data: st.DataObject
) -> None:
    leaf = make_leaf("release", "2026-01-01T00:00:00.000Z", public, commitment(b"salt", b"null"))
    index = data.draw(st.integers(0, len(others)))
    leaves = [*others[:index], leaf, *others[index:]]
    edge, nodes = Frontier(), {}
    for item in leaves:
        nodes.update(edge.append(leaf_hash(item)))
    hashes = carry_out(
        inclusion_plan(index, len(leaves)), lambda wanted: {node: nodes[node] for node in wanted}
    )
    text = format_proof(index, leaf, hashes, sign_checkpoint(SIGNER, len(leaves), edge.root()))
    assert verify_proof(text, logs=LOGS).entry["public"] == public
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(
        st.sampled_from(string.ascii_letters + string.digits + "\n +/=—").filter(lambda c: c != text[at])
    )
    for edited in (
        text[:at] + letter + text[at + 1 :],
        text[:at] + text[at + 1 :],
        text[:at] + letter + text[at:],
    ):
        if edited != text:
            with pytest.raises(ProofRejected):
                verify_proof(edited, logs=LOGS)
