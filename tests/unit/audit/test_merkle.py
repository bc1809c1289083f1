"""RFC 9162 trees: the published roots, and proofs that hold for the truth and nothing else."""

from __future__ import annotations

from hashlib import sha256

import pytest

from services.audit.proofs.merkle import (
    EMPTY_ROOT,
    MerkleRoot,
    Range,
    RangeRoots,
    consistency_ranges,
    inclusion_ranges,
    is_consistent,
    leaf_hash,
    root_from_inclusion,
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
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
ENTRIES = [sha256(bytes([n])).digest() for n in range(70)]


def root_of(entries: list[bytes]) -> bytes:
    tree = MerkleRoot()
    tree.add(entries)
    return tree.root()


def proof_of(ranges: list[Range], size: int) -> list[bytes]:
    roots = RangeRoots(ranges)
    for start in range(0, size, 7):
        roots.add(ENTRIES[start : min(start + 7, size)])
    return [roots.root(span) for span in ranges]


@pytest.mark.parametrize("size", ROOTS)
def test_published_roots(size: int) -> None:
    assert root_of(LEAVES[:size]).hex() == ROOTS[size]


def test_the_empty_tree() -> None:
    assert MerkleRoot().root() == EMPTY_ROOT == sha256(b"").digest()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 21, 64, 70])
def test_every_leaf_can_be_proved_and_only_where_it_is(size: int) -> None:
    root = root_of(ENTRIES[:size])
    for index in range(size):
        proof = proof_of(inclusion_ranges(index, size), size)
        leaf = leaf_hash(ENTRIES[index])
        assert root_from_inclusion(index, size, leaf, proof) == root
        assert root_from_inclusion(index, size, leaf_hash(b"other"), proof) != root
        assert root_from_inclusion(index, size, leaf, [*proof, root]) is None
        assert size == 1 or root_from_inclusion((index + 1) % size, size, leaf, proof) != root
        assert not proof or root_from_inclusion(index, size, leaf, proof[1:]) != root
    assert root_from_inclusion(size, size, root, []) is None


@pytest.mark.parametrize("new", [1, 2, 3, 7, 8, 21, 64, 70])
def test_every_older_tree_begins_the_newer_and_no_other_does(new: int) -> None:
    new_root = root_of(ENTRIES[:new])
    for old in range(new + 1):
        proof = proof_of(consistency_ranges(old, new), new)
        old_root = root_of(ENTRIES[:old])
        assert is_consistent(old, new, old_root, new_root, proof)
        if old > 0:
            rewritten = root_of([sha256(b"rewritten").digest(), *ENTRIES[1:old]])
            assert not is_consistent(old, new, rewritten, new_root, proof)
        if 0 < old < new:
            assert not is_consistent(old, new, old_root, old_root, proof)
            assert not is_consistent(old, new, old_root, new_root, [*proof, old_root])
            assert not is_consistent(old, new, old_root, new_root, proof[:-1])
            assert not is_consistent(new, old, new_root, old_root, proof)
