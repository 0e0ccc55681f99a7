"""Verify an export of a log offline: the file and the public key are enough.

    verify(lines, key, checkpoint=None, consistency=None, demand=None) -> LogVerdict

`lines` are bytes with their line ends, as jsonl.lines reads them. `key` is one verifier key, or
several on their own lines, retired ones included. `checkpoint` is an older one that the reader
kept: its tree must be the beginning of the export's. `consistency` is an answer of
/proof/consistency, for an export that can't be compared with that checkpoint by itself. `demand` is
how complete the export must be. The memory does not grow with the file. It needs no database,
network or clock, and no file makes it raise.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from governance.foundation.audit import jsonl, proof
from governance.foundation.audit.checkpoint import Head, open_checkpoint
from governance.foundation.audit.export_reading import (
    ExportReading,
    WrongEntry,
    counted,
    make_check,
    number_text,
    read_entries,
)
from governance.foundation.audit.jsonl import Header, Malformed
from governance.foundation.audit.merkle import ProofFails, verify_consistency
from governance.kernel.files.verification_results import CheckResult, VerificationResult
from governance.kernel.safety import signed_note
from governance.kernel.safety.signed_note import NotSigned, VerifierKey

MAX_KEYS = 100
# The origin of a log that was resumed after entries were lost.
RESUMED = re.compile(r"(?<=/audit/)([^/]+)/restored-[0-9]+$")
OLDER, CONSISTENCY, SIGNATURE, WHOLE = (  # Names of checks.
    "older checkpoint",
    "consistency proof",
    "signature",
    "whole",
)


class Demand(Enum):
    """The completeness that a reader demands of an export."""

    WHOLE_LOG = "the whole log"
    TO_THE_END = "every entry from its first to the last one of its checkpoint"


@dataclass(frozen=True, slots=True)
class LogVerdict(VerificationResult):
    """The checks of an export. `entries` were read; its checkpoint signs `head`."""

    first_wrong: WrongEntry | None = None
    entries: int = 0
    head: Head | None = None
    header: Header | None = None

    @property
    def is_complete(self) -> bool:
        """True if the export is genuine and has every entry of the log."""
        return self.is_gapless and self.header is not None and self.header.kind == jsonl.WHOLE

    @property
    def is_gapless(self) -> bool:
        """True if the export is genuine and no entry between its first and its last is missing."""
        return self.ok and any(check.name == "complete" and check.ok for check in self.checks)

    @property
    def sentence(self) -> str:
        if self.is_gapless and not self.is_complete and self.header:
            right = (
                f"The export is genuine and has no gap: it has all {counted(self.entries)} from"
                f" {self.header.first} to {self.header.last}, as they were signed."
            )
        elif self.is_complete:
            right = (
                f"The export is genuine and complete: it has all {counted(self.entries)} of the"
                " log, as they were signed."
            )
        else:
            right = (
                f"The export is genuine: every entry in it ({number_text(self.entries)}) is in the"
                " signed log. It can't show whether other entries were left out."
            )
        return self.summary("export", right, self.first_wrong.sentence if self.first_wrong else "")


def verify(
    lines: Iterable[bytes],
    key: str,
    checkpoint: str | None = None,
    consistency: str | None = None,
    demand: Demand | None = None,
) -> LogVerdict:
    """Verify a file of jsonl.py's format, from its first line to its last."""
    try:
        keys = read_keys(key)
    except NotSigned as problem:
        return LogVerdict((make_check("key", problem, ok=None),))
    numbered = enumerate(lines, start=1)
    number, beginning = next(numbered, (0, b""))
    header = _header(number, beginning)
    if isinstance(header, CheckResult):
        return LogVerdict((header,))
    format_ = make_check("format", f"The file is an export of the log {header.origin}.", ok=True)
    try:
        head, signer = _signed(header.checkpoint, keys)
    except NotSigned as problem:
        return LogVerdict((format_, make_check("checkpoint", problem)))
    if head.origin != header.origin:
        problem_ = (
            f"The export names the log {header.origin}, but its checkpoint is from {head.origin}."
        )
        return LogVerdict((format_, make_check("checkpoint", problem_)))
    signed = make_check(
        "checkpoint",
        f"{signer.name} signed its {_of(head)} with the key {signer.key_id.hex()}.",
        ok=True,
    )
    older = _older(checkpoint, keys, head) if checkpoint is not None else None
    reading = ExportReading(header, head, older if isinstance(older, Head) else None)
    end = read_entries(beginning, numbered, reading)
    found = reading.checks(end)
    checks = (
        format_,
        signed,
        *found,
        _export_signature(reading, keys),
        *(_demanded(demand, reading, found) if demand else ()),
        *_comparisons(reading, older, consistency),
    )
    return LogVerdict(checks, reading.first_wrong, reading.count, head, header)


def read_keys(text: str) -> list[VerifierKey]:
    """Read verifier keys, one per line. Empty lines and those that begin with # are ignored."""
    found = [
        line.strip()
        for line in text.splitlines()
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not found:
        raise NotSigned(
            "No key was given. Use the verifier key that you received separately from this file."
        )
    if len(found) > MAX_KEYS:
        raise NotSigned(f"More than {MAX_KEYS} keys were given. Give only the keys of this log.")
    return [
        _key(line, number if len(found) > 1 else 0) for number, line in enumerate(found, start=1)
    ]


def _key(line: str, number: int) -> VerifierKey:
    try:
        return signed_note.parse_key(line)
    except (NotSigned, ValueError) as problem:
        which = f"Key {number}: " if number else ""
        said = str(problem) if isinstance(problem, NotSigned) else "The key is not readable text."
        raise NotSigned(f"{which}{said}") from None


# ---- the beginning


def _header(number: int, line: bytes) -> Header | CheckResult:
    if not line:
        return make_check("format", "The file is empty.")
    try:
        found = jsonl.read(line)
    except Malformed as problem:
        return make_check("format", f"Line {number} is not the beginning of an export. {problem}")
    if not isinstance(found, Header):
        return make_check(
            "format",
            f"Line {number} is not the beginning of an export: the file's first lines are missing.",
        )
    if found.kind == jsonl.WHOLE and found.filters:
        return make_check(
            "format",
            "The first line contradicts itself: it says the export is the whole log, and that it"
            " was filtered.",
        )
    return found


def _signed(note: str, keys: list[VerifierKey]) -> tuple[Head, VerifierKey]:
    """Return what a checkpoint states and which key signed it; raise NotSigned where none did."""
    problems: list[str] = []
    for key in keys:
        try:
            return open_checkpoint(_as_written(note), key), key
        except NotSigned as problem:
            problems.append(str(problem))
        except ValueError:  # A lone surrogate has no bytes to check.
            problems.append("The checkpoint is not readable text.")
    if len(problems) == 1:
        raise NotSigned(problems[0])
    broken = [each for each in problems if each.startswith("The signature is invalid")]
    raise NotSigned(
        broken[0]
        if broken
        else f"None of the {len(keys)} keys given signed this checkpoint. {problems[0]}"
    )


def _as_written(note: str) -> str:
    """Reject another spelling of a note: it is damage, even if it states the same."""
    text, lines = signed_note.split(note)
    if f"{text}\n{''.join(map(str, lines))}" != note:
        raise NotSigned("The signature line is incomplete or damaged.")
    return note


def _older(note: str, keys: list[VerifierKey], head: Head) -> Head | CheckResult:
    """Return what the reader's checkpoint states, or why it can't be compared with this export."""
    try:
        older = _signed(note.replace("\r\n", "\n").rstrip("\n") + "\n", keys)[0]
    except NotSigned as problem:
        return make_check(OLDER, f"Your older checkpoint can't be used. {problem}", ok=None)
    if _log_of(older) != _log_of(head):
        reason = (
            f"Your older checkpoint is from another log, {older.origin}; this export is from"
            f" {head.origin}."
        )
    elif not older.size:
        reason = "Your older checkpoint covers no entries, so there is nothing to compare."
    elif older.size > head.size:
        reason = (
            f"Your older checkpoint covers {counted(older.size)}, but this export only"
            f" {number_text(head.size)}. Request a newer export. If there is none, the log was"
            " rolled back."
        )
    else:
        return older
    return make_check(OLDER, reason, ok=None)


# ---- the export's own signature, and what the reader demands


def _export_signature(reading: ExportReading, keys: list[VerifierKey]) -> CheckResult:
    """Check that a key of this log signed every line, so none was relabelled or left out."""
    if reading.digest is None or reading.signature is None:
        return make_check(
            SIGNATURE,
            "The signature of the export was not checked: the end of the export is missing.",
            ok=None,
        )
    if not _has_one_signature(reading.signature):
        return make_check(SIGNATURE, "The export's signature has more than its one line.")
    expected = jsonl.signed_text(reading.header.origin, reading.digest)
    problem = f"None of the {len(keys)} keys given signed this export."
    for key in keys:
        try:
            text = signed_note.open_note(_as_written(reading.signature), key)
        except (NotSigned, ValueError) as found:
            problem = str(found) if len(keys) == 1 and isinstance(found, NotSigned) else problem
            continue
        if text == expected and _without_resumption(key.name) == _log_of(reading.head):
            return make_check(
                SIGNATURE,
                f"{key.name} signed this export as it was generated: {_description(reading)}.",
                ok=True,
            )
        problem = (
            "The export was changed after Meridian signed it: its beginning was relabelled, or"
            " entries were changed or left out."
        )
    return make_check(SIGNATURE, problem)


def _has_one_signature(note: str) -> bool:
    """Return whether the note has one signature line: an export has one signer and one spelling."""
    return note.rpartition("\n\n")[2].count("\n") <= 1


def _description(reading: ExportReading) -> str:
    header = reading.header
    if header.kind == jsonl.WHOLE:
        return "the whole log"
    if header.kind == jsonl.RANGE:
        return f"entries {header.first} to {header.last}"
    return f"all {counted(reading.count)} that match its filters"


def _demanded(
    demand: Demand, reading: ExportReading, found: Iterable[CheckResult]
) -> tuple[CheckResult, ...]:
    """Return whether the export is as complete as the reader demands.

    One that is complete in itself and was never meant to be that complete is not checked.
    """
    header, end = reading.header, reading.head.size - 1
    if any(check.name == "complete" and check.ok is False for check in found):
        return ()  # The completeness check has reported it already.
    is_enough = (
        header.is_gapless
        and header.last == end
        and (header.first == 0 or demand is Demand.TO_THE_END)
    )
    if is_enough:
        return (make_check(WHOLE, f"You asked for {demand.value}: it is here.", ok=True),)
    part = "a selection" if header.kind == jsonl.FILTERED else f"{header.first} to {header.last}"
    return (
        make_check(
            WHOLE,
            f"You asked for {demand.value}, but this export has {part} of {counted(end + 1)}."
            " Request an export without filters.",
            ok=None,
        ),
    )


# ---- the reader's older checkpoint


def _comparisons(
    reading: ExportReading, older: Head | CheckResult | None, consistency: str | None
) -> tuple[CheckResult, ...]:
    """Compare the reader's checkpoint with the export: by the export itself, and by a proof."""
    if older is None:
        return (
            (
                make_check(
                    CONSISTENCY,
                    "The consistency proof was not used: it needs your older checkpoint too.",
                    ok=None,
                ),
            )
            if consistency
            else ()
        )
    if isinstance(older, CheckResult):
        return (older,)
    proved = _by_proof(consistency, older, reading.head) if consistency is not None else None
    found = _by_export(reading, older)
    if proved is None:
        return (found,)
    return (proved,) if found.ok is None else (found, proved)


def _by_export(reading: ExportReading, older: Head) -> CheckResult:
    head = reading.head
    if older.size == head.size:
        root: bytes | None = head.root
    else:
        root = reading.older_root if reading.has_tree else None
    if root is not None:
        return _compared(older, root)
    if reading.has_tree:
        _, slash, path = _log_of(head).partition("/")
        reason = (
            "Your older checkpoint was not compared: this export has no hash that ends at"
            f" {counted(older.size)}. Add the answer of"
            f" {slash}{path}/proof/consistency?from={older.size}&to={head.size} with --consistency."
        )
    else:
        reason = "Your older checkpoint was not compared: the export is damaged."
    return make_check(OLDER, reason, ok=None)


def _by_proof(text: str, older: Head, head: Head) -> CheckResult:
    try:
        found = proof.parse_consistency(text)
    except ProofFails as problem:
        return make_check(CONSISTENCY, f"The consistency proof can't be used. {problem}", ok=None)
    if (found.old, found.new) != (older.size, head.size):
        reason = (
            f"The consistency proof leads from {number_text(found.old)} to {counted(found.new)}."
            f" Get one from {number_text(older.size)} to {number_text(head.size)}."
        )
        return make_check(CONSISTENCY, reason, ok=None)
    try:
        verify_consistency(older.size, head.size, found.path, older.root, head.root)
    except ProofFails as problem:
        reason = (
            "The consistency proof does not lead from your older checkpoint to this export: the log"
            " or the proof was changed."
        )
        return make_check(CONSISTENCY, f"{reason} {problem}")
    return make_check(
        CONSISTENCY,
        f"The consistency proof leads from the {counted(older.size)} of your older checkpoint to"
        " this log: none was rewritten.",
        ok=True,
    )


def _compared(older: Head, root: bytes) -> CheckResult:
    if root == older.root:
        return make_check(
            OLDER,
            f"This log begins with the {counted(older.size)} of your older checkpoint: none was"
            " rewritten.",
            ok=True,
        )
    return make_check(
        OLDER,
        "The log contradicts your older checkpoint: it was rewritten within the first"
        f" {counted(older.size)}.",
    )


def _log_of(head: Head) -> str:
    """Return the origin that the log had before entries were lost."""
    return _without_resumption(head.origin)


def _without_resumption(origin: str) -> str:
    return RESUMED.sub(r"\1", origin)


def _of(head: Head) -> str:
    return f"checkpoint of {counted(head.size)}"
