"""Read an export of a log from its first entry to its end, and check each line on the way. Pure."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from governance.foundation.audit import jsonl
from governance.foundation.audit.checkpoint import Head
from governance.foundation.audit.earlier_roots import Frontier
from governance.foundation.audit.jsonl import ExportedEntry, Header, Malformed, Subtrees, Trailer
from governance.foundation.audit.merkle import ProofFails, leaf_hash, verify_inclusion
from governance.kernel.files.verification_results import CheckResult, plain

ACTION = re.compile(r"[a-z_.]{1,100}")
ID = re.compile(r"[0-9a-f-]{36}")


@dataclass(frozen=True, slots=True)
class WrongEntry:
    """The first wrong entry: its place, its line in the file, and its id and action if readable."""

    index: int
    line: int
    entry_id: str
    action: str
    sentence: str


@dataclass(slots=True)
class ExportReading:
    """The state of reading a file: how far it has been read, and what was wrong so far."""

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
    digest: str | None = None
    signature: str | None = None

    def add_entry(self, number: int, entry: ExportedEntry) -> None:
        """Check an entry's place among the others, and its proof.

        The entries of a complete log build its tree.
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
        if not self.header.has_hashes:
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
                or f"Line {number} has the hashes from place {number_text(found.place)}, but those from place {number_text(self.tree.size)} should follow."
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
        """True if the file alone leads to the signed root, so its smaller roots are genuine."""
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
        elif self.header.is_gapless and expected is not None and entry.index > expected:
            missing = (
                f"Entry {expected} is"
                if entry.index == expected + 1
                else f"Entries {expected} to {entry.index - 1} are"
            )
            problem = f"{missing} missing: the next one in the file is entry {entry.index}."
        elif self.header.is_gapless and expected is not None and entry.index < expected:
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

    def checks(self, end: CheckResult) -> tuple[CheckResult, ...]:
        """Return the checks of entries, hashes, completeness, and the file's end."""
        hashes = (self._hashes(end),) if self.header.has_hashes or self.bad_hashes else ()
        return (self._proofs(), *hashes, self._complete(end), end)

    def _proofs(self) -> CheckResult:
        if not self.count:
            return make_check(
                "entries", "The export has no entries, so there is nothing to verify.", ok=None
            )
        if self.wrong:
            many, first = "does" if self.wrong == 1 else "do", self.first_wrong
            where = (
                f" The first wrong one is entry {first.index}, in line {first.line}."
                if first
                else ""
            )
            return make_check(
                "entries",
                f"{number_text(self.wrong)} of {counted(self.count)} {many} not lead to the signed"
                f" root.{where}",
            )
        lead = "leads" if self.count == 1 else "lead"
        return make_check(
            "entries",
            f"{counted(self.count)} {lead} to the signed root, each by its own proof.",
            ok=True,
        )

    def _hashes(self, end: CheckResult) -> CheckResult:
        if self.bad_hashes:
            return make_check("hashes", self.bad_hashes)
        if self.has_tree:
            return make_check(
                "hashes",
                f"The hashes of all {counted(self.head.size)} of the log lead to the signed root.",
                ok=True,
            )
        if end.ok is False:
            return make_check(
                "hashes",
                "The hashes of the log were not checked: the end of the export is missing.",
                ok=None,
            )
        return make_check(
            "hashes",
            "The hashes of the log do not lead to the signed root: some were changed or are"
            " missing.",
        )

    def _complete(self, end: CheckResult) -> CheckResult:
        if self.gap:
            return make_check("complete", self.gap)
        if not self.header.is_gapless:
            return make_check(
                "complete",
                f"The export was filtered ({self._filters()}). It can't show whether other entries were left"
                " out.",
                ok=None,
                required=False,
            )
        if end.ok is False:
            return make_check(
                "complete",
                "Missing entries were not checked: the end of the export is missing.",
                ok=None,
            )
        if self.header.kind == jsonl.RANGE:
            return self._range()
        if (self.header.first, self.header.last) != (0, self.head.size - 1):
            return make_check(
                "complete",
                f"The export claims to be the whole log, but has only entries {self.header.first}"
                f" to {self.header.last} of {number_text(self.head.size)}.",
            )
        return make_check(
            "complete",
            f"No entry is missing: entries 0 to {self.last} are all that the checkpoint covers.",
            ok=True,
        )

    def _range(self) -> CheckResult:
        first, last = self.header.first or 0, self.header.last or 0
        if not first <= last < self.head.size:
            return make_check(
                "complete",
                f"The export claims to have entries {first} to {last}, but its checkpoint covers"
                f" {counted(self.head.size)}.",
            )
        until = "the last one of the checkpoint" if last == self.head.size - 1 else f"entry {last}"
        return make_check(
            "complete",
            f"No entry is missing from entry {first} to {until}. The range was chosen by"
            f" {self._filters()}.",
            ok=True,
        )

    def _filters(self) -> str:
        return (
            ", ".join(f"{name} {value}" for name, value in self.header.filters.items())
            or "place alone"
        )


def read_entries(
    header: bytes, numbered: Iterator[tuple[int, bytes]], reading: ExportReading
) -> CheckResult:
    """Read entries and hashes up to the trailer; return the check of the file's end.

    `header` is the first line, which was read already and is signed too.
    """
    number, trailer, digest = 1, None, hashlib.sha256(header)
    for number, line in numbered:
        if trailer is not None:
            return make_check("end", f"Line {number} comes after the end of the export.")
        try:
            found = jsonl.read(line)
        except Malformed as problem:
            return make_check(
                "end",
                f"Line {number} can't be read, so nothing after it was checked. {problem}",
            )
        match found:
            case Header():
                return make_check("end", f"Line {number} is the beginning of another export.")
            case Trailer():
                if found.line != line:  # No signature covers this line.
                    return make_check("end", f"Line {number} isn't as Meridian writes it.")
                trailer = found
                reading.digest, reading.signature = digest.hexdigest(), found.signature
            case Subtrees():
                reading.add_hashes(number, found)
            case ExportedEntry():
                reading.add_entry(number, found)
        digest.update(line)
    if trailer is None:
        return make_check(
            "end",
            f"The export is cut short: it ends with line {number}, and its last line is missing.",
        )
    return _end(trailer, reading)


def _end(trailer: Trailer, reading: ExportReading) -> CheckResult:
    if (trailer.entries, trailer.first, trailer.last) != (
        reading.count,
        reading.first,
        reading.last,
    ):
        problem = (
            f"The export should have {counted(trailer.entries)}, but has"
            f" {number_text(reading.count)}"
        )
        where = (
            f": from {reading.first} to {reading.last} instead of {trailer.first} to {trailer.last}"
        )
        return make_check("end", f"{problem}{where if reading.count and trailer.entries else ''}.")
    if reading.header.is_gapless and (reading.header.first, reading.header.last) != (
        reading.first,
        reading.last,
    ):
        planned = f"{reading.header.first} to {reading.header.last}"
        return make_check(
            "end",
            f"The export should have entries {planned}, but has {reading.first} to {reading.last}.",
        )
    return make_check("end", "The file ends where it should: nothing was cut off.", ok=True)


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


def counted(count: int) -> str:
    """Return "1 entry" or "1,204 entries"."""
    return f"{number_text(count)} {'entry' if count == 1 else 'entries'}"


def number_text(count: int) -> str:
    """Return a number with commas, in any locale."""
    return f"{count:,}"


def make_check(
    name: str, sentence: object, *, ok: bool | None = False, required: bool = True
) -> CheckResult:
    """Return a check whose sentence is safe to print; it has failed unless `ok` is given."""
    return CheckResult(name, ok, plain(str(sentence)), required)
