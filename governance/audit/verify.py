"""Check an export of a log offline: the file and the public key are all it takes.

    verify(lines, key, checkpoint=None) -> Verdict      named checks, each with a sentence, and one sentence over all

`lines` are bytes with their ends (jsonl.lines reads a file so), `key` is one verifier key or several, one a line, retired
ones too. `checkpoint` is an older one that the reader has held: its tree must be the beginning of the export's.
It streams: the memory does not grow with the file. No database, no network, no clock, and no file makes it raise.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce

from governance.audit import jsonl
from governance.audit.checkpoint import Head, open_checkpoint
from governance.audit.jsonl import Entry, Header, Malformed, Trailer
from governance.audit.merkle import ProofFails, leaf_hash, node_hash, verify_inclusion
from governance.kernel import notes
from governance.kernel.notes import NotSigned, VerifierKey

MOST_KEYS = 100
LONGEST_SENTENCE = 400
ACTION = re.compile(r"[a-z_.]{1,100}")
ID = re.compile(r"[0-9a-f-]{36}")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `ok` is None when it could not be looked at."""

    name: str
    ok: bool | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Wrong:
    """The first entry that is wrong: its place, its line in the file, and what it says of itself, where that can be read."""

    index: int
    line: int
    entry_id: str
    action: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """All checks, in the order of reading. `entries` is how many were read, `size` how many the signed log has."""

    checks: tuple[Check, ...]
    first_wrong: Wrong | None = None
    entries: int = 0
    size: int = 0

    @property
    def ok(self) -> bool:
        """Nothing failed, and the proofs were looked at. That a filtered export is complete nobody can check."""
        looked_at = {check.name: check.ok for check in self.checks}
        return False not in looked_at.values() and looked_at.get("entries") is True

    @property
    def is_complete(self) -> bool:
        return self.ok and any(check.name == "complete" and check.ok for check in self.checks)

    @property
    def sentence(self) -> str:
        if self.is_complete:
            return f"The export is genuine and complete: all {_counted(self.entries)} of the log, as they were signed."
        if self.ok:
            return (
                f"The export is genuine: each of its {_number(self.entries)} entries stands in the signed log. "
                "That nothing was left out it cannot prove."
            )
        failed = [check for check in self.checks if check.ok is False]
        reason = self.first_wrong.sentence if self.first_wrong else failed[0].sentence
        return f"Do not rely on this export. {reason}"


def verify(lines: Iterable[bytes], key: str, checkpoint: str | None = None) -> Verdict:
    """Check a file of jsonl.py's format, from its first line to its last."""
    try:
        keys = read_keys(key)
    except NotSigned as problem:
        return Verdict((_check("key", problem),))
    numbered = enumerate(lines, start=1)
    header = _header(numbered)
    if isinstance(header, Check):
        return Verdict((header,))
    began = _check("format", f"The file is an export of the log {header.origin}.", ok=True)
    try:
        head, signer = _signed(header.checkpoint, keys)
    except NotSigned as problem:
        return Verdict((began, _check("checkpoint", problem)))
    if head.origin != header.origin:
        told = f"The export says that it is of {header.origin}, and its checkpoint is that of {head.origin}."
        return Verdict((began, _check("checkpoint", told)))
    signed = _check("checkpoint", f"{signer.name} signed its {_of(head)} with the key {signer.key_id.hex()}.", ok=True)
    return _follow(numbered, header, head, (began, signed), _held(checkpoint, keys))


def read_keys(text: str) -> list[VerifierKey]:
    """The verifier keys of some lines; empty lines and those that begin with # are left out."""
    found = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not found:
        raise NotSigned("No key was given: paste the verifier key that you hold.")
    if len(found) > MOST_KEYS:
        raise NotSigned(f"More than {MOST_KEYS} keys were given.")
    return [_key(line, number if len(found) > 1 else 0) for number, line in enumerate(found, start=1)]


def _key(line: str, number: int) -> VerifierKey:
    try:
        return notes.parse_key(line)
    except (NotSigned, ValueError) as problem:
        which = f"Key {number}: " if number else ""
        said = str(problem) if isinstance(problem, NotSigned) else "The key is no text that can be read."
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
        return _check("format", f"Line {number} is not the beginning of an export: the file's first lines are missing.")
    if found.whole and found.filters:
        return _check("format", "The beginning of the export says both that it is whole and that it was filtered.")
    return found


def _signed(note: str, keys: list[VerifierKey]) -> tuple[Head, VerifierKey]:
    """What a checkpoint states, and whose signature holds; NotSigned says why none does."""
    said: list[str] = []
    for key in keys:
        try:
            return open_checkpoint(_as_written(note), key), key
        except NotSigned as problem:
            said.append(str(problem))
        except ValueError:  # a lone surrogate has no bytes to check
            said.append("The checkpoint is no text that can be read.")
    if len(said) == 1:
        raise NotSigned(said[0])
    broken = [each for each in said if each.startswith("The signature does not hold")]
    raise NotSigned(broken[0] if broken else f"None of the {len(keys)} keys given signed this checkpoint. {said[0]}")


def _as_written(note: str) -> str:
    """A note has one spelling: what was bent without changing what it says is damage all the same."""
    text, lines = notes.split(note)
    if f"{text}\n{''.join(map(str, lines))}" != note:
        raise NotSigned("The signature line is cut short or damaged.")
    return note


def _held(note: str | None, keys: list[VerifierKey]) -> Head | Check | None:
    """The checkpoint that the reader holds, or why it is of no use."""
    if note is None:
        return None
    try:
        return _signed(note.replace("\r\n", "\n").rstrip("\n") + "\n", keys)[0]
    except NotSigned as problem:
        return _check("held", f"The checkpoint that you hold cannot be read. {problem}")


# ---- the entries


@dataclass(slots=True)
class Frontier:
    """The tree over the entries so far: the roots of its complete subtrees, the largest first."""

    size: int
    roots: list[bytes]

    def add(self, leaf: bytes) -> None:
        node, size = leaf, self.size
        while size & 1:
            node, size = node_hash(self.roots.pop(), node), size >> 1
        self.roots.append(node)
        self.size += 1

    def root(self) -> bytes:
        return reduce(lambda right, left: node_hash(left, right), reversed(self.roots))


@dataclass(slots=True)
class Reading:
    """How far the reading of the entries has come, and what was wrong on the way."""

    header: Header
    head: Head
    held: Head | None
    count: int = 0
    wrong: int = 0
    first: int | None = None
    last: int | None = None
    first_wrong: Wrong | None = None
    gap: str | None = None
    tree: Frontier | None = None
    held_root: bytes | None = None

    def take(self, number: int, entry: Entry) -> None:
        """One entry: its place among the others, its proof, and the tree that the held checkpoint is compared with."""
        self._order(number, entry)
        leaf = leaf_hash(entry.body)
        try:
            verify_inclusion(leaf, entry.index, self.head.size, entry.path, self.head.root)
        except ProofFails as problem:
            self.wrong += 1
            self.note(number, entry, str(problem))
        self.count, self.last = self.count + 1, entry.index
        self.first = entry.index if self.first is None else self.first
        if self.tree is not None and self.held is not None:
            self.tree.add(leaf)
            if self.tree.size == self.held.size:
                self.held_root, self.tree = self.tree.root(), None

    def _order(self, number: int, entry: Entry) -> None:
        expected = self.header.first if self.last is None else self.last + 1
        if self.last is not None and entry.index <= self.last:
            problem = (
                f"Entry {entry.index} stands behind entry {self.last}: the entries were put into another order, or repeated."
            )
        elif self.header.whole and expected is not None and entry.index > expected:
            missing = f"Entry {expected} is" if entry.index == expected + 1 else f"Entries {expected} to {entry.index - 1} are"
            problem = f"{missing} missing: the next one in the file is entry {entry.index}."
        elif self.header.whole and expected is not None and entry.index < expected:
            problem = f"Entry {entry.index} stands before entry {expected}, with which the export says that it begins."
        else:
            return
        self.gap = self.gap or problem
        self.note(number, entry, problem)

    def note(self, number: int, entry: Entry, problem: str) -> None:
        """Keep it, if it is the first."""
        if self.first_wrong is None:
            action, entry_id = _says(entry.body)
            sentence = _plain(f"The first wrong entry is {entry.index} ({action}, {entry_id}) in line {number}. {problem}")
            self.first_wrong = Wrong(entry.index, number, entry_id, action, sentence)

    def verdict(self, before: tuple[Check, ...], end: Check, held: Check | None) -> Verdict:
        checks = (*before, self._proofs(), self._complete(end), end, *((held,) if held else ()))
        return Verdict(checks, self.first_wrong, self.count, self.head.size)

    def _proofs(self) -> Check:
        if not self.count:
            return _check("entries", "The export holds no entry, so nothing was proved.")
        if self.wrong:
            many, first = "does" if self.wrong == 1 else "do", self.first_wrong
            where = f" The first wrong one is entry {first.index}, in line {first.line}." if first else ""
            return _check(
                "entries", f"{_number(self.wrong)} of {_counted(self.count)} {many} not lead to the signed root.{where}"
            )
        lead = "leads" if self.count == 1 else "lead"
        return _check("entries", f"{_counted(self.count)} {lead} to the signed root, each by a proof of its own.", ok=True)

    def _complete(self, end: Check) -> Check:
        if self.gap:
            return _check("complete", self.gap)
        if not self.header.whole:
            chosen = ", ".join(f"{name} {value}" for name, value in self.header.filters.items()) or "a choice of entries"
            return _check("complete", f"Not checked: the export was filtered ({chosen}), and what a filter leaves out has no proof.", ok=None)  # fmt: skip
        if end.ok is False:
            return _check("complete", "Not checked: the end of the export is missing.", ok=None)
        if (self.first, self.last) == (0, self.head.size - 1):
            return _check("complete", f"No entry is missing: places 0 to {self.head.size - 1} are all that the checkpoint is over.", ok=True)  # fmt: skip
        told = f"Places {self.first} to {self.last} follow each other without a gap; the log has {_number(self.head.size)}."
        return _check("complete", told, ok=None)


def _follow(
    numbered: Iterator[tuple[int, bytes]], header: Header, head: Head, before: tuple[Check, ...], held: Head | Check | None
) -> Verdict:
    older = held if isinstance(held, Head) else None
    reading = Reading(header, head, older)
    if older is not None and header.whole and header.first == 0 and 0 < older.size < head.size:
        reading.tree = Frontier(0, [])
    end = _entries(numbered, reading)
    return reading.verdict(before, end, _beginning(reading, held))


def _entries(numbered: Iterator[tuple[int, bytes]], reading: Reading) -> Check:
    """Read entries up to the trailer; the check of the file's end."""
    number, trailer = 1, None
    for number, line in numbered:
        if trailer is not None:
            return _check("end", f"Line {number} stands behind the end of the export.")
        try:
            found = jsonl.read(line)
        except Malformed as problem:
            return _check("end", f"Line {number} cannot be read, and nothing was checked from there on. {problem}")
        if isinstance(found, Header):
            return _check("end", f"Line {number} is the beginning of another export.")
        if isinstance(found, Trailer):
            trailer = found
        else:
            reading.take(number, found)
    if trailer is None:
        return _check("end", f"The export is cut short: it ends with line {number}, and its last line is missing.")
    return _end(trailer, reading)


def _end(trailer: Trailer, reading: Reading) -> Check:
    if (trailer.entries, trailer.first, trailer.last) != (reading.count, reading.first, reading.last):
        said = f"The export says that it has {_counted(trailer.entries)}, and {_number(reading.count)} are there"
        where = f": from {reading.first} to {reading.last} instead of {trailer.first} to {trailer.last}"
        return _check("end", f"{said}{where if reading.count and trailer.entries else ''}.")
    if reading.header.whole and (reading.header.first, reading.header.last) != (reading.first, reading.last):
        planned = f"{reading.header.first} to {reading.header.last}"
        return _check("end", f"The export was to have the places {planned}, and has {reading.first} to {reading.last}.")
    return _check("end", "The file has its end: nothing was cut off.", ok=True)


def _beginning(reading: Reading, held: Head | Check | None) -> Check | None:
    """Whether the tree of the held checkpoint is the beginning of the export's."""
    if held is None or isinstance(held, Check):
        return held
    head = reading.head
    if held.size > head.size:
        return _check("held", f"The checkpoint that you hold is over {_counted(held.size)}, the export over {_number(head.size)}: "
                      "the export is older than your checkpoint, or the log was rolled back.")  # fmt: skip
    root = head.root if held.size == head.size else reading.held_root
    if root is None:
        return _check("held", "Not checked against the checkpoint that you hold: that takes every entry from the first on.", ok=None)  # fmt: skip
    if root != held.root:
        return _check(
            "held", f"The log was rewritten: its first {_counted(held.size)} are not those of the checkpoint that you hold."
        )
    return _check("held", f"The checkpoint that you hold, over {_counted(held.size)}, is the beginning of this log.", ok=True)


# ---- words


def _says(body: bytes) -> tuple[str, str]:
    """(action, id) of an entry, as far as they can be read; whoever bent it may have put anything there."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    told = found if isinstance(found, dict) else {}
    action, entry_id = str(told.get("action", "")), str(told.get("id", ""))
    return (
        action if ACTION.fullmatch(action) else "an action that cannot be read",
        entry_id if ID.fullmatch(entry_id) else "without an id",
    )


def _of(head: Head) -> str:
    return f"checkpoint over {_counted(head.size)}"


def _counted(count: int) -> str:
    return f"{_number(count)} {'entry' if count == 1 else 'entries'}"


def _number(count: int) -> str:
    return f"{count:,}".replace(",", "\N{THIN SPACE}") if count > 9999 else str(count)  # noqa: PLR2004 - four digits stand together


def _check(name: str, sentence: object, *, ok: bool | None = False) -> Check:
    return Check(name, ok, _plain(str(sentence)))


def _plain(text: str) -> str:
    """What a file says of itself may hold anything; a terminal and a page get letters only, and not too many."""
    shown = "".join(each if each.isprintable() or each == "\N{THIN SPACE}" else "\N{REPLACEMENT CHARACTER}" for each in text)
    return shown if len(shown) <= LONGEST_SENTENCE else f"{shown[:LONGEST_SENTENCE]}…"
