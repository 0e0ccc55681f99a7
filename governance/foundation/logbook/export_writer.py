"""Write an export of the log: entries in the order of their places, window by window, never all in
memory.

    stream(plan, progress, report) -> BinaryIO    for the store; `report` receives the place reached
                                                  and may stop the export by raising

Each window is read in a transaction of its own. That is sound, because entries and places never
change and the plan fixes the checkpoint: exported again, it has the same bytes.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import batched, groupby
from typing import Any, BinaryIO

from sqlalchemy import select

from governance.foundation.audit import jsonl, merkle
from governance.foundation.audit import queries as audit
from governance.foundation.audit.earlier_roots import subtrees
from governance.foundation.audit.models import AuditEntry, Leaf
from governance.foundation.audit.registry import registry
from governance.foundation.logbook.filters import Filters, matches
from governance.foundation.logbook.ocsf import event
from governance.kernel import spreadsheet_writer
from governance.kernel.db import session, transaction
from governance.kernel.errors import Invalid
from governance.kernel.streamed_files import reading

WINDOW = 4096  # places: sixteen tiles, about ten megabytes of lines
NODES = 8192  # hashes of subtrees that one window remembers
# 45 MB of hashes; of a longer log only the last checkpoint of each day can be compared
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
SUFFIXES = {"jsonl": "jsonl", "ocsf": "ocsf.jsonl", "csv": "csv"}
type Row = tuple[int, bytes]  # place and signed bytes
type Report = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """What to export: the filters, in the tenant's time zone, up to a checkpoint."""

    format: str
    filters: Filters
    zone: str
    origin: str
    size: int
    note: str

    @property
    def is_whole(self) -> bool:
        return not self.filters.address


@dataclass(slots=True)
class ExportProgress:
    """What has been written so far."""

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
    yield _head(plan)
    for at in range(0, plan.size, WINDOW):
        report(at)
        yield _window(plan, at, progress)
    if not progress.entries:
        raise Invalid("No entries match these filters. Change the filters and export again.")
    if plan.format == "jsonl" and not plan.is_whole:
        for batch in batched(subtrees(_comparable_sizes(plan.size)), jsonl.MAX_HASHES):
            report(plan.size - 1)
            yield _hashes(batch)
    report(plan.size)  # the last moment to cancel: from here on the file is stored
    if plan.format == "jsonl":
        yield jsonl.Trailer(progress.entries, progress.first, progress.last).line


def _head(plan: ExportPlan) -> bytes:
    if plan.format == "csv":
        return spreadsheet_writer.csv_bytes(COLUMNS, ())
    if plan.format == "ocsf":
        return b""
    whole = plan.is_whole
    first, last = (0, plan.size - 1) if whole else (None, None)
    return jsonl.Header(plan.origin, plan.note, whole, first, last, plan.filters.address).line


def _window(plan: ExportPlan, at: int, progress: ExportProgress) -> bytes:
    with transaction(read_only=True):
        rows = _rows(plan, at, min(at + WINDOW, plan.size))
        progress.add(rows)
        return b"".join(WRITERS[plan.format](plan, rows)) if rows else b""


def _comparable_sizes(size: int) -> Iterable[int]:
    """Return the sizes at which an older checkpoint can be compared, up to the export's own."""
    if size <= MAX_ENTRIES_FOR_EVERY_SIZE:
        return range(1, size + 1)
    with transaction(read_only=True):
        return sorted({*audit.daily_sizes(size), size})


def _hashes(batch: Iterable[tuple[int, int]]) -> bytes:
    """Return the lines of these subtrees, each (level, first place); neighbours of one level share
    a line.
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
    within = (Leaf.index >= start, Leaf.index < end, *plan.filters.conditions(plan.zone))
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
