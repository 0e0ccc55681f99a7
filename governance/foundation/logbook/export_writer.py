"""Write an export of the log, window by window, never all in memory.

Entries are in the order of their places.

    stream(plan, progress, report) -> BinaryIO    for the store; `report` receives the place reached
                                                  and may stop the export by raising

Each window is read in a transaction of its own. That is sound, because entries and places never
change and the plan fixes the checkpoint: exported again, it has the same bytes. JSON Lines of some
days are exported by place, from the first matching entry to the last, so that a gap is proven
wrong; the log's key signs the file (decision 0067).
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import batched, groupby
from typing import Any, BinaryIO

from sqlalchemy import func, select

from governance.foundation.audit import jsonl, logs, merkle
from governance.foundation.audit import queries as audit
from governance.foundation.audit.earlier_roots import subtrees
from governance.foundation.audit.models import AuditEntry, Leaf
from governance.foundation.audit.registry import registry
from governance.foundation.logbook.filters import Filters, matches
from governance.foundation.logbook.ocsf import event
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import Invalid, Unavailable
from governance.kernel.files import spreadsheet_writer
from governance.kernel.files.streamed_files import reading
from governance.kernel.safety import signed_note

WINDOW = 4096  # Places: sixteen tiles, about ten megabytes of lines.
NODES = 8192  # Hashes of subtrees that one window remembers.
# 45 MB of hashes. In a longer log only the last checkpoint of each day can be compared.
MAX_ENTRIES_FOR_EVERY_SIZE = 2**20
PIECE_BYTES = 256 * 1024
COLUMNS = (
    "place",
    "time (UTC)",
    "actor",
    "actor kind",
    "action",
    "target type",
    "target id",
    "outcome",
    "IP address",
    "request",
    "facts",
    "changes",
    "encrypted fields",
    "id",
)
NOTHING = "No entries match these filters. Change the filters and export again."
SUFFIXES = {"jsonl": "jsonl", "ocsf": "ocsf.jsonl", "csv": "csv"}
type Row = tuple[int, bytes]  # Place and signed bytes.
type Report = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """The extent of an export: the filters, in the tenant's time zone, up to a checkpoint."""

    format: str
    filters: Filters
    zone: str
    origin: str
    size: int
    note: str

    @property
    def kind(self) -> str:
        """WHOLE without filters, RANGE for days alone in a format with proofs, else FILTERED."""
        if not self.filters.address:
            return jsonl.WHOLE
        is_range = self.format == "jsonl" and self.filters.address.keys() <= {"since", "until"}
        return jsonl.RANGE if is_range else jsonl.FILTERED


@dataclass(slots=True)
class ExportProgress:
    """The entries written so far."""

    entries: int = 0
    first: int | None = None
    last: int | None = None

    def add(self, rows: Sequence[Row]) -> None:
        if rows:
            self.entries, self.last = self.entries + len(rows), rows[-1][0]
            self.first = rows[0][0] if self.first is None else self.first


def stream(plan: ExportPlan, progress: ExportProgress, report: Report) -> BinaryIO:
    return reading(_pieces(plan, progress, report), PIECE_BYTES)


def _pieces(plan: ExportPlan, progress: ExportProgress, report: Report) -> Iterator[bytes]:
    if plan.format == "jsonl":
        yield from _signed(plan, progress, _proved_lines(plan, progress, report))
        return
    if plan.format == "csv":
        yield spreadsheet_writer.csv_bytes(COLUMNS, ())
    yield from _windows(plan, range(plan.size), progress, report)
    report(plan.size)  # The last moment to cancel: from here on the file is stored.


def _proved_lines(plan: ExportPlan, progress: ExportProgress, report: Report) -> Iterator[bytes]:
    places = _places(plan)
    first, last = (None, None) if plan.kind == jsonl.FILTERED else (places[0], places[-1])
    yield jsonl.Header(plan.origin, plan.note, plan.kind, first, last, plan.filters.address).line
    yield from _windows(plan, places, progress, report)
    if plan.kind != jsonl.WHOLE:
        for batch in batched(subtrees(_comparable_sizes(plan.size)), jsonl.MAX_HASHES):
            report(plan.size - 1)
            yield _hashes(batch)
    report(plan.size)


def _windows(
    plan: ExportPlan, places: range, progress: ExportProgress, report: Report
) -> Iterator[bytes]:
    for at in range(places.start, places.stop, WINDOW):
        report(at)
        yield _window(plan, at, min(at + WINDOW, places.stop), progress)
    if not progress.entries:
        raise Invalid(NOTHING)


def _places(plan: ExportPlan) -> range:
    """Return the places to read: for a range, from the first entry of its days to the last."""
    if plan.kind != jsonl.RANGE:
        return range(plan.size)
    edges = (
        select(func.min(Leaf.index), func.max(Leaf.index))
        .join(AuditEntry, (Leaf.tenant_id == AuditEntry.tenant_id) & (Leaf.id == AuditEntry.id))
        .where(Leaf.index < plan.size, *plan.filters.conditions(plan.zone))
    )
    with transaction(read_only=True):
        first, last = session().execute(edges).one()
    if first is None:
        raise Invalid(NOTHING)
    return range(first, last + 1 if plan.filters.until else plan.size)


def _signed(plan: ExportPlan, progress: ExportProgress, lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield these lines, and the trailer with the log's signature over all of them."""
    digest = hashlib.sha256()
    for piece in lines:
        digest.update(piece)
        yield piece
    text = jsonl.signed_text(plan.origin, digest.hexdigest())
    with transaction(read_only=True):
        key = logs.signing_key()
        if key is None:
            raise Unavailable("The audit log has no signing key yet. Try again in a minute.")
        signature = signed_note.sign(logs.private_key(key), key.name, text)
    yield jsonl.Trailer(progress.entries, progress.first, progress.last, signature).line


def _window(plan: ExportPlan, at: int, end: int, progress: ExportProgress) -> bytes:
    with transaction(read_only=True):
        rows = _rows(plan, at, end)
        progress.add(rows)
        return b"".join(WRITERS[plan.format](plan, rows)) if rows else b""


def _comparable_sizes(size: int) -> Iterable[int]:
    """Return the sizes at which an older checkpoint can be compared, up to the export's own."""
    if size <= MAX_ENTRIES_FOR_EVERY_SIZE:
        return range(1, size + 1)
    with transaction(read_only=True):
        return sorted({*audit.daily_sizes(size), size})


def _hashes(batch: Iterable[tuple[int, int]]) -> bytes:
    """Return the lines of these subtrees, each (level, first place).

    Neighbors of one level share a line.
    """
    with transaction(read_only=True):
        node = audit.nodes()
        return b"".join(
            jsonl.Subtrees(run[0][1], level, [node(level, place >> level) for _, place in run]).line
            for level, run in (
                (level, list(same)) for level, same in groupby(batch, key=lambda each: each[0])
            )
        )


def _rows(plan: ExportPlan, start: int, end: int) -> list[Row]:
    there = (Leaf.tenant_id == AuditEntry.tenant_id) & (Leaf.id == AuditEntry.id)
    chosen = () if plan.kind == jsonl.RANGE else plan.filters.conditions(plan.zone)
    within = (Leaf.index >= start, Leaf.index < end, *chosen)
    if not plan.filters.words:
        query = (
            select(Leaf.index, AuditEntry.body)
            .join(AuditEntry, there)
            .where(*within)
            .order_by(Leaf.index)
        )
        return [(index, body) for index, body in session().execute(query)]
    searched = (
        select(Leaf.index, AuditEntry).join(AuditEntry, there).where(*within).order_by(Leaf.index)
    )
    return [
        (index, entry.body)
        for index, entry in session().execute(searched)
        if matches(entry, plan.filters.words)
    ]


def _proved(plan: ExportPlan, rows: Sequence[Row]) -> Iterable[bytes]:
    """Yield entries with proofs. Each subtree of a window is hashed once: paths overlap."""
    node = lru_cache(NODES)(audit.nodes())
    for index, body in rows:
        yield jsonl.ExportedEntry(index, body, merkle.inclusion(index, plan.size, node)).line


def _events(_plan: ExportPlan, rows: Sequence[Row]) -> Iterable[bytes]:
    for index, body in rows:
        entry = json.loads(body)
        yield (
            json.dumps(
                event(index, entry, registry.get(entry["action"])), ensure_ascii=False
            ).encode()
            + b"\n"
        )


def _table(_plan: ExportPlan, rows: Sequence[Row]) -> Iterable[bytes]:
    yield spreadsheet_writer.csv_rows([_cells(index, json.loads(body)) for index, body in rows])


def _cells(index: int, entry: dict[str, Any]) -> list[spreadsheet_writer.Cell]:
    kind, target = entry["target"]
    facts, changes = (
        json.dumps(entry[name], ensure_ascii=False) if entry[name] else ""
        for name in ("facts", "changes")
    )
    return [
        index,
        entry["at"],
        entry["actor"],
        entry["actor_kind"],
        entry["action"],
        kind,
        target,
        entry["outcome"],
        entry["origin"],
        entry["request_id"],
        facts,
        changes,
        " ".join(sorted(entry["sealed"])),
        entry["id"],
    ]


WRITERS: dict[str, Callable[[ExportPlan, Sequence[Row]], Iterable[bytes]]] = {
    "jsonl": _proved,
    "ocsf": _events,
    "csv": _table,
}
