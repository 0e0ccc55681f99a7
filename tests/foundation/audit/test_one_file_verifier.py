"""The one-file verifier, which agrees with ours without a line of our code.

It accepts and rejects the same exports.
"""

import ast
import io
import json
import re

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from governance.foundation.audit import jsonl
from governance.foundation.audit.verify import Demand, verify
from governance.kernel.safety import signed_note
from tests.conftest import REPOSITORY
from tests.foundation.audit.one_file_verifier import FILE, one_file, run_verifier, status_of
from tests.foundation.audit.sample_log import SIZE, SampleLog, edit_line, forked_log

LOG = SampleLog()
WHOLE, PART, FILTERED = LOG.export(), LOG.export(4, 22, kind="range"), LOG.export(3, 4, 19)
KINDS = {"whole": WHOLE, "range": PART, "filtered": FILTERED}


def agreed_status(lines, *, key=LOG.key, older=None, whole=False):
    """Return the exit status that both verifiers give."""
    demand = Demand.WHOLE_LOG if whole else None
    ours = verify(lines, key, older, demand=demand).outcome.value
    theirs = status_of(lines, key, older, whole=whole)
    assert ours == theirs, (ours, theirs)
    return ours


def test_it_is_short_and_needs_nothing_but_the_standard_library():
    tree = ast.parse(FILE.read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= set(one_file.sys.stdlib_module_names)
    lines = FILE.read_text().replace(ast.get_docstring(tree, clean=False), "").splitlines()
    assert sum(bool(line.strip()) for line in lines) < 200


def test_its_digest_is_printed_in_the_documentation():
    [digest] = re.findall(
        r"\b[0-9a-f]{64}\b", (REPOSITORY / "docs" / "operating" / "packages.md").read_text()
    )
    assert digest == one_file.hashlib.sha256(FILE.read_bytes()).hexdigest()


# ---- the last line, which no signature covers


def spelled(**fields):
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_line_has_one_spelling(kind):
    *lines, last = KINDS[kind]
    fields = json.loads(last)
    note = fields["signature"]
    signature = note.rpartition("\n\n")[2]
    assert spelled(**fields) == last
    for other in (
        spelled(**fields, note="reviewed"),
        spelled(**dict(reversed(fields.items()))),
        spelled(**fields | {"signature": note + signature}),
        spelled(**fields | {"signature": note.replace(signature, signature * 2)}),
        spelled(**fields | {"signature": f"{note}\N{EM DASH} other AAAAAAAA\n"}),
        last.replace(b',"first"', b', "first"'),
        last.replace(b'"last"', b'"\\u006cast"'),
    ):
        assert agreed_status([*lines, other]) == 1, other


# ---- accepted


@pytest.mark.parametrize("kind", KINDS)
def test_it_accepts_each_kind_of_export_and_any_older_checkpoint(kind):
    assert agreed_status(KINDS[kind]) == 0
    for size in range(1, SIZE + 1):
        assert agreed_status(KINDS[kind], older=LOG.note(size)) == 0


@pytest.mark.parametrize("size", [1, 2, 3, 8, 255, 256, 257])
def test_it_accepts_logs_of_any_size(size):
    log = SampleLog(size)
    assert agreed_status(log.export(), key=log.key, whole=True) == 0
    assert agreed_status(log.export(size - 1), key=log.key) == 0
    assert agreed_status(log.export(0, kind="range"), key=log.key, older=log.note()) == 0


def test_a_log_that_went_on_after_a_restore_is_compared():
    later = SampleLog(seed=6, origin=f"{LOG.origin}/restored-1", word="later", same=15)
    keys = f"{later.key}\n{LOG.key}"
    assert agreed_status(later.export(3), key=keys, older=LOG.note(15)) == 0
    assert agreed_status(later.export(3), key=keys, older=LOG.note(16)) == 1


def test_a_demand_for_every_entry_is_met_by_the_whole_log_only():
    assert agreed_status(WHOLE, whole=True) == 0
    assert agreed_status(LOG.export(0, SIZE - 1, kind="range"), whole=True) == 0
    assert agreed_status(PART, whole=True) == agreed_status(FILTERED, whole=True) == 2


def test_a_checkpoint_that_no_hash_ends_at_is_not_compared():
    assert agreed_status(LOG.export(3, edges=[SIZE]), older=LOG.note(9)) == 2
    other = SampleLog(origin="console.example/audit/globex", seed=4)
    assert agreed_status(WHOLE, key=f"{LOG.key}\n{other.key}", older=other.note(8)) == 2


# ---- refused


@given(st.data(), st.sampled_from(sorted(KINDS)))
def test_any_bit_flipped_anywhere_is_refused(data, kind):
    raw = b"".join(KINDS[kind])
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    bent = bytearray(raw)
    bent[bit // 8] ^= 1 << bit % 8
    assert status_of(io.BytesIO(bent), LOG.key) == 1
    assert not verify(jsonl.lines(io.BytesIO(bent)), LOG.key).ok


@given(st.data(), st.sampled_from(sorted(KINDS)))
def test_dropped_repeated_and_swapped_lines_are_refused(data, kind):
    lines = KINDS[kind]
    at, other = (data.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    swapped = list(lines)
    swapped[at], swapped[other] = swapped[other], swapped[at]
    for bent in ([*lines[:at], *lines[at + 1 :]], [*lines[: at + 1], *lines[at:]]):
        assert status_of(bent, LOG.key) == 1 and not verify(bent, LOG.key).ok
    assert (status_of(swapped, LOG.key) == 0) is (at == other)


def thinned_export():
    """Return a selection without one of its entries, recounted, with its signature kept."""
    kept = [*FILTERED[:2], *FILTERED[3:-1]]
    signature = jsonl.read(FILTERED[-1]).signature
    return [*kept, jsonl.Trailer(2, 3, 19, signature).line]


def shortened_range():
    """Return a range with a later start, in its header, too."""
    header = edit_line(PART[0], first=9)
    signature = jsonl.read(PART[-1]).signature
    return [header, *PART[6:-1], jsonl.Trailer(SIZE - 9, 9, SIZE - 1, signature).line]


@pytest.mark.parametrize(
    ("lines", "check"),
    [
        (thinned_export(), "signature"),
        ([edit_line(FILTERED[0], filters={"since": "2026-01-01"}), *FILTERED[1:]], "signature"),
        ([edit_line(PART[0], filters={"since": "2026-01-01"}), *PART[1:]], "signature"),
        (shortened_range(), "signature"),
        ([PART[0], *PART[1:5], *PART[6:]], "complete"),
        ([edit_line(FILTERED[0], kind="range", first=3, last=19), *FILTERED[1:]], "complete"),
        ([edit_line(FILTERED[0], kind="whole", first=0, last=22, filters={}), *FILTERED[1:]], ""),
        ([WHOLE[0], *forked_log(3).export()[1:]], "entries"),
        (forked_log(0, word="x").export(3, origin="console.example/audit/globex"), ""),
        ([*WHOLE, WHOLE[3]], "end"),
        (WHOLE[:-1], "end"),
        (WHOLE[1:], "format"),
    ],
)
def test_relabelled_thinned_and_forged_exports_are_refused(lines, check):
    assert agreed_status(lines) == 1
    failed = [each.name for each in verify(lines, LOG.key).checks if each.ok is False]
    assert check in failed or not check


def test_a_rewritten_log_is_refused_by_an_older_checkpoint():
    other = forked_log(7)
    for lines in (other.export(), other.export(3), other.export(2, 22, kind="range")):
        assert agreed_status(lines) == agreed_status(lines, older=LOG.note(7)) == 0
        assert agreed_status(lines, older=LOG.note(8)) == 1


def test_another_key_is_refused():
    assert agreed_status(WHOLE, key=SampleLog(seed=9).key) == 1


@given(st.binary(max_size=200), st.integers(0, 8 * 96 - 1))
def test_it_judges_signatures_as_openssl_does(message, bit):
    private = Ed25519PrivateKey.from_private_bytes(message[:32].ljust(32, b"k"))
    public, signature = signed_note.public_half(private), private.sign(message)
    assert one_file.is_signed(public, message, signature)
    bent = bytearray(public + signature)
    bent[bit // 8] ^= 1 << bit % 8
    try:
        assert not one_file.is_signed(bytes(bent[:32]), message, bytes(bent[32:]))
    except ValueError:
        assert bit < 256  # No such key is on the curve.


# ---- the program


@pytest.fixture
def files(tmp_path):
    (tmp_path / "export.jsonl").write_bytes(b"".join(PART))
    (tmp_path / "thinned.jsonl").write_bytes(b"".join(thinned_export()))
    (tmp_path / "older.txt").write_text(LOG.note(8))
    (tmp_path / "keys.txt").write_text(f"# of acme\n{SampleLog(seed=5).key}\n\n{LOG.key}\n")
    return tmp_path


def test_the_program_says_what_holds(files):
    for key in (LOG.key, "keys.txt"):
        done = run_verifier("export.jsonl", "--key", key, "--checkpoint", "older.txt", folder=files)
        assert (done.returncode, done.stderr) == (0, ""), done
        assert "19 entries (range, 4 to 22) of 23" in done.stdout
        assert done.stdout.endswith("Verified.\n")


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("thinned.jsonl", "--key", LOG.key), 1, "was changed after it was signed"),
        (("export.jsonl", "--key", LOG.key, "--whole"), 2, "You asked for every entry"),
        (("export.jsonl", "--key", "nonsense"), 2, "Not checked"),
        (("export.jsonl", "--key", LOG.key, "--checkpoint", "keys.txt"), 2, "Not checked"),
        (("older.txt", "--key", LOG.key), 1, "Do not rely on it"),
        (("gone.jsonl", "--key", LOG.key), 1, "Do not rely on it"),
    ],
)
def test_the_program_says_what_is_wrong_or_not_checked(files, arguments, status, says):
    done = run_verifier(*arguments, folder=files)
    assert (done.returncode, done.stderr) == (status, "") and says in done.stdout, done
