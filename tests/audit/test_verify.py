"""An export is checked without us: what was changed, dropped, reordered, cut off or signed by others is caught and named."""

import io
import itertools
import json
import tracemalloc
from functools import lru_cache

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from governance.audit import checkpoint, jsonl, merkle, tiles
from governance.audit.verify import verify
from governance.cli import main
from governance.kernel import notes

ORIGIN = "console.example/audit/acme"
SIZE = 23


class Log:
    """A log of so many entries and its key."""

    def __init__(self, size=SIZE, *, origin=ORIGIN, seed=1, word="as it was"):
        self.origin, self.size = origin, size
        self.private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.key = notes.verifier_key(self.private, origin)
        self.bodies = [
            json.dumps({"action": "control.changed", "id": f"0199a3f2-0000-7000-8000-{n:012d}", "facts": {"name": f"{word} {n} ä"}},
                       ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode() for n in range(size)
        ]  # fmt: skip
        self._grow()

    def _grow(self):
        grown = tiles.grow(0, b"", [merkle.leaf_hash(body) for body in self.bodies])
        full = {(tile.level, tile.index): tile.hashes for tile in grown.full}
        self.node = lru_cache(maxsize=None)(tiles.nodes(self.size, grown.edge, lambda *where: full[where]))

    def note(self, size=None):
        size = self.size if size is None else size
        return checkpoint.sign(self.private, self.origin, checkpoint.Head(self.origin, size, merkle.root(size, self.node)))

    def entry(self, index):
        return jsonl.Entry(index, self.bodies[index], merkle.inclusion(index, self.size, self.node)).line

    def export(self, *indexes, **bent):
        """The lines of an export of everything, or of the entries with these places only."""
        whole, places = not indexes, list(indexes or range(self.size))
        header = {
            "origin": self.origin, "checkpoint": self.note(), "whole": whole, "first": places[0] if whole else None,
            "last": places[-1] if whole else None, "filters": {} if whole else {"action": "control"},
        } | bent  # fmt: skip
        return [jsonl.Header(**header).line, *map(self.entry, places), jsonl.Trailer(len(places), places[0], places[-1]).line]


LOG = Log()
EXPORT = LOG.export()


def failed(verdict):
    return [check.name for check in verdict.checks if check.ok is False]


def refused(lines, *names, key=LOG.key, held=None):
    """The verdict, once it refused exactly these checks and said so in sentences."""
    verdict = verify(lines, key, held)
    assert not verdict.ok and verdict.sentence.startswith("Do not rely on this export. "), verdict
    assert failed(verdict) == list(names), verdict.checks
    assert all(check.sentence.endswith((".", "…")) for check in verdict.checks)
    return verdict


def edited(line, **changes):
    """A line with other values, otherwise as it was."""
    return json.dumps(json.loads(line) | changes, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


# ---- genuine ones


def test_a_whole_export_is_genuine_and_complete():
    verdict = verify(EXPORT, LOG.key)
    assert verdict.ok and verdict.is_complete and verdict.first_wrong is None
    assert verdict.sentence == "The export is genuine and complete: all 23 entries of the log, as they were signed."
    assert [check.name for check in verdict.checks] == ["format", "checkpoint", "entries", "complete", "end"]


def test_a_filtered_export_is_genuine_and_says_that_it_cannot_prove_to_be_complete():
    verdict = verify(LOG.export(3, 4, 19), LOG.key)
    assert verdict.ok and not verdict.is_complete
    assert "each of its 3 entries stands in the signed log" in verdict.sentence and "it cannot prove" in verdict.sentence
    complete = next(check for check in verdict.checks if check.name == "complete")
    assert complete.ok is None and "the export was filtered (action control)" in complete.sentence


def test_a_range_is_whole_between_its_ends_and_not_called_complete():
    places = range(5, 12)
    lines = [edited(EXPORT[0], first=5, last=11), *map(LOG.entry, places), jsonl.Trailer(7, 5, 11).line]
    verdict = verify(lines, LOG.key)
    assert verdict.ok and not verdict.is_complete
    assert "Places 5 to 11 follow each other without a gap; the log has 23." in [check.sentence for check in verdict.checks]


@pytest.mark.parametrize("size", [1, 2, 3, 8, 255, 256, 257])
def test_logs_of_any_size_verify(size):
    log = Log(size)
    assert verify(log.export(), log.key).is_complete


def test_a_retired_key_verifies_what_it_signed():
    """The reader keeps all keys in one file; remarks and empty lines are left out."""
    newer = Log(seed=2)
    both = f"# keys of acme\n{newer.key}\n\n{LOG.key}\n"
    assert verify(EXPORT, both).ok and verify(newer.export(), both).ok
    refused(EXPORT, "checkpoint", key=newer.key)


# ---- the checkpoint that an auditor holds


@pytest.mark.parametrize("held", [1, 8, 15, 22, 23])
def test_an_older_checkpoint_is_the_beginning(held):
    verdict = verify(EXPORT, LOG.key, LOG.note(held))
    assert verdict.is_complete and "is the beginning of this log" in verdict.checks[-1].sentence


@pytest.mark.parametrize("held", [1, 8, 15, 22, 23])
def test_a_rewritten_history_is_caught_by_an_older_checkpoint(held):
    """Somebody with the signing key makes a new log, valid in itself; only who holds an older checkpoint can tell."""
    other = Log(word="as they would have it")
    assert verify(other.export(), LOG.key).is_complete
    verdict = refused(other.export(), "held", held=LOG.note(held))
    assert "The log was rewritten" in verdict.sentence


def test_a_checkpoint_that_is_larger_than_the_export_is_named():
    assert "or the log was rolled back" in refused(Log(9).export(), "held", held=LOG.note()).sentence


def test_a_filtered_export_is_not_compared_with_an_older_checkpoint_and_says_so():
    verdict = verify(LOG.export(3, 4), LOG.key, LOG.note(8))
    assert verdict.ok and verdict.checks[-1].ok is None and verdict.checks[-1].sentence.startswith("Not checked")
    assert verify(LOG.export(3, 4), LOG.key, LOG.note()).checks[-1].ok is True  # of the same size: the roots are compared
    refused(Log(word="x").export(3, 4), "held", held=LOG.note())


@pytest.mark.parametrize("held", ["", "nonsense", LOG.note(8).replace("\n8\n", "\n9\n"), Log(seed=3).note(8)])
def test_a_held_checkpoint_that_was_not_signed_is_refused(held):
    assert "The checkpoint that you hold cannot be read." in refused(EXPORT, "held", held=held).sentence


# ---- bent ones


def test_a_changed_entry_is_named_by_place_action_id_and_line():
    lines = list(EXPORT)
    lines[8] = lines[8].replace(b"as it was 7", b"as it was 8")
    lines[12] = lines[12].replace(b"as it was", b"AS IT WAS")
    wrong = refused(lines, "entries").first_wrong
    assert (wrong.index, wrong.line, wrong.action, wrong.entry_id) == (
        7,
        9,
        "control.changed",
        "0199a3f2-0000-7000-8000-000000000007",
    )
    assert "Entry 7 does not lead to the signed root" in wrong.sentence
    assert "2 of 23 entries do not lead" in next(
        check.sentence for check in verify(lines, LOG.key).checks if check.name == "entries"
    )


@given(st.data())
def test_any_bit_flipped_anywhere_in_a_whole_export_is_caught(data):
    """In the header, the checkpoint's note, an entry, a path, the end: there is no bit that does not count."""
    raw = b"".join(EXPORT)
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    bent = bytearray(raw)
    bent[bit // 8] ^= 1 << bit % 8
    verdict = verify(jsonl.lines(io.BytesIO(bent)), LOG.key)
    assert not verdict.ok, bytes(bent[max(0, bit // 8 - 30) : bit // 8 + 30])


@given(st.integers(1, SIZE))
def test_a_dropped_entry_is_named(at):
    lines = [*EXPORT[:at], *EXPORT[at + 1 :]]
    verdict = verify(lines, LOG.key)
    assert not verdict.ok
    if at < SIZE:
        assert f"Entry {at - 1} is missing" in verdict.sentence and verdict.first_wrong.index == at
    else:
        assert "says that it has 23 entries, and 22 are there" in verdict.sentence


def test_a_dropped_end_with_a_new_trailer_is_named():
    lines = [*EXPORT[:-4], jsonl.Trailer(20, 0, 19).line]
    assert "was to have the places 0 to 22, and has 0 to 19" in refused(lines, "end").sentence
    hidden = [edited(EXPORT[0], last=19), *lines[1:]]  # even so it does not pass for the whole log
    assert verify(hidden, LOG.key).ok and not verify(hidden, LOG.key).is_complete


@given(st.integers(1, SIZE - 1), st.integers(1, SIZE - 1))
def test_reordered_and_repeated_entries_are_named(one, other):
    lines = list(EXPORT)
    lines[one], lines[other] = lines[other], lines[one]
    assert verify(lines, LOG.key).ok is (one == other)
    verdict = refused([*EXPORT[: one + 1], EXPORT[one], *EXPORT[one + 1 :]], "complete", "end")
    assert "put into another order, or repeated" in verdict.sentence


def test_an_entry_under_another_place_is_caught_though_its_bytes_are_genuine():
    lines = LOG.export(3, 4, 19)
    lines[2] = edited(lines[2], index=5)
    assert refused(lines, "entries").first_wrong.index == 5


def test_an_entry_of_another_log_is_caught():
    lines = list(EXPORT)
    lines[5] = Log(seed=4, word="of globex").entry(4)
    assert refused(lines, "entries").first_wrong.index == 4


def test_a_fork_under_the_same_checkpoint_is_caught_from_its_first_entry():
    fork = Log(word="as they would have it").export()
    assert refused([EXPORT[0], *fork[1:]], "entries").first_wrong.index == 0


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (Log(seed=9).key, "does not hold|another key"),
        (Log(seed=9, origin="console.example/audit/globex").key, "signed with another key"),
        ("", "No key was given"), ("nonsense", "should read name"), (LOG.key[:-8] + "AAAAAAA" + LOG.key[-1], "does not match its own id"),
        (f"{LOG.key}\nnonsense", "Key 2: "), ("\ud800+00000000+AA==", "key"), ("x" * 100_000, "should read name"), ("k\n" * 200, "More than 100"),
    ],
)  # fmt: skip
def test_a_wrong_foreign_or_damaged_key_is_named(key, says):
    verdict = verify(EXPORT, key)
    assert not verdict.ok and any(part in verdict.sentence for part in says.split("|")), verdict.sentence


def test_several_keys_of_which_none_signed():
    verdict = refused(EXPORT, "checkpoint", key=f"{Log(origin='a.example/x').key}\n{Log(origin='b.example/y').key}")
    assert "None of the 2 keys given signed this checkpoint" in verdict.sentence


def test_a_checkpoint_of_another_log_under_this_header_is_named():
    assert (
        "its checkpoint is that of"
        in refused([edited(EXPORT[0], origin="console.example/audit/globex"), *EXPORT[1:]], "checkpoint").sentence
    )


# ---- garbage, each with its line


@pytest.mark.parametrize(
    ("lines", "check", "says"),
    [
        ([], "format", "The file is empty."),
        ([b"\n"], "format", "Line 1 is not the beginning of an export. It is not JSON."),
        ([b"\0\xff\xfe garbage\n"], "format", "its bytes are no UTF-8"),
        ([b"PK\x03\x04" + bytes(200) + b"\n"], "format", "Line 1"),
        ([b"[" * 200_000 + b"\n"], "format", "It is not JSON."),
        ([b'{"a":' * 30_000 + b"\n"], "format", "It is not JSON."),
        ([b"1" * 100_000 + b"\n"], "format", "It is not JSON."),
        ([b"[1]\n"], "format", "It is no JSON object."),
        ([b'{"format":"other/1"}\n'], "format", "It names another format than governance.audit-export/1."),
        ([b'{"format":"governance.audit-export/1"}\n'], "format", "It should have the names"),
        ([edited(EXPORT[0], checkpoint=5)], "format", "is damaged"), ([edited(EXPORT[0], whole="yes")], "format", "is damaged"),
        ([edited(EXPORT[0], first=True)], "format", "no place in a log"), ([edited(EXPORT[0], last=2**63)], "format", "no place in a log"),
        ([edited(EXPORT[0], filters={"q": "x"})], "format", "both that it is whole and that it was filtered"),
        ([edited(EXPORT[0], checkpoint="")], "checkpoint", "no signature line"),
        ([edited(EXPORT[0], checkpoint=LOG.note()[:-30])], "checkpoint", "cut short or damaged"),
        ([EXPORT[0].replace(b"acme", b"ac\\ud800me")], "checkpoint", ""),
        (EXPORT[1:], "format", "the file's first lines are missing"),
        ([EXPORT[0]], "entries", ""),
    ],
)  # fmt: skip
def test_a_file_that_is_no_export_is_named(lines, check, says):
    verdict = verify(lines, LOG.key)
    assert not verdict.ok and failed(verdict)[0] == check and says in verdict.sentence, verdict


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"{}\n", "neither an entry nor the beginning"), (b"\n", "It is not JSON."), (b"\xc3\x28\n", "no UTF-8"), (b"null\n", "no JSON object"),
        (EXPORT[4][:-1], "the file ends in the middle of it"), (EXPORT[4][:40], "the file ends in the middle of it"),
        (EXPORT[0], "the beginning of another export"), (edited(EXPORT[4], index=-1), "no place"), (edited(EXPORT[4], index="3"), "no place"),
        (edited(EXPORT[4], index=1.0), "no place"), (edited(EXPORT[4], entry=None), "damaged"), (edited(EXPORT[4], proof={}), "damaged"),
        (edited(EXPORT[4], proof=["AAAA"]), "damaged"), (edited(EXPORT[4], proof=[7]), "damaged"), (edited(EXPORT[4], proof=["A" * 43 + "="] * 64), "damaged"),
        (edited(EXPORT[4], proof=["A" * 42 + "B="]), "damaged"), (edited(EXPORT[4], more=1), "and has others"),
        (EXPORT[4].replace(b'{"index":3', b'{"index":4,"index":3'), "the same name twice"),
        (EXPORT[4].replace(b"as it was", b"\\ud800"), "no Unicode text"), (b'"' + b"x" * jsonl.LONGEST + b'"\n', "longer than 256 KB"),
        (b'{"index":' + b"9" * 5000 + b"}\n", "It is not JSON."),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_read_is_named_by_its_number(line, says):
    verdict = verify([*EXPORT[:4], line, *EXPORT[5:]], LOG.key)
    assert not verdict.ok and "Line 5 " in verdict.sentence and says in verdict.sentence, verdict


@pytest.mark.parametrize("kept", [1, 2, SIZE, SIZE + 1])
def test_an_export_that_was_cut_short_between_lines_is_named(kept):
    verdict = verify(EXPORT[:kept], LOG.key)
    assert not verdict.ok
    assert (
        f"The export is cut short: it ends with line {kept}"
        in [check.sentence for check in verdict.checks if check.name == "end"][0]
    )


@given(st.integers(1, len(b"".join(EXPORT)) - 1))
def test_an_export_that_was_cut_short_anywhere_is_caught(kept):
    assert not verify(jsonl.lines(io.BytesIO(b"".join(EXPORT)[:kept])), LOG.key).ok


def test_what_stands_behind_the_end_is_named():
    assert "Line 26 stands behind the end" in refused([*EXPORT, EXPORT[3]], "end").sentence


def test_an_export_of_nothing_proves_nothing():
    header = edited(LOG.export(3)[0])
    assert "holds no entry" in refused([header, jsonl.Trailer(0, None, None).line], "entries").sentence


@given(st.lists(st.binary(max_size=60).map(lambda line: line + b"\n"), max_size=5), st.text(max_size=60), st.text(max_size=60))
def test_no_garbage_raises(lines, key, held):
    assert not verify(lines, key, held).ok
    assert not verify([EXPORT[0], *lines], LOG.key, held).ok


def test_what_a_file_says_of_itself_cannot_write_to_the_terminal():
    evil = Log(origin="evil\x1b[31m\u202e.example")
    sentences = " ".join(check.sentence for check in verify(evil.export(), evil.key).checks)
    assert "\x1b" not in sentences and "\u202e" not in sentences and "evil\N{REPLACEMENT CHARACTER}" in sentences
    lines = list(EXPORT)
    lines[3] = edited(lines[3], entry='{"action":"\x1b[2J","id":"<script>"}')
    wrong = refused(lines, "entries").first_wrong
    assert (wrong.action, wrong.entry_id) == ("an action that cannot be read", "without an id")


# ---- memory


class Endless:
    """A file that is one line of 100 MB."""

    def __init__(self, size=100_000_000):
        self.left = size

    def readline(self, limit):
        taken = min(limit, self.left)
        self.left -= taken
        return b"x" * taken


def test_a_line_of_a_hundred_megabytes_is_named_and_not_read():
    for before in ([], EXPORT[:3]):
        source = Endless()
        tracemalloc.start()
        verdict = verify(itertools.chain(before, jsonl.lines(source)), LOG.key)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        sentences = " ".join(check.sentence for check in verdict.checks if check.ok is False)
        assert not verdict.ok and f"Line {len(before) + 1} " in sentences and "longer than 256 KB" in sentences
        assert peak < 4_000_000 and source.left > 99_000_000


@pytest.mark.slow
def test_the_memory_does_not_grow_with_the_file():
    peaks = []
    for count in (2_000, 8_000):
        log = Log(count)
        lines, held = log.export(), log.note(count // 2)
        tracemalloc.start()
        assert verify(lines, log.key, held).is_complete
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 2_500_000  # the caches of hashes fill; four times the entries would take 4 MB more


# ---- the command


@pytest.fixture
def files(tmp_path):
    (tmp_path / "export.jsonl").write_bytes(b"".join(EXPORT))
    (tmp_path / "keys.txt").write_text(f"{Log(seed=5).key}\n{LOG.key}\n")
    (tmp_path / "held.txt").write_text(LOG.note(8))
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(main, ["verify-log", *map(str, arguments)])


def test_the_command_says_what_holds_and_leaves_with_nought(files):
    for key in (LOG.key, files / "keys.txt"):
        done = run(files / "export.jsonl", "--key", key, "--checkpoint", files / "held.txt")
        assert done.exit_code == 0, done.output
        assert (
            done.output.splitlines()[-1] == "The export is genuine and complete: all 23 entries of the log, as they were signed."
        )
        assert done.output.count("ok  ") == 6


def test_the_command_names_the_first_wrong_entry_and_leaves_with_one(files):
    (files / "bent.jsonl").write_bytes(b"".join(EXPORT).replace(b"as it was 7", b"as it was 9"))
    done = run(files / "bent.jsonl", "--key", LOG.key)
    assert done.exit_code == 1 and "FAIL" in done.output
    assert "The first wrong entry is 7 (control.changed, 0199a3f2-0000-7000-8000-000000000007) in line 9." in done.output


def test_the_command_says_what_it_could_not_check(files):
    (files / "some.jsonl").write_bytes(b"".join(LOG.export(3, 4)))
    done = run(files / "some.jsonl", "--key", LOG.key)
    assert done.exit_code == 0 and "--    Not checked: the export was filtered" in done.output


@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"{", b"\xff\n", b"[" * 100_000])
def test_the_command_meets_garbage_without_a_traceback(files, content):
    (files / "x").write_bytes(content)
    for arguments in ((files / "x", "--key", LOG.key), (files / "export.jsonl", "--key", files / "x"),
                      (files / "export.jsonl", "--key", LOG.key, "--checkpoint", files / "x")):  # fmt: skip
        done = run(*arguments)
        assert done.exit_code == 1 and isinstance(done.exception, SystemExit), done.output
        assert done.output.splitlines()[-1].startswith("Do not rely on this export. ")
