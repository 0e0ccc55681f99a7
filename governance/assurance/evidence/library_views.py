"""Pages of the evidence library and the evidence inbox: lists, exports and bulk assignment."""

from collections.abc import Iterator, Sequence
from itertools import batched, starmap
from typing import Any
from uuid import UUID

from flask import stream_with_context, url_for

from governance.assurance.evidence import (
    actions,
    deletion_queries,
    evidence_list,
    period_labels,
    permissions,
    queries,
    reminders,
    review_queue,
    stored_files,
)
from governance.assurance.evidence.evidence_list import EVIDENCE, HEAD
from governance.assurance.evidence.forms import (
    AssignOwnerForm,
)
from governance.assurance.evidence.review_queue import REVIEWS
from governance.assurance.evidence.views import feature
from governance.foundation.people import assigning, owners
from governance.kernel import clock, current
from governance.kernel.data.db import transaction
from governance.kernel.files.downloads import FILE
from governance.kernel.files.spreadsheet_writer import csv_bytes, csv_rows, xlsx_bytes
from governance.kernel.pages.list_export import chosen, csv_file, every_page
from governance.kernel.pages.list_pages import ListRequest
from governance.kernel.pages.rendering import page, table_file
from governance.kernel.pages.undo_pages import undo_offer
from governance.kernel.safety.access import allowed
from governance.kernel.web.responses import ResponseReturnValue

MAX_LATE_ITEMS = 100  # In the inbox. The library lists all of them.
EXPORT_BATCH = 500  # Rows of an export per read.


@feature.get("/evidence/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    assignees = owners.assignee_choices()
    asked = EVIDENCE.read(choices={"owner": owners.filter_choices(assignees)})
    shelf = queries.library(**evidence_list.narrowed(asked), after=asked.after, size=EVIDENCE.size)
    asked.choices["control"] = [
        (control_id, ref) for row in shelf.rows for control_id, ref, _ in row.controls
    ]
    return page(
        "assurance/evidence/index.html",
        asked=asked,
        shelf=shelf,
        owners=assignees,
        fragments=("rows",),
    )


@feature.get("/evidence/export.<any(csv, xlsx):form>", needs=permissions.VIEW, answers=FILE)
def export(form: str) -> ResponseReturnValue:
    """Export all items that match the filters. CSV is streamed, a workbook isn't."""
    asked, who = EVIDENCE.read(), current.actor()
    ids = queries.matching_ids(**evidence_list.narrowed(asked))
    rows = (line for batch in batched(ids, EXPORT_BATCH, strict=False) for line in _lines(batch))
    content = (
        stream_with_context(_csv(ids, who, asked))
        if form == "csv"
        else xlsx_bytes("Evidence", *chosen(asked, HEAD, rows))
    )
    return table_file(content, f"evidence-{who.tenant_slug}-{clock.today()}.{form}")


def _csv(ids: Sequence[UUID], who: current.Actor, asked: ListRequest) -> Iterator[bytes]:
    """Yield the CSV. Each batch has its own transaction, since the request's has ended by then."""
    yield csv_bytes(*chosen(asked, HEAD, ()))
    for batch in batched(ids, EXPORT_BATCH, strict=False):
        with current.acting_as(who), transaction(read_only=True):
            lines = _lines(batch)
        yield csv_rows(chosen(asked, HEAD, lines)[1])


def _lines(ids: Sequence[UUID]) -> list[list[Any]]:
    return [evidence_list.cells(row) for row in queries.summaries_of(ids)]


@feature.get("/evidence/inbox", needs=permissions.VIEW)
def inbox() -> ResponseReturnValue:
    asked, late = REVIEWS.read(), review_queue.late_evidence(most=MAX_LATE_ITEMS)
    return page(
        "assurance/evidence/inbox.html",
        asked=asked,
        waits=review_queue.queue_page(
            asked.criteria, sort=asked.sort, after=asked.after, size=REVIEWS.size
        ),
        late=late,
        covers=period_labels.period_label,
        me=current.actor().person_id,
        owners=owners.assignee_choices(),
        reminded=reminders.last_reminded([row.piece.id for row in late.rows]),
        check=stored_files.last_check(most=MAX_LATE_ITEMS),
        deletions=deletion_queries.deletions() if allowed(permissions.DELETE) else [],
    )


@feature.get("/evidence/inbox.csv", needs=permissions.VIEW, answers=FILE)
def export_reviews() -> ResponseReturnValue:
    """Export all versions in review that match the filters."""
    asked = REVIEWS.read()
    pages = every_page(
        lambda after: review_queue.queue_page(
            asked.criteria, sort=asked.sort, after=after, size=EXPORT_BATCH
        )
    )
    rows = (starmap(review_queue.cells, shown) for shown in pages)
    return csv_file(f"evidence-to-review-{clock.today()}", review_queue.HEAD, rows, asked)


@feature.post("/evidence/assign", needs=permissions.MANAGE)
def assign_selected() -> ResponseReturnValue:
    return assigning.assign_owner(
        "evidence item",
        "evidence",
        AssignOwnerForm(),
        home="evidence.index",
        find=queries.find_items,
        address=lambda row: url_for("evidence.item", evidence_id=row.id),
        why_not=actions.why_not,
        assign=actions.assign_all,
    )


@feature.post("/evidence/undo/<uuid:undo_offer_id>", needs=permissions.MANAGE)
def undo_change(undo_offer_id: UUID) -> ResponseReturnValue:
    return undo_offer(undo_offer_id, actions.UNDOABLE, url_for("evidence.index"))
