"""Verification of an export without Meridian.

Changed, dropped, reordered, cut-off or foreign-signed parts are detected and named.
"""

import base64
import io
import itertools
import json
import tracemalloc

import aics_tlog
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from governance.app.cli import main
from governance.foundation.audit import jsonl
from governance.foundation.audit.earlier_roots import Frontier, subtrees
from governance.foundation.audit.verify import Demand, verify
from governance.kernel.files.verification_results import CheckOutcome
from tests.foundation.audit.sample_log import ORIGIN, SIZE, SampleLog, edit_line, forked_log

LOG = SampleLog()
EXPORT = LOG.export()


def failed_checks(verdict):
    return [check.name for check in verdict.checks if check.ok is False]


def refused_verdict(lines, *names, key=LOG.key, held=None):
    """Return the verdict, after checking that exactly these checks failed, each with a sentence."""
    verdict = verify(lines, key, held)
    assert not verdict.ok and verdict.sentence.startswith("Do not rely on this export. "), verdict
    failed = failed_checks(verdict)
    # The signature covers each line, so it fails together with any other check.
    if failed != ["signature"]:
        failed = [name for name in failed if name != "signature"]
    assert failed == list(names), verdict.checks
    assert all(check.sentence.endswith((".", "…")) for check in verdict.checks)
    return verdict


# ---- genuine exports


def test_a_whole_export_is_genuine_and_complete():
    verdict = verify(EXPORT, LOG.key)
    assert verdict.ok and verdict.is_complete and verdict.first_wrong is None
    assert (
        verdict.sentence
        == "The export is genuine and complete: it has all 23 entries of the log, as they were"
        " signed."
    )
    assert [check.name for check in verdict.checks] == [
        "format",
        "checkpoint",
        "entries",
        "complete",
        "end",
        "signature",
    ]


def test_a_filtered_export_is_genuine_and_says_that_it_cannot_prove_to_be_complete():
    verdict = verify(LOG.export(3, 4, 19), LOG.key)
    assert verdict.ok and not verdict.is_complete
    assert (
        "every entry in it (3) is in the signed log" in verdict.sentence
        and "It can't show" in verdict.sentence
    )
    complete = next(check for check in verdict.checks if check.name == "complete")
    assert complete.ok is None and "The export was filtered (action control)" in complete.sentence


def test_a_range_proves_that_no_entry_between_its_ends_is_missing():
    lines = LOG.export(4, 11, kind="range", filters={"since": "2026-07-01"})
    verdict = verify(lines, LOG.key)
    assert verdict.is_gapless and not verdict.is_complete
    assert "has no gap: it has all 8 entries from 4 to 11" in verdict.sentence
    complete = next(check for check in verdict.checks if check.name == "complete")
    assert complete.sentence == (
        "No entry is missing from entry 4 to entry 11. The range was chosen by since 2026-07-01."
    )
    for at in range(1, 9):
        assert not verify([*lines[:at], *lines[at + 1 :]], LOG.key).ok


def test_a_demand_for_every_entry_is_met_or_said_not_to_be_checked():
    ranged = LOG.export(4, 22, kind="range")
    for lines, demand, outcome in (
        (EXPORT, Demand.WHOLE_LOG, CheckOutcome.RIGHT),
        (ranged, Demand.TO_THE_END, CheckOutcome.RIGHT),
        (ranged, Demand.WHOLE_LOG, CheckOutcome.NOT_CHECKED),
        (LOG.export(4, 21, kind="range"), Demand.TO_THE_END, CheckOutcome.NOT_CHECKED),
        (LOG.export(3, 4), Demand.TO_THE_END, CheckOutcome.NOT_CHECKED),
        ([*ranged[:3], *ranged[4:]], Demand.TO_THE_END, CheckOutcome.WRONG),
    ):
        assert verify(lines, LOG.key, demand=demand).outcome is outcome, (demand, lines[0])


def test_part_of_a_log_that_claims_to_be_the_whole_is_refused():
    lines = [
        edit_line(EXPORT[0], first=5, last=11),
        *map(LOG.entry, range(5, 12)),
        jsonl.Trailer(7, 5, 11, "").line,
    ]
    assert (
        "claims to be the whole log, but has only entries 5 to 11 of 23"
        in refused_verdict(lines, "complete").sentence
    )


@pytest.mark.parametrize("size", [1, 2, 3, 8, 255, 256, 257])
def test_logs_of_any_size_verify(size):
    log = SampleLog(size)
    assert verify(log.export(), log.key).is_complete


def test_a_retired_key_verifies_what_it_signed():
    """Accept all of a reader's keys in one file, with remarks and empty lines."""
    newer = SampleLog(seed=2)
    both = f"# keys of acme\n{newer.key}\n\n{LOG.key}\n"
    assert verify(EXPORT, both).ok and verify(newer.export(), both).ok
    refused_verdict(EXPORT, "checkpoint", key=newer.key)


# ---- an auditor's checkpoint


@pytest.mark.parametrize("held", [1, 8, 15, 22, 23])
def test_an_older_checkpoint_is_the_beginning(held):
    verdict = verify(EXPORT, LOG.key, LOG.note(held))
    assert verdict.is_complete and "This log begins with the " in verdict.checks[-1].sentence


@pytest.mark.parametrize("held", [1, 8, 15, 22, 23])
def test_a_rewritten_history_is_caught_by_an_older_checkpoint(held):
    """Detect a new, consistent log by the holder of the signing key.

    Only a reader with an older checkpoint can detect it.
    """
    other = SampleLog(word="as they would have it")
    assert verify(other.export(), LOG.key).is_complete
    verdict = refused_verdict(other.export(), "older checkpoint", held=LOG.note(held))
    assert "The log contradicts your older checkpoint: it was rewritten" in verdict.sentence


@pytest.mark.parametrize("held", [1, 8, 15, 22, 23])
def test_part_of_a_log_is_compared_with_any_older_checkpoint(held):
    verdict = verify(LOG.export(3, 4, 19), LOG.key, LOG.note(held))
    assert verdict.ok and not verdict.is_complete
    assert f"This log begins with the {held} entr" in verdict.checks[-1].sentence


@pytest.mark.parametrize(("at", "held"), [(0, 1), (5, 6), (7, 8), (8, 15), (21, 22), (22, 23)])
def test_part_of_a_forked_log_contradicts_an_older_checkpoint(at, held):
    """Use a part from before the fork, which is genuine in both logs."""
    other = forked_log(at)
    lines = other.export(*(range(at) or (0,)))
    assert verify(lines, LOG.key).ok
    assert (
        "The log contradicts your older checkpoint"
        in refused_verdict(lines, "older checkpoint", held=LOG.note(held)).sentence
    )
    assert verify(lines, LOG.key, LOG.note(at)).ok is (
        at > 0
    )  # What was signed before the fork is still its beginning.


@given(st.data())
def test_any_size_of_any_log_is_compared_rightly(data):
    """Give both answers over random sizes, forks and cuts of the tree.

    A size at no cut is reported as not checked.
    """
    size = data.draw(st.integers(1, 600), "size")
    held = data.draw(st.integers(1, size), "held")
    at = data.draw(st.integers(0, size), "fork")
    edges = data.draw(
        st.none()
        | st.sets(st.integers(1, size), max_size=12).map(lambda found: sorted({*found, size})),
        "edges",
    )
    log, other = SampleLog(size), forked_log(at, size=size)
    verdict = verify(
        other.export(data.draw(st.integers(0, size - 1)), edges=edges), log.key, log.note(held)
    )
    assert not failed_checks(verdict) or failed_checks(verdict) == ["older checkpoint"], verdict
    told = CheckOutcome.RIGHT if held <= at else CheckOutcome.WRONG
    is_at_a_cut = edges is None or held == size or held in {place for _, place in subtrees(edges)}
    assert verdict.outcome is (told if is_at_a_cut else CheckOutcome.NOT_CHECKED), verdict


def test_hashes_cut_at_some_sizes_are_fewer_and_lead_to_the_same_root():
    log = SampleLog(5000)
    few = list(log.hashes([700, 3000, 5000]))
    assert sum(len(jsonl.read(line).hashes) for line in few) < 40 and sum(map(len, few)) < 4000
    lines = log.export(3, edges=[700, 3000, 5000])
    assert verify(lines, log.key, log.note(3000)).ok
    assert verify(lines, log.key, log.note(3001)).outcome is CheckOutcome.NOT_CHECKED


def not_checked(lines, says, *, key=LOG.key, **given):
    verdict = verify(lines, key, **given)
    assert (
        verdict.outcome is CheckOutcome.NOT_CHECKED and not verdict.ok and not verdict.is_complete
    ), verdict
    assert says in verdict.sentence and "a requested check could not run" in verdict.sentence, (
        verdict.sentence
    )


UNCUT = {"edges": [SIZE]}  # The hashes of a log of more than a million entries.


def test_part_of_a_long_log_is_genuine_and_cannot_be_compared_between_its_cuts():
    lines = LOG.export(3, 4, **UNCUT)
    assert verify(lines, LOG.key).ok and verify(lines, LOG.key, LOG.note(16)).ok
    not_checked(
        lines,
        "/audit/acme/proof/consistency?from=8&to=23 with --consistency",
        checkpoint=LOG.note(8),
    )
    assert verify(lines, LOG.key, LOG.note()).ok  # The sizes are equal, so the roots are compared.
    refused_verdict(forked_log(3).export(3, 4, **UNCUT), "older checkpoint", held=LOG.note())


def test_a_consistency_proof_compares_what_the_export_alone_cannot():
    lines = LOG.export(3, 4, **UNCUT)
    for held in range(1, SIZE + 1):
        assert verify(lines, LOG.key, LOG.note(held), LOG.consistency(held)).ok
        other = forked_log(held - 1)
        for proof in (other.consistency(held), LOG.consistency(held)):
            verdict = verify(other.export(3, 4, **UNCUT), LOG.key, LOG.note(held), proof)
            assert verdict.outcome is CheckOutcome.WRONG, (held, verdict)
    verdict = verify(forked_log(3).export(3, 4), LOG.key, LOG.note(8), forked_log(3).consistency(8))
    assert failed_checks(verdict) == ["older checkpoint", "consistency proof"]


@pytest.mark.parametrize(
    ("proof", "says"),
    [
        ("", "not an answer of /proof/consistency"),
        ("[]", "not an answer"),
        ("{}", "not an answer"),
        ("[" * 50_000, "not an answer"),
        ('{"from": 8, "to": 23, "path": ["?"]}', "not an answer"),
        ('{"from": "8", "to": 23, "path": []}', "not numbers of entries"),
        (LOG.consistency(9), "from 9 to 23 entries. Get one from 8 to 23"),
        (LOG.consistency(8, 22), "from 8 to 22 entries"),
    ],
)
def test_a_consistency_proof_that_is_none_or_another_ones_checks_nothing(proof, says):
    not_checked(LOG.export(3, **UNCUT), says, checkpoint=LOG.note(8), consistency=proof)
    not_checked(
        LOG.export(3), says, checkpoint=LOG.note(8), consistency=proof
    )  # The reader requested it, though it isn't needed.


def test_a_consistency_proof_without_a_checkpoint_checks_nothing():
    not_checked(EXPORT, "needs your older checkpoint", consistency=LOG.consistency(8))


def test_a_checkpoint_that_is_larger_than_the_export_is_not_checked():
    for lines in (SampleLog(9).export(), SampleLog(9).export(3)):
        not_checked(
            lines,
            "covers 23 entries, but this export only 9. Request a newer export",
            checkpoint=LOG.note(),
        )


def test_a_checkpoint_over_nothing_is_not_checked():
    not_checked(EXPORT, "covers no entries", checkpoint=SampleLog(0).note())


@pytest.mark.parametrize(
    "held", ["", "nonsense", LOG.note(8).replace("\n8\n", "\n9\n"), SampleLog(seed=3).note(8)]
)
def test_a_held_checkpoint_that_was_not_signed_with_the_key_is_not_checked(held):
    for lines in (EXPORT, LOG.export(3)):
        not_checked(lines, "Your older checkpoint can't be used.", checkpoint=held)


def test_a_checkpoint_of_another_log_is_not_checked():
    other = SampleLog(origin="console.example/audit/globex", seed=4)
    for lines in (EXPORT, LOG.export(3)):
        not_checked(
            lines,
            "from another log, console.example/audit/globex",
            key=f"{LOG.key}\n{other.key}",
            checkpoint=other.note(8),
        )


def test_a_log_that_goes_on_under_another_origin_is_compared_with_checkpoints_of_the_first():
    """Accept checkpoints from before the loss, and reject lost ones, after logs.resume."""
    later = SampleLog(seed=6, origin=f"{ORIGIN}/restored-1", word="after the restore", same=15)
    keys = f"{later.key}\n{LOG.key}"
    assert verify(later.export(3), keys, LOG.note(15)).ok
    assert verify(later.export(3), keys, LOG.note(16)).outcome is CheckOutcome.WRONG


@given(st.data())
def test_another_program_confirms_the_same_consistency(data):
    """Confirm with aics-tlog, which is independent of our code.

    It reads our checkpoints and confirms the smaller sizes that our export shows.
    """
    size = data.draw(st.integers(2, 400), "size")
    held = data.draw(st.integers(1, size - 1), "held")
    log = SampleLog(size)
    assert aics_tlog.verify_checkpoint(
        aics_tlog.parse_note(log.note(held)), aics_tlog.parse_vkey(log.key)
    ).ok
    older, newer = (
        aics_tlog.parse_checkpoint(aics_tlog.parse_note(log.note(n)).text) for n in (held, size)
    )
    path = [base64.b64decode(each) for each in json.loads(log.consistency(held))["path"]]
    assert aics_tlog.verify_consistency(held, size, older.root, newer.root, path)
    assert not aics_tlog.verify_consistency(
        held, size, forked_log(held - 1, size=size).head(held).root, newer.root, path
    )
    tree = Frontier()
    for leaf in [each for line in log.hashes() for each in jsonl.read(line).hashes][:held]:
        tree.add(leaf)
    assert tree.root() == older.root


# ---- the hashes of the tree


PART = LOG.export(3, 4, 19)


def test_an_export_of_part_of_the_log_carries_the_hash_of_every_entry():
    [line] = [found for found in map(jsonl.read, PART) if isinstance(found, jsonl.Subtrees)]
    assert (line.place, line.level, len(line.hashes)) == (0, 0, SIZE)
    assert not [found for found in map(jsonl.read, EXPORT) if isinstance(found, jsonl.Subtrees)]


def test_hashes_that_are_missing_changed_moved_or_too_many_are_named():
    line = next(LOG.hashes())
    other = next(forked_log(3).hashes())
    for lines, says in (
        ([*PART[:4], PART[5]], "do not lead to the signed root"),
        ([*PART[:4], other, PART[5]], "do not lead to the signed root"),
        (
            [*PART[:4], edit_line(line, place=1), PART[5]],
            "the hashes from place 1, but those from place 0 should follow",
        ),
        (
            [*PART[:4], line, line, PART[5]],
            "the hashes from place 0, but those from place 23",
        ),
        ([*PART[:4], edit_line(line, level=1), PART[5]], "do not lead"),
        ([*EXPORT[:-1], line, EXPORT[-1]], "which this kind of export should not have"),
    ):
        for held in (None, LOG.note(8)):
            assert says in refused_verdict(lines, "hashes", held=held).sentence


@given(st.data())
def test_any_bit_flipped_anywhere_in_part_of_a_log_is_caught(data):
    """Detect it in the filters and the kind of export, too."""
    raw = b"".join(PART)
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    bent = bytearray(raw)
    bent[bit // 8] ^= 1 << bit % 8
    assert verify(jsonl.lines(io.BytesIO(bent)), LOG.key).outcome is CheckOutcome.WRONG


# ---- altered exports


def test_a_changed_entry_is_named_by_place_action_id_and_line():
    lines = list(EXPORT)
    lines[8] = lines[8].replace(b"as it was 7", b"as it was 8")
    lines[12] = lines[12].replace(b"as it was", b"AS IT WAS")
    wrong = refused_verdict(lines, "entries").first_wrong
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
    """Detect a flip in the header, the checkpoint's note, an entry, a path or the end.

    No bit is without effect.
    """
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
        assert "should have 23 entries, but has 22" in verdict.sentence


def test_a_dropped_end_with_a_new_trailer_is_named():
    lines = [*EXPORT[:-4], jsonl.Trailer(20, 0, 19, "").line]
    assert "should have entries 0 to 22, but has 0 to 19" in refused_verdict(lines, "end").sentence
    hidden = [
        edit_line(EXPORT[0], last=19),
        *lines[1:],
    ]  # Even so it doesn't pass as the complete log.
    assert "claims to be the whole log" in refused_verdict(hidden, "complete").sentence


@given(st.integers(1, SIZE - 1), st.integers(1, SIZE - 1))
def test_reordered_and_repeated_entries_are_named(one, other):
    lines = list(EXPORT)
    lines[one], lines[other] = lines[other], lines[one]
    assert verify(lines, LOG.key).ok is (one == other)
    verdict = refused_verdict(
        [*EXPORT[: one + 1], EXPORT[one], *EXPORT[one + 1 :]], "complete", "end"
    )
    assert "entries were reordered or repeated" in verdict.sentence


def test_an_entry_under_another_place_is_caught_though_its_bytes_are_genuine():
    lines = LOG.export(3, 4, 19)
    lines[2] = edit_line(lines[2], index=5)
    assert refused_verdict(lines, "entries").first_wrong.index == 5


def test_an_entry_of_another_log_is_caught():
    lines = list(EXPORT)
    lines[5] = SampleLog(seed=4, word="of globex").entry(4)
    assert refused_verdict(lines, "entries").first_wrong.index == 4


def test_a_fork_under_the_same_checkpoint_is_caught_from_its_first_entry():
    fork = SampleLog(word="as they would have it").export()
    assert refused_verdict([EXPORT[0], *fork[1:]], "entries").first_wrong.index == 0


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (SampleLog(seed=9).key, "is invalid|different key"),
        (
            SampleLog(seed=9, origin="console.example/audit/globex").key,
            "signed with a different key",
        ),
        ("", "No key was given"),
        ("nonsense", "isn't a verifier key"),
        (LOG.key[:-8] + "AAAAAAA" + LOG.key[-1], "doesn't match its ID"),
        (f"{LOG.key}\nnonsense", "Key 2: "),
        ("\ud800+00000000+AA==", "key"),
        ("x" * 100_000, "isn't a verifier key"),
        ("k\n" * 200, "More than 100"),
    ],
)
def test_a_wrong_foreign_or_damaged_key_is_named(key, says):
    verdict = verify(EXPORT, key)
    assert not verdict.ok and any(part in verdict.sentence for part in says.split("|")), (
        verdict.sentence
    )


def test_several_keys_of_which_none_signed():
    verdict = refused_verdict(
        EXPORT,
        "checkpoint",
        key=f"{SampleLog(origin='a.example/x').key}\n{SampleLog(origin='b.example/y').key}",
    )
    assert "None of the 2 keys given signed this checkpoint" in verdict.sentence


def test_a_checkpoint_of_another_log_under_this_header_is_named():
    assert (
        "its checkpoint is from"
        in refused_verdict(
            [edit_line(EXPORT[0], origin="console.example/audit/globex"), *EXPORT[1:]], "checkpoint"
        ).sentence
    )


# ---- garbage, named by its line


@pytest.mark.parametrize(
    ("lines", "check", "says"),
    [
        ([], "format", "The file is empty."),
        ([b"\n"], "format", "Line 1 is not the beginning of an export. It is not JSON."),
        ([b"\0\xff\xfe garbage\n"], "format", "its bytes are not UTF-8"),
        ([b"PK\x03\x04" + bytes(200) + b"\n"], "format", "Line 1"),
        ([b"[" * 200_000 + b"\n"], "format", "It is not JSON."),
        ([b'{"a":' * 30_000 + b"\n"], "format", "It is not JSON."),
        ([b"1" * 100_000 + b"\n"], "format", "It is not JSON."),
        ([b"[1]\n"], "format", "It is not a JSON object."),
        (
            [b'{"format":"other/1"}\n'],
            "format",
            "Its format isn't governance.audit-export/3",
        ),
        ([b'{"format":"governance.audit-export/3"}\n'], "format", "It should have the fields"),
        ([edit_line(EXPORT[0], checkpoint=5)], "format", "is damaged"),
        ([edit_line(EXPORT[0], kind="all")], "format", "is damaged"),
        ([edit_line(EXPORT[0], first=True)], "format", "not a place in a log"),
        ([edit_line(EXPORT[0], last=2**63)], "format", "not a place in a log"),
        (
            [edit_line(EXPORT[0], filters={"q": "x"})],
            "format",
            "it says the export is the whole log, and that it was filtered",
        ),
        ([edit_line(EXPORT[0], checkpoint="")], "checkpoint", "no signature line"),
        (
            [edit_line(EXPORT[0], checkpoint=LOG.note()[:-30])],
            "checkpoint",
            "incomplete or damaged",
        ),
        ([EXPORT[0].replace(b"acme", b"ac\\ud800me")], "checkpoint", ""),
        (EXPORT[1:], "format", "the file's first lines are missing"),
        ([EXPORT[0]], "end", "cut short"),
    ],
)
def test_a_file_that_is_no_export_is_named(lines, check, says):
    verdict = verify(lines, LOG.key)
    assert not verdict.ok and failed_checks(verdict)[0] == check and says in verdict.sentence, (
        verdict
    )


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"{}\n", "neither an entry, nor hashes"),
        (b"\n", "It is not JSON."),
        (b"\xc3\x28\n", "not UTF-8"),
        (b"null\n", "not a JSON object"),
        (EXPORT[4][:-1], "the file ends in the middle of it"),
        (EXPORT[4][:40], "the file ends in the middle of it"),
        (EXPORT[0], "the beginning of another export"),
        (edit_line(EXPORT[4], index=-1), "not a place"),
        (edit_line(EXPORT[4], index="3"), "not a place"),
        (edit_line(EXPORT[4], index=1.0), "not a place"),
        (edit_line(EXPORT[4], entry=None), "damaged"),
        (edit_line(EXPORT[4], proof={}), "damaged"),
        (edit_line(EXPORT[4], proof=["AAAA"]), "damaged"),
        (edit_line(EXPORT[4], proof=[7]), "damaged"),
        (edit_line(EXPORT[4], proof=["A" * 43 + "="] * 64), "damaged"),
        (edit_line(EXPORT[4], proof=["A" * 42 + "B="]), "damaged"),
        (edit_line(EXPORT[4], more=1), "but has others"),
        (EXPORT[4].replace(b'{"index":3', b'{"index":4,"index":3'), "the same name twice"),
        (EXPORT[4].replace(b"as it was", b"\\ud800"), "not Unicode text"),
        (b'"' + b"x" * jsonl.MAX_LINE_BYTES + b'"\n', "longer than 256 KB"),
        (b'{"index":' + b"9" * 5000 + b"}\n", "It is not JSON."),
    ],
)
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
    assert "Line 26 comes after the end" in refused_verdict([*EXPORT, EXPORT[3]], "end").sentence


def test_an_export_of_nothing_proves_nothing():
    header = edit_line(LOG.export(3)[0])
    not_checked(
        LOG.sealed([header, *LOG.hashes()]),
        "has no entries, so there is nothing to verify",
    )


@given(
    st.lists(st.binary(max_size=60).map(lambda line: line + b"\n"), max_size=5),
    st.text(max_size=60),
    st.text(max_size=60),
)
def test_no_garbage_raises(lines, key, held):
    assert not verify(lines, key, held).ok
    assert not verify([EXPORT[0], *lines], LOG.key, held).ok


def test_what_a_file_says_of_itself_cannot_write_to_the_terminal():
    evil = SampleLog(origin="evil\x1b[31m\u202e.example")
    sentences = " ".join(check.sentence for check in verify(evil.export(), evil.key).checks)
    assert (
        "\x1b" not in sentences
        and "\u202e" not in sentences
        and "evil\N{REPLACEMENT CHARACTER}" in sentences
    )
    lines = list(EXPORT)
    lines[3] = edit_line(lines[3], entry='{"action":"\x1b[2J","id":"<script>"}')
    wrong = refused_verdict(lines, "entries").first_wrong
    assert (wrong.action, wrong.entry_id) == ("unreadable action", "no ID")


# ---- memory


class EndlessLine:
    """A file that is one line of 100 MB."""

    def __init__(self, size=100_000_000):
        self.left = size

    def readline(self, limit):
        taken = min(limit, self.left)
        self.left -= taken
        return b"x" * taken


def test_a_line_of_a_hundred_megabytes_is_named_and_not_read():
    for before in ([], EXPORT[:3]):
        source = EndlessLine()
        tracemalloc.start()
        verdict = verify(itertools.chain(before, jsonl.lines(source)), LOG.key)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        sentences = " ".join(check.sentence for check in verdict.checks if check.ok is False)
        assert (
            not verdict.ok
            and f"Line {len(before) + 1} " in sentences
            and "longer than 256 KB" in sentences
        )
        assert peak < 4_000_000 and source.left > 99_000_000


@pytest.mark.slow
@pytest.mark.parametrize("part", [False, True])
def test_the_memory_does_not_grow_with_the_file(part):
    peaks = []
    for count in (5_000, 20_000) if part else (2_000, 8_000):
        log = SampleLog(count)
        lines, held = log.export(*((3, 4, count // 3) if part else ())), log.note(count // 2)
        tracemalloc.start()
        verdict = verify(lines, log.key, held)
        assert verdict.ok and verdict.is_complete is not part
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (
        peaks[1] < peaks[0] + 2_500_000
    )  # The caches of hashes fill; four times the entries would take 4 MB more.


# ---- the command


@pytest.fixture
def export_files(tmp_path):
    (tmp_path / "export.jsonl").write_bytes(b"".join(EXPORT))
    (tmp_path / "keys.txt").write_text(f"{SampleLog(seed=5).key}\n{LOG.key}\n")
    (tmp_path / "held.txt").write_text(LOG.note(8))
    return tmp_path


def run_verify_log(*arguments):
    return CliRunner().invoke(main, ["verify-log", *map(str, arguments)])


def test_the_command_says_what_holds_and_leaves_with_nought(export_files):
    for key in (LOG.key, export_files / "keys.txt"):
        done = run_verify_log(
            export_files / "export.jsonl", "--key", key, "--checkpoint", export_files / "held.txt"
        )
        assert done.exit_code == 0, done.output
        assert (
            done.output.splitlines()[-1]
            == "The export is genuine and complete: it has all 23 entries of the log, as they were"
            " signed."
        )
        assert done.output.count("ok  ") == 7


def test_the_command_names_the_first_wrong_entry_and_leaves_with_one(export_files):
    (export_files / "bent.jsonl").write_bytes(
        b"".join(EXPORT).replace(b"as it was 7", b"as it was 9")
    )
    done = run_verify_log(export_files / "bent.jsonl", "--key", LOG.key)
    assert done.exit_code == 1 and "FAIL" in done.output
    assert (
        "The first wrong entry is 7 (control.changed, 0199a3f2-0000-7000-8000-000000000007) in"
        " line 9." in done.output
    )


def test_the_command_says_what_it_could_not_check(export_files):
    (export_files / "some.jsonl").write_bytes(b"".join(LOG.export(3, 4)))
    done = run_verify_log(export_files / "some.jsonl", "--key", LOG.key)
    assert (
        done.exit_code == 0
        and "--    The export was filtered (action control). It can't show" in done.output
    )


def test_the_command_leaves_with_two_when_the_whole_log_is_demanded_of_a_part(export_files):
    (export_files / "some.jsonl").write_bytes(b"".join(LOG.export(3, 22, kind="range")))
    for file, code in (("some.jsonl", 2), ("export.jsonl", 0)):
        done = run_verify_log(export_files / file, "--key", LOG.key, "--whole")
        assert done.exit_code == code, done.output
        assert "You asked for the whole log" in done.output


def test_the_command_leaves_with_two_when_part_of_the_log_cannot_be_compared(export_files):
    (export_files / "some.jsonl").write_bytes(b"".join(LOG.export(3, 4, **UNCUT)))
    older = ("--checkpoint", export_files / "held.txt")
    done = run_verify_log(export_files / "some.jsonl", "--key", LOG.key, *older)
    assert (
        done.exit_code == 2 and "\n?     Your older checkpoint was not compared" in done.output
    ), done.output
    (export_files / "proof.json").write_text(LOG.consistency(8))
    assert (
        run_verify_log(
            export_files / "some.jsonl",
            "--key",
            LOG.key,
            *older,
            "--consistency",
            export_files / "proof.json",
        ).exit_code
        == 0
    )
    alone = run_verify_log(
        export_files / "some.jsonl", "--key", LOG.key, "--consistency", export_files / "proof.json"
    )
    assert alone.exit_code == 2 and "--consistency needs --checkpoint" in alone.output


@pytest.mark.parametrize(
    "command", ["verify-log", "verify-package", "verify-report", "verify-evidence"]
)
def test_every_verifier_documents_its_exit_status(command):
    told = " ".join(CliRunner().invoke(main, [command, "--help"]).output.split())
    assert (
        "0 = every requested check ran and passed; 1 = something is wrong; 2 = no check failed"
        in told
    )


@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"{", b"\xff\n", b"[" * 100_000])
def test_the_command_meets_garbage_without_a_traceback(export_files, content):
    (export_files / "x").write_bytes(content)
    export, garbage = export_files / "export.jsonl", export_files / "x"
    for arguments, code, says in (
        ((garbage, "--key", LOG.key), 1, "Do not rely on this export. "),
        ((export, "--key", garbage), 2, "Nothing was checked. "),
        (
            (export, "--key", LOG.key, "--checkpoint", garbage),
            2,
            "No check failed for this export, but a requested check could not run. ",
        ),
    ):
        done = run_verify_log(*arguments)
        assert isinstance(done.exception, SystemExit), done.output
        assert done.exit_code == code and done.output.splitlines()[-1].startswith(says)
