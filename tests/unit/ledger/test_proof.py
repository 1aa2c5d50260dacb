"""Signed notes, checkpoints and proofs: the specifications' forms, and every way to forge one."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from safegen.errors import SafegenError, UsageError
from safegen.keys import log_key
from safegen.ledger import (
    Ledger,
    LogSigner,
    ProofRejected,
    decode_vkey,
    encode_vkey,
    sign_checkpoint,
    verify_checkpoint,
    verify_proof,
)
from safegen.ledger.canonical import parse_leaf
from safegen.ledger.note import MAX_NOTE, NoteError, split_note, verify_note
from safegen.ledger.proof import MAX_PROOF, format_proof

# Public test vector of the note format's first implementation (golang.org/x/mod/sumdb/note).
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNATURE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZ"
    "SNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))


def test_foreign_note_verifies() -> None:
    name, key = decode_vkey(VKEY)
    assert encode_vkey(name, key) == VKEY
    assert verify_note(f"{TEXT}\n{SIGNATURE}", name, key) == TEXT
    unknown = "— someone.else " + base64.b64encode(b"1234" + bytes(64)).decode() + "\n"
    assert verify_note(f"{TEXT}\n{unknown}{SIGNATURE}", name, key) == TEXT
    with pytest.raises(NoteError, match="does not match"):
        verify_note(f"{TEXT.replace('your', 'my')}\n{SIGNATURE}", name, key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a+b+c",
        VKEY + "=",
        VKEY.replace("c74f20a3", "c74f20a4"),
        VKEY.replace("Peter", "Pete r"),
        VKEY[:-4],
    ],
)
def test_malformed_vkeys(text: str) -> None:
    with pytest.raises(NoteError):
        decode_vkey(text)


@pytest.mark.parametrize(
    "note",
    [
        "",
        TEXT,
        f"{TEXT}\n",
        f"{TEXT}\n{SIGNATURE[:-1]}",
        f"{TEXT}\n{SIGNATURE}\n",
        f"{TEXT}\r\n{SIGNATURE}",
        f"{TEXT}\n- {SIGNATURE[2:]}",
        f"{TEXT}\n" + SIGNATURE * 65,
        f"{TEXT}\n— a AA==\n",
        "x" * MAX_NOTE + f"\n\n{SIGNATURE}",
        f"{TEXT}\n" + SIGNATURE.replace("JnAM=", "JnAN="),
    ],
)
def test_malformed_notes(note: str) -> None:
    with pytest.raises(NoteError):
        split_note(note)


def test_sixteen_signatures_are_accepted() -> None:
    name, key = decode_vkey(VKEY)
    others = "".join(f"— w{i}.example {base64.b64encode(bytes(5000)).decode()}\n" for i in range(3))
    assert verify_note(f"{TEXT}\n{others}{SIGNATURE}", name, key) == TEXT
    assert verify_note(f"{TEXT}\n{SIGNATURE * 16}", name, key) == TEXT


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\n", "\u2003", "x" * 257])
def test_names_that_notes_cannot_carry(name: str) -> None:
    with pytest.raises(UsageError):
        LogSigner(name, OTHER)


def test_checkpoint_form(signer: LogSigner) -> None:
    note = sign_checkpoint(signer, 20852163, bytes(range(32)))
    lines = note.split("\n")
    assert lines[:4] == ["example.com/log", "20852163", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", ""]
    assert lines[4].startswith("— example.com/log ") and lines[5:] == [""]
    head = verify_checkpoint(note, logs={signer.origin: signer.public_key})
    assert (head.origin, head.size, head.root) == ("example.com/log", 20852163, bytes(range(32)))
    rotated = [OTHER.public_key(), signer.public_key]
    assert verify_checkpoint(note, logs={signer.origin: rotated}) == head


@pytest.mark.parametrize(
    "body",
    [
        "example.com/log\n01\n{}\n",
        "example.com/log\n-1\n{}\n",
        "example.com/log\n٣\n{}\n",
        f"example.com/log\n{2**63}\n{{}}\n",
        "example.com/log\n1\n{}\nextension\n",
        "example.com/log\n1\nAAAA\n",
        "\n1\n{}\n",
        "example.com/log\n1\n",
    ],
)
def test_malformed_checkpoints_even_if_signed(signer: LogSigner, body: str) -> None:
    note = signer.sign(body.format(base64.b64encode(bytes(32)).decode()))
    with pytest.raises(NoteError):
        verify_checkpoint(note, logs={signer.origin: signer.public_key})


def test_checkpoints_of_others(signer: LogSigner) -> None:
    note = sign_checkpoint(signer, 1, bytes(32))
    for logs in (
        {},
        {"example.com/other": signer.public_key},
        {signer.origin: OTHER.public_key()},
        {signer.origin: []},
    ):
        with pytest.raises(NoteError):
            verify_checkpoint(note, logs=logs)


# --- proofs -----------------------------------------------------------------------------------


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    for number in range(11):
        ledger.append("decision", {"number": number})
    return ledger


def test_proofs_of_every_entry(filled: Ledger, signer: LogSigner) -> None:
    for index in range(11):
        proof = verify_proof(filled.prove(index), logs={signer.origin: signer.public_key})
        assert (proof.origin, proof.index, proof.tree_size) == (signer.origin, index, 11)
        assert proof.entry["public"] == {"number": index}
        assert proof.entry == parse_leaf(filled.entry(index).leaf)


def test_proof_form(filled: Ledger) -> None:
    lines = filled.prove(10).split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1].startswith("extra ") and lines[2] == "index 10"
    assert lines[5] == "" and lines[6:8] == ["example.com/log", "11"]


def test_forged_proofs(filled: Ledger, signer: LogSigner) -> None:
    logs = {signer.origin: signer.public_key}
    good, other = filled.prove(4), filled.prove(5)
    lines, others = good.split("\n"), other.split("\n")
    leaf = filled.entry(4).leaf
    changed = leaf.replace(b'"number":4', b'"number":5')
    mutants = {
        "another entry's bytes": [lines[0], others[1], *lines[2:]],
        "another index": [*lines[:2], "index 5", *lines[3:]],
        "an index with a zero": [*lines[:2], "index 04", *lines[3:]],
        "changed bytes": [lines[0], "extra " + base64.b64encode(changed).decode(), *lines[2:]],
        "hashes in another order": [*lines[:3], lines[4], lines[3], *lines[5:]],
        "a hash too many": [*lines[:4], lines[3], *lines[4:]],
        "a hash too few": [*lines[:3], *lines[4:]],
        "no entry": [lines[0], *lines[2:]],
        "another size": [line if line != "11" else "12" for line in lines],
        "another origin": [line if line != signer.origin else "example.com/x" for line in lines],
        "another version": ["c2sp.org/tlog-proof@v2", *lines[1:]],
        "no signature": [*lines[:-2], ""],
        "carriage returns": [line + "\r" for line in lines],
        "trailing text": [*lines, "more"],
    }
    for what, mutant in mutants.items():
        with pytest.raises(ProofRejected) as caught:
            verify_proof("\n".join(mutant), logs=logs)
        assert caught.value.hint and str(caught.value).startswith("the ledger proof was rejected"), what


def test_every_flipped_character_is_noticed(filled: Ledger, signer: LogSigner) -> None:
    good, logs = filled.prove(4), {signer.origin: signer.public_key}
    for at, letter in enumerate(good):
        mutant = good[:at] + ("A" if letter != "A" else "B") + good[at + 1 :]
        with pytest.raises(ProofRejected):
            verify_proof(mutant, logs=logs)
        with pytest.raises(ProofRejected):
            verify_proof(good[:at], logs=logs)


def test_proofs_of_other_logs(filled: Ledger, signer: LogSigner) -> None:
    good = filled.prove(4)
    for logs in ({}, {"example.com/other": signer.public_key}, {signer.origin: OTHER.public_key()}):
        with pytest.raises(ProofRejected):
            verify_proof(good, logs=logs)
    assert verify_proof(good, logs={signer.origin: [OTHER.public_key(), signer.public_key]}).index == 4


def test_a_signed_tree_of_something_else(signer: LogSigner) -> None:
    """A log key may sign a tree whose leaf is no entry: the proof is sound, the content is not ours."""
    from safegen.ledger.merkle import leaf_hash

    for leaf in (b"hello", b"[]", b"{}", b"\xff", b"[" * 10_000):
        note = sign_checkpoint(signer, 1, leaf_hash(leaf))
        with pytest.raises(ProofRejected):
            verify_proof(format_proof(0, leaf, (), note), logs={signer.origin: signer.public_key})


@pytest.mark.parametrize(
    "text", ["", "\n\n", "\0", "c2sp.org/tlog-proof@v1\n\n", "x" * (MAX_PROOF + 1), "\ud800\n\n"]
)
def test_hostile_text(text: str, signer: LogSigner) -> None:
    with pytest.raises(ProofRejected):
        verify_proof(text, logs={signer.origin: signer.public_key})


def test_the_error_is_ours(signer: LogSigner) -> None:
    assert issubclass(ProofRejected, SafegenError)


def test_agrees_with_the_exported_trust(signer: LogSigner) -> None:
    """Keys that people hand over are read more leniently, and mean the same."""
    assert log_key.encode_vkey(signer.origin, signer.public_key) == signer.vkey
    origin, key = log_key.decode_vkey(signer.vkey)
    assert (origin, key.public_bytes_raw()) == (signer.origin, signer.public_key.public_bytes_raw())
