"""Checkpoints and proof files in the format of C2SP, which other programs read.

Ours rejects altered ones in a sentence.
"""

import base64

import aics_tlog
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import assume, given
from hypothesis import strategies as st

from governance.foundation.audit import checkpoint, merkle, proof
from governance.foundation.audit.checkpoint import Head
from governance.foundation.audit.merkle import ProofFails
from governance.kernel.safety import signed_note
from governance.kernel.safety.signed_note import NotSigned, VerifierKey

ORIGIN = "console.example/audit/acme"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = signed_note.parse_key(signed_note.verifier_key(PRIVATE, ORIGIN))
ENTRIES = [f'{{"action":"control.changed","n":{n}}}'.encode() for n in range(11)]
# The example of c2sp.org/signed-note.
EXAMPLE = (
    "This is an example message.\n\n— example.com/foo"
    " Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72Iney"
    "aQM=\n"
)
EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"


def node(level, index):
    if level == 0:
        return merkle.leaf_hash(ENTRIES[index])
    return merkle.node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))


HEAD = Head(ORIGIN, len(ENTRIES), merkle.root(len(ENTRIES), node))
NOTE = checkpoint.sign(PRIVATE, ORIGIN, HEAD)


def proof_of(index):
    return str(proof.Proof(index, merkle.inclusion(index, HEAD.size, node), NOTE))


def signed(text):
    """Return this text, signed with the log's key."""
    return signed_note.sign(PRIVATE, ORIGIN, text)


# ---- checkpoints


def test_a_checkpoint_states_origin_size_and_root_once_its_signature_holds():
    assert checkpoint.open_checkpoint(NOTE, KEY) == HEAD
    assert NOTE.split("\n")[:3] == [ORIGIN, "11", base64.b64encode(HEAD.root).decode()]


def test_the_example_of_the_standard_is_read():
    key = signed_note.parse_key(EXAMPLE_KEY)
    assert (
        signed_note.open_note(EXAMPLE, key) == "This is an example message.\n"
        and str(key) == EXAMPLE_KEY
    )
    with pytest.raises(NotSigned, match="signature is invalid"):
        signed_note.open_note(EXAMPLE.replace("example message", "exemple message"), key)


def test_somebody_elses_program_reads_our_checkpoints_and_proofs():
    note, key = aics_tlog.parse_note(NOTE.encode()), aics_tlog.parse_vkey(str(KEY))
    assert aics_tlog.verify_checkpoint(note, key, expected_origin=ORIGIN).log_ok
    stated = aics_tlog.parse_checkpoint(note.text)
    assert (stated.origin, stated.size, stated.root) == (HEAD.origin, HEAD.size, HEAD.root)
    for index, entry in enumerate(ENTRIES):
        path = proof.parse(proof_of(index)).path
        assert aics_tlog.verify_leaf_inclusion(entry, index, stated.size, path, stated.root)
        assert not aics_tlog.verify_leaf_inclusion(
            entry + b" ", index, stated.size, path, stated.root
        )


def test_we_read_the_checkpoints_of_somebody_elses_program():
    made = aics_tlog.sign_checkpoint(
        aics_tlog.Checkpoint(ORIGIN, HEAD.size, HEAD.root), PRIVATE, ORIGIN
    )
    assert checkpoint.open_checkpoint(made.serialise(), KEY) == HEAD


@given(st.data())
def test_any_bit_flipped_in_a_checkpoint_is_caught(data):
    raw = NOTE.encode()
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    bent = bytes(
        each ^ (1 << bit % 8 if at == bit // 8 else 0) for at, each in enumerate(raw)
    ).decode("utf-8", "replace")
    assume(signatures(bent) != signatures(NOTE))  # Two bits of base64's last letter mean nothing.
    with pytest.raises(NotSigned) as refused:
        checkpoint.open_checkpoint(bent, KEY)
    assert str(refused.value).endswith(".")


def signatures(note):
    try:
        return signed_note.split(note)
    except NotSigned:
        return None


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n11\n",
        f"{ORIGIN}\n",
        "\n11\n" + signed_note.b64(HEAD.root) + "\n",
        f"{ORIGIN}\n011\n{signed_note.b64(HEAD.root)}\n",
        f"{ORIGIN}\n-1\n{signed_note.b64(HEAD.root)}\n",
        f"{ORIGIN}\n+11\n{signed_note.b64(HEAD.root)}\n",
        f"{ORIGIN}\n11 \n{signed_note.b64(HEAD.root)}\n",
        f"{ORIGIN}\neleven\n{signed_note.b64(HEAD.root)}\n",
        f"{ORIGIN}\n11\n{signed_note.b64(HEAD.root[:31])}\n",
        f"{ORIGIN}\n11\nno base64\n",
        f"{ORIGIN}\n11\n\n",
        f"{ORIGIN}\n0\n{signed_note.b64(HEAD.root)}\n",
        f"{ORIGIN}\n{2**63}\n{signed_note.b64(HEAD.root)}\n",
        f"{ORIGIN}\n{'9' * 5000}\n{signed_note.b64(HEAD.root)}\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_is_refused_though_its_signature_holds(text):
    with pytest.raises(NotSigned, match=r"is not a checkpoint|not the hash of a tree"):
        checkpoint.open_checkpoint(signed(text), KEY)


def test_an_empty_log_and_extension_lines_are_read():
    empty = Head(ORIGIN, 0, merkle.EMPTY)
    assert checkpoint.open_checkpoint(checkpoint.sign(PRIVATE, ORIGIN, empty), KEY) == empty
    assert checkpoint.open_checkpoint(signed(HEAD.text + "extension\n"), KEY) == HEAD


def test_another_logs_checkpoint_is_none_of_this_one():
    """Accept a key's signature for its own log name only."""
    with pytest.raises(NotSigned, match="is from console.example/audit/globex"):
        checkpoint.open_checkpoint(
            signed(Head("console.example/audit/globex", 11, HEAD.root).text), KEY
        )


def test_the_wrong_key_is_named_with_the_one_that_signed():
    foreign = VerifierKey("console.example/audit/globex", KEY.public)
    with pytest.raises(
        NotSigned, match=rf"signed with a different key \({ORIGIN}\) than the one you provided"
    ):
        checkpoint.open_checkpoint(NOTE, foreign)


@pytest.mark.parametrize(
    "bent", [NOTE[:-20], NOTE.replace("— ", "- "), "", "\n", HEAD.text, NOTE.replace("\n\n", "\n")]
)
def test_a_note_that_lost_its_signature_is_refused(bent):
    with pytest.raises(NotSigned):
        checkpoint.open_checkpoint(bent, KEY)


# ---- proof files


def test_a_proof_file_proves_its_entry():
    for index, entry in enumerate(ENTRIES):
        assert proof.verify(proof_of(index), entry, KEY) == (index, HEAD)
        assert str(proof.parse(proof_of(index))) == proof_of(index)


def test_it_proves_no_other_entry_and_no_other_place():
    with pytest.raises(ProofFails, match="Entry 4 does not lead to the signed root"):
        proof.verify(proof_of(4), ENTRIES[5], KEY)
    with pytest.raises(ProofFails, match="Entry 5"):
        proof.verify(proof_of(4).replace("index 4\n", "index 5\n"), ENTRIES[4], KEY)
    with pytest.raises(ProofFails, match="There is no entry 11 in a tree of 11"):
        proof.verify(proof_of(4).replace("index 4\n", "index 11\n"), ENTRIES[4], KEY)


def test_an_extra_line_is_allowed_and_means_nothing():
    text = proof_of(4).replace("\nindex 4", f"\nextra {signed_note.b64(b'anything')}\nindex 4")
    assert proof.verify(text, ENTRIES[4], KEY) == (4, HEAD)


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        ("@v1", "@v2"),
        ("index 4", "index 04"),
        ("index 4", "index -4"),
        ("index 4", "place 4"),
        ("index 4", "index 4 "),
        ("index 4\n", ""),
        ("\n\n", "\n"),
        ("c2sp.org", "c2sp.example"),
        ("index 4", "index " + "9" * 20),
        ("index 4\n", "index 4\n" + ("A" * 43 + "=\n") * 64),
        ("index 4\n", "index 4\nnot base64\n"),
        ("index 4\n", "index 4\nAAAA\n"),
        ("index 4\n", f"index 4\n{signed_note.b64(bytes(32))}\n"),
    ],
)
def test_a_bent_proof_file_is_refused_in_a_sentence(found, instead):
    bent = proof_of(4).replace(found, instead, 1)
    assert bent != proof_of(4)
    with pytest.raises(ProofFails) as refused:
        proof.verify(bent, ENTRIES[4], KEY)
    assert str(refused.value).endswith(".")


@given(st.text(max_size=300))
def test_garbage_is_no_proof(text):
    with pytest.raises(ProofFails):
        proof.parse(text)


@given(st.text(max_size=300))
def test_garbage_is_no_checkpoint(text):
    with pytest.raises(NotSigned):
        checkpoint.open_checkpoint(text, KEY)
