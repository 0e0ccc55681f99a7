"""The Merkle tree of RFC 6962, whose proofs hold as RFC 9162 defines; no other proof does."""

import base64
import hashlib
import json
from functools import reduce
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from governance.foundation.audit import merkle, tiles
from governance.foundation.audit.merkle import ProofFails, leaf_hash, node_hash

# Certificate Transparency's own tests grow a tree of these eight entries, with these roots.
EIGHT = [
    bytes.fromhex(each)
    for each in (
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
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
VECTORS = json.loads((Path(__file__).parents[2] / "vendor" / "merkle.json").read_text())
HASHES = [base64.b64decode(each) for each in VECTORS["hashes"]]
# Cases that the public vectors accept and we reject, with the reason.
STRICTER = {
    "additional/sizes-are-equal-one-and-proof-is-empty": (
        "its roots are words of 12 bytes; every hash has 32 here"
    )
}


def recursive(leaves):
    """Return MTH of RFC 6962, 2.1, word for word.

    Faster implementations are compared with this definition.
    """
    if len(leaves) < 2:
        return leaf_hash(leaves[0]) if leaves else hashlib.sha256(b"").digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return node_hash(recursive(leaves[:half]), recursive(leaves[half:]))


def forest(leaves):
    """Return the nodes that merkle.py reads, computed from the leaves alone."""
    return lambda level, index: recursive(leaves[index << level : (index + 1) << level])


def flipped(data, bit):
    return bytes(each ^ (1 << bit % 8 if at == bit // 8 else 0) for at, each in enumerate(data))


def named(n):
    return [f"entry {each}".encode() for each in range(n)]


sizes = st.integers(1, 70)


# ---- published vectors


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_those_of_certificate_transparency(size):
    assert merkle.root(size, forest(EIGHT)).hex() == ROOTS[size] == recursive(EIGHT[:size]).hex()


@pytest.mark.parametrize("name", VECTORS["inclusion"])
def test_the_public_vectors_of_inclusion(name):
    index, size, root, leaf, path, is_wrong = VECTORS["inclusion"][name]

    def check():
        merkle.verify_inclusion(
            HASHES[leaf], index, size, [HASHES[each] for each in path], HASHES[root]
        )

    assert refuses(check) is is_wrong


@pytest.mark.parametrize("name", VECTORS["consistency"])
def test_the_public_vectors_of_consistency(name):
    old, new, old_root, new_root, path, is_wrong = VECTORS["consistency"][name]

    def check():
        merkle.verify_consistency(
            old, new, [HASHES[each] for each in path], HASHES[old_root], HASHES[new_root]
        )

    assert refuses(check) is (is_wrong or name in STRICTER)


def test_we_are_stricter_than_the_vectors_where_we_say_so_and_nowhere_else():
    assert STRICTER.keys() <= VECTORS["consistency"].keys()
    assert [name for name in STRICTER if VECTORS["consistency"][name][-1]] == []
    assert (len(VECTORS["inclusion"]), len(VECTORS["consistency"])) == (98, 98)


def refuses(check):
    try:
        check()
    except ProofFails as problem:
        assert str(problem).endswith(".")
        return True
    return False


# ---- valid and altered proofs


@given(sizes)
def test_the_root_is_the_recursive_one(size):
    assert merkle.root(size, forest(named(size))) == recursive(named(size))


@given(sizes, st.data())
def test_every_entry_is_proved_to_stand_at_its_place_and_at_no_other(size, data):
    entries, index = named(size), data.draw(st.integers(0, size - 1))
    root, path = recursive(entries), merkle.inclusion(index, size, forest(entries))
    merkle.verify_inclusion(leaf_hash(entries[index]), index, size, path, root)
    elsewhere = data.draw(st.integers(0, size).filter(lambda other: other != index))
    with pytest.raises(ProofFails):
        merkle.verify_inclusion(leaf_hash(entries[index]), elsewhere, size, path, root)


@given(sizes, st.data())
def test_any_bit_flipped_in_entry_path_or_root_is_caught(size, data):
    entries, index = named(size), data.draw(st.integers(0, size - 1))
    root, path = recursive(entries), merkle.inclusion(index, size, forest(entries))
    parts = [entries[index], *path, root]
    which = data.draw(st.integers(0, len(parts) - 1))
    parts[which] = flipped(parts[which], data.draw(st.integers(0, 8 * len(parts[which]) - 1)))
    with pytest.raises(ProofFails, match=f"Entry {index} "):
        merkle.verify_inclusion(leaf_hash(parts[0]), index, size, parts[1:-1], parts[-1])


@given(sizes, st.data())
def test_a_path_that_lost_gained_or_swapped_a_hash_is_caught(size, data):
    entries, index = named(size), data.draw(st.integers(0, size - 1))
    root, path = recursive(entries), merkle.inclusion(index, size, forest(entries))
    bent = [[*path, root], [root, *path], path[1:], path[:-1], path[::-1]]
    for each in bent:
        if each != path:
            with pytest.raises(ProofFails):
                merkle.verify_inclusion(leaf_hash(entries[index]), index, size, each, root)


@given(sizes, st.data())
def test_a_path_that_is_too_long_is_refused_even_if_it_leads_to_the_root(size, data):
    entries, index = named(size), data.draw(st.integers(0, size - 1))
    root, path = recursive(entries), merkle.inclusion(index, size, forest(entries))
    leaf, more = leaf_hash(entries[index]), leaf_hash(b"more")
    merkle.verify_inclusion(leaf, index, size, path, root)
    for forged in (node_hash(more, root), node_hash(root, more)):
        with pytest.raises(ProofFails, match=f"The proof of entry {index} is too long"):
            merkle.verify_inclusion(leaf, index, size, [*path, more], forged)


@given(sizes, st.data())
@example(64, None)
def test_an_older_tree_is_the_beginning_of_every_newer_one(size, data):
    entries = named(size)
    old = data.draw(st.integers(1, size)) if data else 32
    path = merkle.consistency(old, size, forest(entries))
    merkle.verify_consistency(old, size, path, recursive(entries[:old]), recursive(entries))


@given(st.integers(2, 70), st.data())
def test_any_bit_flipped_in_a_proof_of_consistency_is_caught(size, data):
    entries, old = named(size), data.draw(st.integers(1, size - 1))
    parts = [
        recursive(entries[:old]),
        *merkle.consistency(old, size, forest(entries)),
        recursive(entries),
    ]
    which = data.draw(st.integers(0, len(parts) - 1))
    parts[which] = flipped(parts[which], data.draw(st.integers(0, 255)))
    with pytest.raises(ProofFails, match="history was rewritten"):
        merkle.verify_consistency(old, size, parts[1:-1], parts[0], parts[-1])


@given(st.integers(2, 70), st.data())
def test_a_proof_of_consistency_that_is_too_long_is_refused_whatever_it_leads_to(size, data):
    entries, old = named(size), data.draw(st.integers(1, size - 1))
    path = merkle.consistency(old, size, forest(entries))
    roots, more = (recursive(entries[:old]), recursive(entries)), leaf_hash(b"more")
    merkle.verify_consistency(old, size, path, *roots)
    with pytest.raises(ProofFails, match="The proof is too long"):
        merkle.verify_consistency(
            old, size, [*path, more], *(node_hash(more, each) for each in roots)
        )


def altered(entries, at):
    """Yield altered histories, each with what was done to it."""
    return {
        "changed": [*entries[:at], b"another deed", *entries[at + 1 :]],
        "dropped": [*entries[:at], *entries[at + 1 :], b"filler"],
        "reordered": [*entries[:at], entries[at + 1], entries[at], *entries[at + 2 :]],
        "repeated": [*entries[:at], entries[at], *entries[at:-1]],
    }


@given(st.integers(3, 60), st.data())
def test_a_rewritten_history_has_no_proof_that_it_continues_the_old_one(old, data):
    """Try changes, omissions, reorderings and repeats.

    The forger may make any proof from their own tree, and none holds.
    """
    entries, at = named(old), data.draw(st.integers(0, old - 2))
    for how, forged in altered(entries, at).items():
        grown = [*forged, b"later", b"and later"]
        path = merkle.consistency(old, len(grown), forest(grown))
        with pytest.raises(ProofFails, match="history was rewritten"):
            merkle.verify_consistency(old, len(grown), path, recursive(entries), recursive(grown))
        assert recursive(forged) != recursive(entries), how


def test_a_fork_of_the_same_size_and_a_log_cut_short_are_named():
    mine, theirs = named(9), [*named(8), b"another deed"]
    with pytest.raises(ProofFails, match="the log was forked"):
        merkle.verify_consistency(9, 9, [], recursive(mine), recursive(theirs))
    with pytest.raises(ProofFails, match="A tree of 9 cannot be the beginning of one of 8"):
        merkle.verify_consistency(9, 8, [], recursive(mine), recursive(mine[:8]))


@pytest.mark.parametrize("sizes", [(0, 0), (0, 5), (-1, 5), (5, 2**63)])
def test_a_tree_of_nothing_or_of_too_much_proves_nothing(sizes):
    with pytest.raises(ProofFails, match="cannot be the beginning"):
        merkle.verify_consistency(*sizes, [], merkle.EMPTY, merkle.EMPTY)


def test_the_largest_tree_has_one_leaf_less_than_two_to_the_power_of_63():
    most, half = 2**63 - 1, 2**62
    leaf, right = leaf_hash(b"first"), leaf_hash(b"right half")
    path = [leaf_hash(b"%d" % level) for level in range(63)]
    root = reduce(node_hash, path, leaf)
    merkle.verify_inclusion(leaf, 0, most, path, root)
    with pytest.raises(ProofFails, match="There is no entry 0"):
        merkle.verify_inclusion(leaf, 0, most + 1, path, root)
    grown_root = node_hash(root, right)
    merkle.verify_consistency(half, most, [right], root, grown_root)
    with pytest.raises(ProofFails, match="cannot be the beginning"):
        merkle.verify_consistency(half, most + 1, [right], root, grown_root)


def test_the_first_leaf_has_a_path_and_none_is_before_it():
    assert merkle.inclusion(0, 2, forest(named(2))) == [leaf_hash(b"entry 1")]
    with pytest.raises(ValueError, match="a tree of 2 has no leaf -1"):
        merkle.inclusion(-1, 2, forest(named(2)))


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_hash_of_another_length_is_refused_wherever_it_stands(length):
    entries, odd = named(5), bytes(length)
    root, path = recursive(entries), merkle.inclusion(2, 5, forest(entries))
    leaf = leaf_hash(entries[2])
    for given_ in (
        (odd, path, root),
        (leaf, [odd, *path[1:]], root),
        (leaf, [*path[:-1], odd], root),
        (leaf, path, odd),
    ):
        with pytest.raises(ProofFails, match=f"has {length} bytes instead of 32"):
            merkle.verify_inclusion(given_[0], 2, 5, given_[1], given_[2])
    proof = merkle.consistency(3, 5, forest(entries))
    for old_root, between, new_root in (
        (odd, proof, root),
        (recursive(entries[:3]), [*proof[:-1], odd], root),
        (root, proof, odd),
    ):
        with pytest.raises(ProofFails):
            merkle.verify_consistency(3, 5, between, old_root, new_root)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 4), (4, 4), (2**63, 2**63 + 1)])
def test_an_entry_outside_of_the_tree_has_no_proof(index, size):
    with pytest.raises(ProofFails, match="There is no entry"):
        merkle.verify_inclusion(bytes(32), index, size, [], bytes(32))
    with pytest.raises(ValueError, match="has no leaf"):
        merkle.inclusion(size, size, forest([]))
    with pytest.raises(ValueError, match="no proof leads"):
        merkle.consistency(0, size or 1, forest([]))


# ---- tiles


def grown(entries, steps=()):
    """Return the tree as tiles, grown in steps of these lengths and then at once."""
    size, edge, full = 0, b"", {}
    for step in [*steps, len(entries)]:
        made = tiles.grow(size, edge, [leaf_hash(each) for each in entries[size : size + step]])
        size, edge = made.size, made.edge
        full |= {(tile.level, tile.index): tile.hashes for tile in made.full}
    return size, edge, full


@given(st.lists(st.integers(0, 300), max_size=4), st.integers(0, 700))
def test_tiles_grow_the_same_however_the_entries_come(steps, size):
    entries = named(size)
    assert grown(entries, steps) == grown(entries)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 600])
def test_what_tiles_say_is_the_recursive_definition(size):
    entries = named(size)
    _, edge, full = grown(entries)
    node = tiles.nodes(size, edge, lambda level, index: full[level, index])
    assert merkle.root(size, node) == recursive(entries)
    for index in {0, size // 2, size - 1}:
        assert merkle.inclusion(index, size, node) == merkle.inclusion(index, size, forest(entries))
    for old in {1, size // 2 or 1, size}:
        assert merkle.consistency(old, size, node) == merkle.consistency(old, size, forest(entries))


def test_three_levels_of_tiles_hold_a_tree_of_more_than_65_536():
    size = 256**2 + 300
    entries = named(size)
    _, edge, full = grown(entries)
    assert {level for level, _ in full} == {0, 1} and tiles.widths(size)[:3] == [44, 1, 1]
    node = tiles.nodes(size, edge, lambda level, index: full[level, index])
    root = merkle.root(size, node)
    assert root == recursive(entries)
    for index in (0, 255, 256, 65_535, 65_536, size - 1):
        merkle.verify_inclusion(
            leaf_hash(entries[index]), index, size, merkle.inclusion(index, size, node), root
        )


def test_a_tile_has_what_the_tree_of_that_size_has_and_nothing_beyond_it():
    entries = named(600)
    _, edge, full = grown(entries)

    def tile(level, index):
        return tiles.tile(level, index, 600, edge, lambda *where: full[where])

    assert tile(0, 0) == b"".join(leaf_hash(each) for each in entries[:256])
    assert tile(0, 2) == b"".join(leaf_hash(each) for each in entries[512:])
    assert tile(1, 0) == recursive(entries[:256]) + recursive(entries[256:512])
    assert tile(0, 3) == tile(1, 1) == tile(2, 0) == b""
    node = tiles.nodes(600, edge, lambda *where: full[where])
    with pytest.raises(LookupError, match="too narrow"):
        node(0, 600)


def test_an_edge_of_another_size_is_refused():
    with pytest.raises(ValueError, match="the edge of a tree of 3 has 96 bytes, not 64"):
        tiles.grow(3, bytes(64), [])


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("0/000", ("0", 0, 256)),
        ("0/x001/234", ("0", 1234, 256)),
        ("1/x001/x234/067.p/7", ("1", 1_234_067, 7)),
        ("entries/005", ("entries", 5, 256)),
        ("0/1", None),
        ("0/001.p/256", None),
        ("0/001.p/0", None),
        ("0/001.p/07", None),
        ("64/000", None),
        ("0/x000/001", None),
        ("0/1234", None),
        ("", None),
        ("0/", None),
        ("-1/000", None),
        ("0/000.p/257", None),
        ("0/" + "x000/" * 20 + "001", None),
    ],
)
def test_a_tile_has_one_name(name, means):
    assert tiles.parse(name) == means
    if means:
        level, index, width = means
        assert tiles.path(level, index, width) == name


@given(st.integers(0, 63), st.integers(0, 10**12), st.integers(1, 256))
def test_every_name_of_a_tile_leads_back_to_it(level, index, width):
    assert tiles.parse(tiles.path(level, index, width)) == (str(level), index, width)
