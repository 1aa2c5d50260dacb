"""RFC 6962 vectors (the eight-leaf tree of the Certificate Transparency test suites) and every small tree."""

from __future__ import annotations

import hashlib

import pytest

from safegen.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    Node,
    ProofError,
    carry_out,
    consistency_plan,
    inclusion_plan,
    inclusion_root,
    leaf_hash,
    node_id,
    nodes_of_leaf,
    root,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): INCLUSION[0, 8],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


class Stored:
    """Nodes of a growing tree, in memory."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.nodes: dict[Node, bytes] = {}
        self.edge = Frontier()
        self.roots = [EMPTY_ROOT]
        for leaf in leaves:
            self.nodes.update(self.edge.append(leaf_hash(leaf)))
            self.roots.append(self.edge.root())

    def read(self, nodes: object) -> dict[Node, bytes]:
        return {node: self.nodes[node] for node in nodes}


def recursive_root(leaves: list[bytes]) -> bytes:
    """MTH as the RFC writes it."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + recursive_root(leaves[:k]) + recursive_root(leaves[k:])).digest()


STORED = Stored(LEAVES)
MANY = Stored([bytes([i]) for i in range(40)])


def test_empty_root() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert root(0, STORED.read) == EMPTY_ROOT


@pytest.mark.parametrize("size", range(1, 9))
def test_roots(size: int) -> None:
    assert STORED.roots[size].hex() == root(size, STORED.read).hex() == ROOTS[size - 1]


@pytest.mark.parametrize("case", INCLUSION)
def test_inclusion_vectors(case: tuple[int, int]) -> None:
    index, size = case
    proof = carry_out(inclusion_plan(index, size), STORED.read)
    assert [value.hex() for value in proof] == INCLUSION[case]
    verify_inclusion(leaf_hash(LEAVES[index]), index, size, proof, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize("case", CONSISTENCY)
def test_consistency_vectors(case: tuple[int, int]) -> None:
    old, new = case
    proof = carry_out(consistency_plan(old, new), STORED.read)
    assert [value.hex() for value in proof] == CONSISTENCY[case]
    verify_consistency(old, bytes.fromhex(ROOTS[old - 1]), new, bytes.fromhex(ROOTS[new - 1]), proof)


def test_every_small_tree() -> None:
    leaves = [bytes([i]) for i in range(40)]
    for size in range(1, 41):
        assert MANY.roots[size] == recursive_root(leaves[:size]) == root(size, MANY.read)
        for index in range(size):
            proof = carry_out(inclusion_plan(index, size), MANY.read)
            assert inclusion_root(leaf_hash(leaves[index]), index, size, proof) == MANY.roots[size]
        for old in range(1, size + 1):
            proof = carry_out(consistency_plan(old, size), MANY.read)
            verify_consistency(old, MANY.roots[old], size, MANY.roots[size], proof)
    verify_consistency(0, EMPTY_ROOT, 7, MANY.roots[7], ())


def test_node_numbers_follow_completion() -> None:
    order = [node for index in range(200) for node in nodes_of_leaf(index)]
    assert [node_id(node) for node in order] == list(range(len(order)))


def test_a_frontier_can_be_resumed() -> None:
    edge = Frontier(11, [MANY.nodes[node] for node in ((3, 0), (1, 4), (0, 10))])
    assert edge.root() == MANY.roots[11]
    edge.append(leaf_hash(bytes([11])))
    assert edge.root() == MANY.roots[12]
    with pytest.raises(ValueError, match="one hash"):
        Frontier(3, [b""])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 40])
def test_wrong_inclusion_proofs(size: int) -> None:
    for index in range(size):
        leaf, head = leaf_hash(bytes([index])), MANY.roots[size]
        proof = list(carry_out(inclusion_plan(index, size), MANY.read))
        mutants = [
            [*proof, bytes(32)],
            [bytes(32), *proof],
            *([*proof[:i], *proof[i + 1 :]] for i in range(len(proof))),
        ]
        mutants += [[*proof[:i], bytes(32), *proof[i + 1 :]] for i in range(len(proof))]
        for mutant in mutants:
            with pytest.raises(ProofError):
                verify_inclusion(leaf, index, size, mutant, head)
        for other in {*range(size), size, -1} - {index}:
            with pytest.raises(ProofError):
                verify_inclusion(leaf, other, size, proof, head)
        with pytest.raises(ProofError):
            verify_inclusion(leaf_hash(b"other"), index, size, proof, head)


def test_wrong_consistency_proofs() -> None:
    for old in range(1, 20):
        for new in range(old, 20):
            proof = list(carry_out(consistency_plan(old, new), MANY.read))
            first, second = MANY.roots[old], MANY.roots[new]
            cases = [(old, bytes(32), new, second, proof), (old, first, new, bytes(32), proof)]
            cases += [(old, first, new, second, [*proof, bytes(32)])]
            cases += [(old, first, new, second, [*proof[:i], *proof[i + 1 :]]) for i in range(len(proof))]
            for case in cases:
                with pytest.raises(ProofError):
                    verify_consistency(*case)
    with pytest.raises(ProofError):
        verify_consistency(5, MANY.roots[5], 4, MANY.roots[4], ())
    with pytest.raises(ProofError):
        verify_consistency(0, MANY.roots[1], 4, MANY.roots[4], ())
    with pytest.raises(ProofError):
        consistency_plan(0, 4)
    with pytest.raises(ProofError):
        inclusion_plan(4, 4)
