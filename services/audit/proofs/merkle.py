"""RFC 9162 Merkle trees over the log's hashes: the root and all proofs in one streaming pass.

A proof is a list of roots of ranges of leaves. `inclusion_ranges` and `consistency_ranges` say
which; `RangeRoots` computes them all while the leaves go by, in memory for log2(n) hashes each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

Range = tuple[int, int]
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry, here of one event's chain hash."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side."""
    return sha256(b"\x01" + left + right).digest()


class MerkleRoot:
    """The root of all leaves that were added."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, entries: Iterable[bytes]) -> None:
        """Adds one leaf an entry; a peak stands for each one-bit of the size."""
        peaks, size = self._peaks, self.size
        for entry in entries:
            node = leaf_hash(entry)
            rest = size
            while rest & 1:
                node = node_hash(peaks.pop(), node)
                rest >>= 1
            peaks.append(node)
            size += 1
        self.size = size

    def root(self) -> bytes:
        if not self._peaks:
            return EMPTY_ROOT
        node = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            node = node_hash(peak, node)
        return node


class RangeRoots:
    """Roots of disjoint ranges of leaves, from one pass over all leaves in order."""

    def __init__(self, ranges: Sequence[Range]) -> None:
        self._trees = {span: MerkleRoot() for span in sorted(ranges)}
        self._next = 0

    def add(self, entries: Sequence[bytes]) -> None:
        start, end = self._next, self._next + len(entries)
        for (low, high), tree in self._trees.items():
            if low < end and high > start:
                tree.add(entries[max(low - start, 0) : high - start])
        self._next = end

    def root(self, span: Range) -> bytes:
        return self._trees[span].root()


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """PATH(index, D[0:size]): the ranges whose roots prove that a leaf is in the tree."""
    return _path(index, 0, size)


def consistency_ranges(old: int, new: int) -> list[Range]:
    """PROOF(old, D[0:new]): the ranges whose roots prove that the old tree begins the new one."""
    return _subproof(old, 0, new, True) if 0 < old < new else []


def root_from_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes | None:
    """The root that a proof leads to; None when it has the wrong length for its place."""
    if not 0 <= index < size:
        return None
    place, last, node = index, size - 1, leaf
    for hash_ in proof:
        if last == 0:
            return None
        if place & 1 or place == last:
            node = node_hash(hash_, node)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, hash_)
        place, last = place >> 1, last >> 1
    return node if last == 0 else None


def is_consistent(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether the proof shows that the old tree is the beginning of the new one."""
    if old == new or old == 0:
        return not proof and (old == 0 or old_root == new_root)
    if not 0 < old < new or not proof:
        return False
    nodes = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = nodes[0]
    for hash_ in nodes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            first, second = node_hash(hash_, first), node_hash(hash_, second)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, hash_)
        place, last = place >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def _path(index: int, low: int, high: int) -> list[Range]:
    if high - low <= 1:
        return []
    middle = low + _split(high - low)
    if index < middle:
        return [*_path(index, low, middle), (middle, high)]
    return [*_path(index, middle, high), (low, middle)]


def _subproof(old: int, low: int, high: int, is_whole: bool) -> list[Range]:
    if old == high:
        return [] if is_whole else [(low, high)]
    middle = low + _split(high - low)
    if old <= middle:
        return [*_subproof(old, low, middle, is_whole), (middle, high)]
    return [*_subproof(old, middle, high, False), (low, middle)]


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)
