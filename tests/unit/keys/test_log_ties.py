"""Whose log may speak for whose signatures: no bundle gives its maker anything of another's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise, permutations
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from safegen.errors import UsageError
from safegen.keys.bundle import TrustBundle, bundle_to_json, parse_trust
from safegen.keys.identity import Identity
from safegen.keys.log_history import STATEMENT, PastKey
from safegen.keys.log_key import decode_vkey, encode_vkey
from safegen.keys.log_ties import tie_roots
from safegen.keys.trust import TrustStore
from safegen.ledger.note import LogSigner

Log = tuple[str, Ed25519PrivateKey]
NORD, EVE = "log.nord.example", "log.eve.example"


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], bytes]]:
    """A root certificate for each name."""
    made: dict[str, bytes] = {}

    def root(name: str) -> bytes:
        if name not in made:
            folder = tmp_path_factory.mktemp(name) / "keys"
            made[name] = Identity.load_or_create(folder, name=name).root_pem
        return made[name]

    yield root


KEYS = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in range(10)]


def key(number: int) -> Ed25519PrivateKey:
    return KEYS[number]


def bundle(name: str, root: bytes | tuple[bytes, ...], origin: str, *keys: Ed25519PrivateKey) -> TrustBundle:
    """A bundle whose log had *keys*, oldest first, each of which announced the next."""
    history = []
    for old, new in pairwise(keys):
        text = f"{origin}\n{STATEMENT}\n{encode_vkey(origin, new.public_key())}\n"
        history.append(PastKey(encode_vkey(origin, old.public_key()), LogSigner(origin, old).sign(text)))
    vkey = encode_vkey(origin, keys[-1].public_key())
    return TrustBundle(
        name,
        root if isinstance(root, tuple) else (root,),
        dict([decode_vkey(vkey)]),
        vkeys=(vkey,),
        log_history=tuple(history),
    )


def sha(root: bytes) -> str:
    return TrustBundle("x", (root,)).root_fingerprints[0]


def test_a_bundle_ties_all_of_its_roots_to_its_log_and_a_list_of_roots_none(
    roots: Callable[[str], bytes],
) -> None:
    first, second, third = roots("nord"), roots("nord2"), roots("other")
    ties = tie_roots([bundle("Nord", (first, second), NORD, key(1)), TrustBundle("PEM", (third, first))])
    assert ties == {sha(first): {NORD}, sha(second): {NORD}}
    stamps = replace(bundle("stamps", (), NORD, key(1)), tsa_roots=(first,))
    assert tie_roots([stamps]) == {}, "a root for time stamps vouches for no signer"


def test_several_logs(roots: Callable[[str], bytes]) -> None:
    one, two = bundle("Nord", roots("nord"), NORD, key(1)), bundle("Nord", (), "log2.nord.example", key(2))
    both = replace(one, logs={**one.logs, **two.logs}, vkeys=one.vkeys + two.vkeys)
    assert tie_roots([both]) == {sha(roots("nord")): {NORD, "log2.nord.example"}}


@pytest.mark.parametrize("place", ["pinned", "for this run"])
@pytest.mark.parametrize(
    "keys",
    [
        (key(9),),
        (key(9), key(1)),  # a key of one's own from before the maker's
        (key(9), key(1), key(2)),
        (key(1), key(9)),  # the maker announced another one
        (key(1), key(2), key(9)),
    ],
    ids=["another", "before", "before both", "fork", "beyond, not announced"],
)
def test_nobody_names_another_makers_log_with_a_key_of_their_own(
    keys: tuple[Ed25519PrivateKey, ...], place: str, roots: Callable[[str], bytes], tmp_path: Path
) -> None:
    """In whatever order, by whatever way: the two are never one log."""
    nord = bundle("Nord", roots("nord"), NORD, key(1), key(2))
    eve = bundle("Eve", roots("eve"), NORD, *keys)
    forged = len(keys) == 3 and keys[1] is key(2)
    if forged:  # the announcement of the last key is by that key itself
        text = f"{NORD}\n{STATEMENT}\n{eve.vkeys[0]}\n"
        past = PastKey(eve.log_history[-1].vkey, LogSigner(NORD, keys[-1]).sign(text))
        eve = replace(eve, log_history=(*eve.log_history[:-1], past))
    for first, second in ((nord, eve), (eve, nord)):
        with pytest.raises(UsageError, match="already pinned with another key"):
            tie_roots(
                [first, second] if place == "pinned" else [first], () if place == "pinned" else [second]
            )
        store = TrustStore(tmp_path / first.name)
        if first is eve and forged:
            with pytest.raises(UsageError, match="did not announce"):
                store.add(first)
            assert store.list() == (), "nothing is left that could not be read again"
            continue
        store.add(first)
        with pytest.raises(UsageError, match="already pinned with another key"):
            store.add(second)


def test_the_same_history_at_different_times_is_one_log(roots: Callable[[str], bytes]) -> None:
    """Old and new exports of one maker agree in any order; three of which two disagree never do."""
    root = roots("nord")
    stages = [bundle("Nord", root, NORD, *[key(n) for n in range(1, last + 1)]) for last in (1, 2, 3)]
    for order in permutations(stages):
        assert tie_roots(order[:1], order[1:]) == {sha(root): {NORD}}
    forked = [stages[0], stages[1], bundle("Nord", root, NORD, key(1), key(3))]
    for order in permutations(forked):
        with pytest.raises(UsageError):
            tie_roots(order)


def test_nobody_gets_another_makers_root_for_their_own_log(
    roots: Callable[[str], bytes], tmp_path: Path
) -> None:
    nord = bundle("Nord", roots("nord"), NORD, key(1))
    eve = bundle("Eve", (roots("eve"), roots("nord")), EVE, key(2))
    ties = tie_roots([nord], [eve])
    assert ties == {sha(roots("nord")): {NORD}, sha(roots("eve")): {EVE}}
    with pytest.raises(UsageError, match="same root with different logs"):
        tie_roots([], [eve, nord])
    store = TrustStore(tmp_path / "trust")
    store.add(nord)
    with pytest.raises(UsageError, match="same root and another log") as refused:
        store.add(eve)
    assert "--shared-root" in refused.value.hint and len(store.list()) == 1
    with pytest.raises(UsageError, match="same root and another log"):
        TrustStore(tmp_path / "empty").add(eve, own=[nord])
    store.add(eve, shared_root=True)
    assert tie_roots(store.bundles())[sha(roots("nord"))] == {NORD, EVE}


def test_what_is_no_claim_on_a_root_is_pinned_as_before(
    roots: Callable[[str], bytes], tmp_path: Path
) -> None:
    """A list of roots without a log, the same log under a new root, a newer export of the same maker."""
    store = TrustStore(tmp_path)
    store.add(bundle("Nord", roots("nord"), NORD, key(1)))
    store.add(TrustBundle("PEM", (roots("nord"), roots("other"))))
    store.add(bundle("Nord", roots("nord2"), NORD, key(1)))
    store.add(bundle("Nord", roots("nord"), NORD, key(1), key(2)))
    assert tie_roots(store.bundles()) == {sha(roots("nord")): {NORD}, sha(roots("nord2")): {NORD}}


def test_a_history_has_to_be_that_of_the_bundles_own_logs(roots: Callable[[str], bytes]) -> None:
    """Otherwise a first bundle could bring a key for a log that a second one then names."""
    eve = bundle("Eve", roots("eve"), EVE, key(2))
    of_nord = bundle("Nord", roots("nord"), NORD, key(9), key(8)).log_history
    with pytest.raises(UsageError):
        parse_trust(bundle_to_json(replace(eve, log_history=of_nord)).encode())
    good = bundle("Nord", roots("nord"), NORD, key(1), key(2), key(3))
    assert parse_trust(bundle_to_json(good).encode()).log_chain(NORD) == good.log_chain(NORD)
    document = json.loads(bundle_to_json(good))
    document["logHistory"].reverse()
    with pytest.raises(UsageError, match="did not announce"):
        parse_trust(json.dumps(document).encode())
