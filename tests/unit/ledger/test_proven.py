"""A proven release is what the log's key has signed, whatever somebody wrote into the database."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from safegen.errors import LedgerError
from safegen.ledger import LogSigner, ReleaseEntry

from .conftest import OpenLedger
from .test_attacks import SCRIPTS, attack, rewritten, victim  # noqa: F401

WITHDRAWN, LIVE = 7, 9
"""Releases of the ledger: 8 withdraws 7."""

Prove = Callable[..., ReleaseEntry]


@pytest.fixture
def prove(open_ledger: OpenLedger, signer: LogSigner) -> Prove:
    def prove_(index: int, **options: object) -> ReleaseEntry:
        settings = {"keys": [signer.public_key], "origin": signer.origin}
        with open_ledger(read_only=True, signer=None, **options) as ledger:
            return ledger.proven_release(index, **settings)

    return prove_


def test_both_releases_of_an_untouched_ledger(victim: Path, prove: Prove) -> None:  # noqa: F811
    first, second = prove(WITHDRAWN), prove(LIVE)
    assert (first.withdrawn, first.manifest_id, first.manifest) == (8, "urn:1", b"m1")
    assert (second.withdrawn, second.content_id, second.descriptors) == (None, 2, b"d2")


@pytest.mark.parametrize("name", SCRIPTS)
def test_an_edit_gives_the_same_release_or_an_error(victim: Path, prove: Prove, name: str) -> None:  # noqa: F811
    intact = {index: prove(index) for index in (WITHDRAWN, LIVE)}
    attack(victim, SCRIPTS[name][0])
    for index, before in intact.items():
        try:
            assert prove(index) == before
        except LedgerError as error:
            assert error.hint


@pytest.mark.parametrize(
    "script",
    [
        "UPDATE ledger_release SET withdrawn=NULL",
        "UPDATE ledger_release SET withdrawn=NULL; UPDATE ledger_entry SET kind='audit' WHERE position=8",
        "UPDATE ledger_release SET withdrawn=NULL; DELETE FROM ledger_entry WHERE position=8",
        """UPDATE ledger_release SET withdrawn=NULL;
           UPDATE ledger_entry SET leaf=(SELECT leaf FROM ledger_entry WHERE position=6) WHERE position=8""",
    ],
)
def test_a_withdrawal_cannot_be_hidden(victim: Path, prove: Prove, script: str) -> None:  # noqa: F811
    attack(victim, script)
    with pytest.raises(LedgerError):
        prove(WITHDRAWN)


def test_an_older_copy_cannot_hide_it_either(
    victim: Path,  # noqa: F811
    prove: Prove,
    open_ledger: OpenLedger,
    tmp_path: Path,
) -> None:
    shutil.copy(victim, tmp_path / "old.db")
    with open_ledger() as ledger:
        ledger.withdraw(LIVE, "test")
    assert prove(LIVE).withdrawn == 10
    shutil.copy(tmp_path / "old.db", victim)
    with pytest.raises(LedgerError, match="seen already"):
        prove(LIVE)


def test_another_key_or_origin_proves_nothing(
    victim: Path,  # noqa: F811
    open_ledger: OpenLedger,
    signer: LogSigner,
) -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
    with open_ledger(read_only=True) as ledger:
        for wrong in (
            {"keys": [], "origin": signer.origin},
            {"keys": [other], "origin": signer.origin},
            {"keys": [signer.public_key], "origin": "example.com/other"},
        ):
            with pytest.raises(LedgerError, match="does not count"):
                ledger.proven_release(LIVE, **wrong)
        assert (
            ledger.proven_release(LIVE, keys=[other, signer.public_key], origin=signer.origin).index == LIVE
        )


def test_a_rewrite_with_the_key_contradicts_what_was_seen(
    victim: Path,  # noqa: F811
    prove: Prove,
    signer: LogSigner,
) -> None:
    attack(victim, lambda raw: rewritten(raw, signer))
    with pytest.raises(LedgerError, match="does not contain"):
        prove(LIVE)
    assert prove(LIVE, checkpoint_dir=None).index == LIVE, "nothing seen: the key's word is all there is"


@pytest.mark.parametrize("index", [-1, 0, 8, 10, 2**70])
def test_what_is_no_release(victim: Path, prove: Prove, index: int) -> None:  # noqa: F811
    with pytest.raises(LedgerError):
        prove(index)
