"""Verify an export of a log offline: the file and the public key are enough.

    verify(lines, key, checkpoint=None, consistency=None) -> LogVerdict

`lines` are bytes with their line ends, as jsonl.lines reads them. `key` is one verifier key, or
several on their own lines, retired ones included. `checkpoint` is an older one that the reader
kept: its tree must be the beginning of the export's. `consistency` is an answer of
/proof/consistency, for an export that can't be compared with that checkpoint by itself. The memory
does not grow with the file. It needs no database, network or clock, and no file makes it raise.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from governance.foundation.audit import jsonl, proof
from governance.foundation.audit.checkpoint import Head, open_checkpoint
from governance.foundation.audit.earlier_roots import Frontier
from governance.foundation.audit.jsonl import ExportedEntry, Header, Malformed, Subtrees, Trailer
from governance.foundation.audit.merkle import (
    ProofFails,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from governance.kernel import signed_note
from governance.kernel.signed_note import NotSigned, VerifierKey
from governance.kernel.verification_results import Check, Verdict, plain

MAX_KEYS = 100
ACTION = re.compile(r"[a-z_.]{1,100}")
ID = re.compile(r"[0-9a-f-]{36}")
# the origin of a log that was resumed after entries were lost
RESUMED = re.compile(r"(?<=/audit/)([^/]+)/restored-[0-9]+$")
OLDER, CONSISTENCY = "older checkpoint", "consistency proof"  # names of checks


@dataclass(frozen=True, slots=True)
class WrongEntry:
    """The first wrong entry: its place, its line in the file, and its id and action where they can be
    read.
    """

    index: int
    line: int
    entry_id: str
    action: str
    sentence: str


@dataclass(frozen=True, slots=True)
class LogVerdict(Verdict):
    """The checks of an export. `entries` were read; its checkpoint signs `head`."""

    first_wrong: WrongEntry | None = None
    entries: int = 0
    head: Head | None = None

    @property
    def is_complete(self) -> bool:
        return self.ok and any(check.name == "complete" and check.ok for check in self.checks)

    @property
    def sentence(self) -> str:
        if self.is_complete:
            right = (
                f"The export is genuine and complete: it has all {_counted(self.entries)} of the"
                " log, as they were signed."
            )
        else:
            right = (
                f"The export is genuine: every entry in it ({_number(self.entries)}) is in the"
                " signed log. It can't show whether other entries were left out."
            )
        return self.summary("export", right, self.first_wrong.sentence if self.first_wrong else "")


def verify(
    lines: Iterable[bytes], key: str, checkpoint: str | None = None, consistency: str | None = None
) -> LogVerdict:
    """Verify a file of jsonl.py's format, from its first line to its last."""
    try:
        keys = read_keys(key)
    except NotSigned as problem:
        return LogVerdict((_check("key", problem, ok=None),))
    numbered = enumerate(lines, start=1)
    header = _header(numbered)
    if isinstance(header, Check):
        return LogVerdict((header,))
    format_ = _check("format", f"The file is an export of the log {header.origin}.", ok=True)
    try:
        head, signer = _signed(header.checkpoint, keys)
    except NotSigned as problem:
        return LogVerdict((format_, _check("checkpoint", problem)))
    if head.origin != header.origin:
        problem_ = (
            f"The export names the log {header.origin}, but its checkpoint is from {head.origin}."
        )
        return LogVerdict((format_, _check("checkpoint", problem_)))
    signed = _check(
        "checkpoint",
        f"{signer.name} signed its {_of(head)} with the key {signer.key_id.hex()}.",
        ok=True,
    )
    older = _older(checkpoint, keys, head) if checkpoint is not None else None
    reading = ExportReading(header, head, older if isinstance(older, Head) else None)
    end = _entries(numbered, reading)
    return reading.verdict((format_, signed), end, _comparisons(reading, older, consistency))


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


def _header(numbered: Iterator[tuple[int, bytes]]) -> Header | Check:
    number, line = next(numbered, (0, b""))
    if not line:
        return _check("format", "The file is empty.")
    try:
        found = jsonl.read(line)
    except Malformed as problem:
        return _check("format", f"Line {number} is not the beginning of an export. {problem}")
    if not isinstance(found, Header):
        return _check(
            "format",
            f"Line {number} is not the beginning of an export: the file's first lines are missing.",
        )
    if found.whole and found.filters:
        return _check(
            "format",
            "The first line contradicts itself: it says the export is the whole log, and that it was"
            " filtered.",
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
        except ValueError:  # a lone surrogate has no bytes to check
            problems.append("The checkpoint is not readable text.")
    if len(problems) == 1:
        raise NotSigned(problems[0])
    broken = [each for each in problems if each.startswith("The signature does not hold")]
    raise NotSigned(
        broken[0]
        if broken
        else f"None of the {len(keys)} keys given signed this checkpoint. {problems[0]}"
    )


def _as_written(note: str) -> str:
    """Refuse another spelling of a note: it is damage, even if it states the same."""
    text, lines = signed_note.split(note)
    if f"{text}\n{''.join(map(str, lines))}" != note:
        raise NotSigned("The signature line is incomplete or damaged.")
    return note


def _older(note: str, keys: list[VerifierKey], head: Head) -> Head | Check:
    """Return what the reader's checkpoint states, or why it can't be compared with this export."""
    try:
        older = _signed(note.replace("\r\n", "\n").rstrip("\n") + "\n", keys)[0]
    except NotSigned as problem:
        return _check(OLDER, f"Your older checkpoint can't be used. {problem}", ok=None)
    if _log_of(older) != _log_of(head):
        reason = (
            f"Your older checkpoint is from another log, {older.origin}; this export is from"
            f" {head.origin}."
        )
    elif not older.size:
        reason = "Your older checkpoint covers no entries, so there is nothing to compare."
    elif older.size > head.size:
        reason = (
            f"Your older checkpoint covers {_counted(older.size)}, but this export only"
            f" {_number(head.size)}. Request a newer export. If there is none, the log was rolled"
            " back."
        )
    else:
        return older
    return _check(OLDER, reason, ok=None)


# ---- the entries


@dataclass(slots=True)
class ExportReading:
    """How much of the file has been read, and what was wrong so far."""

    header: Header
    head: Head
    older: Head | None
    count: int = 0
    wrong: int = 0
    first: int | None = None
    last: int | None = None
    first_wrong: WrongEntry | None = None
    gap: str | None = None
    tree: Frontier = field(default_factory=Frontier)
    bad_hashes: str | None = None
    older_root: bytes | None = None

    def add_entry(self, number: int, entry: ExportedEntry) -> None:
        """Check an entry's place among the others, and its proof.

        The entries of the whole log build its tree.
        """
        self._check_order(number, entry)
        leaf = leaf_hash(entry.body)
        try:
            verify_inclusion(leaf, entry.index, self.head.size, entry.path, self.head.root)
        except ProofFails as problem:
            self.wrong += 1
            self.note_wrong(number, entry, str(problem))
        self.count, self.last = self.count + 1, entry.index
        self.first = entry.index if self.first is None else self.first
        if self.header.whole:
            self._grow(leaf, 0)

    def add_hashes(self, number: int, found: Subtrees) -> None:
        """Build the tree of an export of part of the log, from left to right."""
        if not self.header.has_hashes:
            self.bad_hashes = (
                self.bad_hashes
                or f"Line {number} has hashes of the tree, which this kind of export should not have."
            )
        elif found.place != self.tree.size or found.place & ((1 << found.level) - 1):
            self.bad_hashes = (
                self.bad_hashes
                or f"Line {number} has the hashes from place {_number(found.place)}, but those from"
                f" place {_number(self.tree.size)} should follow."
            )
        else:
            for each in found.hashes:
                self._grow(each, found.level)

    def _grow(self, node: bytes, level: int) -> None:
        self.tree.add(node, level)
        if self.older is not None and self.tree.size == self.older.size:
            self.older_root = self.tree.root()

    @property
    def has_tree(self) -> bool:
        """Whether the file alone leads to the signed root, so that its smaller roots are genuine."""
        return self.bad_hashes is None and (self.tree.size, self.tree.root()) == (
            self.head.size,
            self.head.root,
        )

    def _check_order(self, number: int, entry: ExportedEntry) -> None:
        expected = self.header.first if self.last is None else self.last + 1
        if self.last is not None and entry.index <= self.last:
            problem = (
                f"Entry {entry.index} comes after entry {self.last}: entries were reordered or"
                " repeated."
            )
        elif self.header.whole and expected is not None and entry.index > expected:
            missing = (
                f"Entry {expected} is"
                if entry.index == expected + 1
                else f"Entries {expected} to {entry.index - 1} are"
            )
            problem = f"{missing} missing: the next one in the file is entry {entry.index}."
        elif self.header.whole and expected is not None and entry.index < expected:
            problem = (
                f"Entry {entry.index} comes before entry {expected}, which should be the first of"
                " this export."
            )
        else:
            return
        self.gap = self.gap or problem
        self.note_wrong(number, entry, problem)

    def note_wrong(self, number: int, entry: ExportedEntry, problem: str) -> None:
        """Keep it if it is the first wrong entry."""
        if self.first_wrong is None:
            action, entry_id = _names(entry.body)
            sentence = plain(
                f"The first wrong entry is {entry.index} ({action}, {entry_id}) in line {number}."
                f" {problem}"
            )
            self.first_wrong = WrongEntry(entry.index, number, entry_id, action, sentence)

    def verdict(
        self, before: tuple[Check, ...], end: Check, comparisons: tuple[Check, ...]
    ) -> LogVerdict:
        hashes = (self._hashes(end),) if self.header.has_hashes or self.bad_hashes else ()
        checks = (*before, self._proofs(), *hashes, self._complete(end), end, *comparisons)
        return LogVerdict(checks, self.first_wrong, self.count, self.head)

    def _proofs(self) -> Check:
        if not self.count:
            return _check(
                "entries", "The export has no entries, so there is nothing to verify.", ok=None
            )
        if self.wrong:
            many, first = "does" if self.wrong == 1 else "do", self.first_wrong
            where = (
                f" The first wrong one is entry {first.index}, in line {first.line}."
                if first
                else ""
            )
            return _check(
                "entries",
                f"{_number(self.wrong)} of {_counted(self.count)} {many} not lead to the signed"
                f" root.{where}",
            )
        lead = "leads" if self.count == 1 else "lead"
        return _check(
            "entries",
            f"{_counted(self.count)} {lead} to the signed root, each by its own proof.",
            ok=True,
        )

    def _hashes(self, end: Check) -> Check:
        if self.bad_hashes:
            return _check("hashes", self.bad_hashes)
        if self.has_tree:
            return _check(
                "hashes",
                f"The hashes of all {_counted(self.head.size)} of the log lead to the signed root.",
                ok=True,
            )
        if end.ok is False:
            return _check(
                "hashes",
                "The hashes of the log were not checked: the end of the export is missing.",
                ok=None,
            )
        return _check(
            "hashes",
            "The hashes of the log do not lead to the signed root: some were changed or are"
            " missing.",
        )

    def _complete(self, end: Check) -> Check:
        if self.gap:
            return _check("complete", self.gap)
        if not self.header.whole:
            chosen = (
                ", ".join(f"{name} {value}" for name, value in self.header.filters.items())
                or "some entries"
            )
            return _check(
                "complete",
                f"The export was filtered ({chosen}). It can't show whether other entries were left"
                " out.",
                ok=None,
                required=False,
            )
        if end.ok is False:
            return _check(
                "complete",
                "Missing entries were not checked: the end of the export is missing.",
                ok=None,
            )
        if (self.header.first, self.header.last) != (0, self.head.size - 1):
            return _check(
                "complete",
                f"The export claims to be the whole log, but has only entries {self.header.first}"
                f" to {self.header.last} of {_number(self.head.size)}.",
            )
        return _check(
            "complete",
            f"No entry is missing: entries 0 to {self.last} are all that the checkpoint covers.",
            ok=True,
        )


def _entries(numbered: Iterator[tuple[int, bytes]], reading: ExportReading) -> Check:
    """Read entries and hashes up to the trailer; return the check of the file's end."""
    number, trailer = 1, None
    for number, line in numbered:
        if trailer is not None:
            return _check("end", f"Line {number} comes after the end of the export.")
        try:
            found = jsonl.read(line)
        except Malformed as problem:
            return _check(
                "end",
                f"Line {number} can't be read, so nothing after it was checked. {problem}",
            )
        match found:
            case Header():
                return _check("end", f"Line {number} is the beginning of another export.")
            case Trailer():
                trailer = found
            case Subtrees():
                reading.add_hashes(number, found)
            case ExportedEntry():
                reading.add_entry(number, found)
    if trailer is None:
        return _check(
            "end",
            f"The export is cut short: it ends with line {number}, and its last line is missing.",
        )
    return _end(trailer, reading)


def _end(trailer: Trailer, reading: ExportReading) -> Check:
    if (trailer.entries, trailer.first, trailer.last) != (
        reading.count,
        reading.first,
        reading.last,
    ):
        problem = (
            f"The export should have {_counted(trailer.entries)}, but has {_number(reading.count)}"
        )
        where = (
            f": from {reading.first} to {reading.last} instead of {trailer.first} to {trailer.last}"
        )
        return _check("end", f"{problem}{where if reading.count and trailer.entries else ''}.")
    if reading.header.whole and (reading.header.first, reading.header.last) != (
        reading.first,
        reading.last,
    ):
        planned = f"{reading.header.first} to {reading.header.last}"
        return _check(
            "end",
            f"The export should have entries {planned}, but has {reading.first} to {reading.last}.",
        )
    return _check("end", "The file ends where it should: nothing was cut off.", ok=True)


# ---- the reader's older checkpoint


def _comparisons(
    reading: ExportReading, older: Head | Check | None, consistency: str | None
) -> tuple[Check, ...]:
    """Compare the reader's checkpoint with the export: by the export itself, and by a proof."""
    if older is None:
        return (
            (
                _check(
                    CONSISTENCY,
                    "The consistency proof was not used: it needs your older checkpoint too.",
                    ok=None,
                ),
            )
            if consistency
            else ()
        )
    if isinstance(older, Check):
        return (older,)
    proved = _by_proof(consistency, older, reading.head) if consistency is not None else None
    found = _by_export(reading, older)
    if proved is None:
        return (found,)
    return (proved,) if found.ok is None else (found, proved)


def _by_export(reading: ExportReading, older: Head) -> Check:
    head = reading.head
    if older.size == head.size:
        root: bytes | None = head.root
    else:
        root = reading.older_root if reading.has_tree else None
    if root is not None:
        return _compared(older, root)
    if reading.has_tree or not (reading.header.has_hashes or reading.header.whole):
        _, slash, path = _log_of(head).partition("/")
        reason = (
            "Your older checkpoint was not compared: this export has no hash that ends at"
            f" {_counted(older.size)}. Add the answer of"
            f" {slash}{path}/proof/consistency?from={older.size}&to={head.size} with --consistency."
        )
    else:
        reason = "Your older checkpoint was not compared: the export is damaged."
    return _check(OLDER, reason, ok=None)


def _by_proof(text: str, older: Head, head: Head) -> Check:
    try:
        found = proof.parse_consistency(text)
    except ProofFails as problem:
        return _check(CONSISTENCY, f"The consistency proof can't be used. {problem}", ok=None)
    if (found.old, found.new) != (older.size, head.size):
        reason = (
            f"The consistency proof leads from {_number(found.old)} to {_counted(found.new)}. Get one"
            f" from {_number(older.size)} to {_number(head.size)}."
        )
        return _check(CONSISTENCY, reason, ok=None)
    try:
        verify_consistency(older.size, head.size, found.path, older.root, head.root)
    except ProofFails as problem:
        reason = (
            "The consistency proof does not lead from your older checkpoint to this export: the log"
            " or the proof was changed."
        )
        return _check(CONSISTENCY, f"{reason} {problem}")
    return _check(
        CONSISTENCY,
        f"The consistency proof leads from the {_counted(older.size)} of your older checkpoint to"
        " this log: none was rewritten.",
        ok=True,
    )


def _compared(older: Head, root: bytes) -> Check:
    if root == older.root:
        return _check(
            OLDER,
            f"This log begins with the {_counted(older.size)} of your older checkpoint: none was"
            " rewritten.",
            ok=True,
        )
    return _check(
        OLDER,
        "The log contradicts your older checkpoint: it was rewritten within the first"
        f" {_counted(older.size)}.",
    )


# ---- words


def _names(body: bytes) -> tuple[str, str]:
    """Return (action, id) of an entry as far as they are readable: an attacker chose its bytes."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    fields = found if isinstance(found, dict) else {}
    action, entry_id = str(fields.get("action", "")), str(fields.get("id", ""))
    return (
        action if ACTION.fullmatch(action) else "unreadable action",
        entry_id if ID.fullmatch(entry_id) else "no ID",
    )


def _log_of(head: Head) -> str:
    """Return the origin that the log had before entries were lost."""
    return RESUMED.sub(r"\1", head.origin)


def _of(head: Head) -> str:
    return f"checkpoint of {_counted(head.size)}"


def _counted(count: int) -> str:
    return f"{_number(count)} {'entry' if count == 1 else 'entries'}"


def _number(count: int) -> str:
    return f"{count:,}"


def _check(name: str, sentence: object, *, ok: bool | None = False, required: bool = True) -> Check:
    return Check(name, ok, plain(str(sentence)), required)
