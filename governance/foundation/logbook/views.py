"""The log's pages.

They are the list with its filters, one entry and its proof, one actor, the checkpoints, and saved
views.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, flash, jsonify, redirect, request, url_for

from governance.foundation.anchors import queries as anchors
from governance.foundation.audit import logs, personal_field_encryption
from governance.foundation.audit import queries as audit
from governance.foundation.audit.models import Checkpoint
from governance.foundation.logbook import (
    actions,
    checkpoint_comparison,
    checkpoint_list,
    entry_links,
    log_list,
    permissions,
    queries,
)
from governance.foundation.logbook.checkpoint_list import CHECKPOINTS
from governance.foundation.logbook.entry_details import details, unmask_address
from governance.foundation.logbook.filters import PSEUDONYM_LENGTH, Filters, parse
from governance.foundation.logbook.forms import SaveViewForm
from governance.foundation.logbook.presentation import (
    actor_label,
    called_by_auditors,
    lines_by_day,
    zone_name,
)
from governance.foundation.logbook.proof_view import prove
from governance.foundation.logbook.queries import LogPage
from governance.foundation.logbook.search import search
from governance.foundation.privacy import queries as privacy
from governance.kernel import clock, current, formatting
from governance.kernel.data.db import find
from governance.kernel.errors import DomainError, Invalid, NotFound
from governance.kernel.files.downloads import FILE
from governance.kernel.pages.list_export import ROWS_PER_READ, csv_file, every_page
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted, constraint, uuid_or_none
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("logbook", __name__)
constraint(
    "uq_saved_views_tenant_id_name",
    "Someone else just saved a view with that name. Choose another name.",
    field="name",
)
MONTHS_PER_YEAR = 12


# ---- the list


@feature.get("/audit/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    filters, zone = parse(request.args), formatting.zone()
    after, chosen = request.args.get("after"), uuid_or_none(request.args.get("entry"))
    listing = log_list.request_of(filters, request.args)
    found = (
        search(filters, zone.key, after=after)
        if filters.words
        else queries.listed(filters, zone.key, after=after)
    )
    context: dict[str, Any] = {
        "days": lines_by_day(found.rows),
        "shown": len(found.rows),
        "kept": filters.address,
        "listing": listing,
        "kept_columns": {"columns": listing.words} if listing.words else {},
        "after": after,
        "zone": zone_name(zone),
        "extent": queries.extent(),
        "years": _retention(),
        "views": _views(filters),
        "next": listing.address(after=found.next) if found.next else None,
        "searched_to": formatting.thousands(found.searched_to) if found.searched_to else None,
        "mark": _live_cursor(found, after),
        "export": entry_links.address_if_allowed("log_exports.index", **filters.address),
        "verify": entry_links.address_if_allowed("log_check.page"),
        "chosen": details(queries.row(chosen)) if chosen else None,
        "here": listing.address(after=after),
    }
    return page("foundation/logbook/index.html", **context)


def _live_cursor(found: LogPage, after: str | None) -> str | None:
    """Return the point after which an entry is new to this reader; only the first page has one."""
    if after is not None:
        return None
    newest = max(
        ((row.entry.at, row.entry.id) for row in found.rows), default=(clock.now(), UUID(int=0))
    )
    return f"{newest[0].isoformat()}~{newest[1]}"


def _retention() -> str:
    """Return how long encrypted fields are kept, for example "7 years"."""
    rule = privacy.retention()
    months = rule.months if rule else privacy.DEFAULT_MONTHS
    return (
        formatting.plural(months // MONTHS_PER_YEAR, "year")
        if months % MONTHS_PER_YEAR == 0
        else formatting.plural(months, "month")
    )


def _views(filters: Filters) -> list[dict[str, Any]]:
    return [
        {
            "id": view.id,
            "name": view.name,
            "href": url_for("logbook.index", **view.query),
            "current": view.query == filters.address,
        }
        for view in queries.views()
    ]


@feature.get("/audit/live", needs=permissions.VIEW, attended=False)
def live() -> ResponseReturnValue:
    """Return how many entries were added under the same filters since the page was loaded."""
    at, entry_id = _read_cursor(request.args.get("mark", ""))
    person = current.actor().person_id
    own = personal_field_encryption.pseudonym(person) if person else ""
    count = queries.newer(
        parse(request.args),
        formatting.zone().key,
        at,
        entry_id,
        own=own,
        own_action=actions.PAGE_VIEWED.name,
    )
    many = "99+" if count >= queries.MAX_NEW_ENTRIES else str(count)
    return jsonify(count=count, words=f"{many} new {'entry' if count == 1 else 'entries'}")


def _read_cursor(text: str) -> tuple[datetime, UUID]:
    at, _, entry_id = text.partition("~")
    try:
        moment, identity = datetime.fromisoformat(at), UUID(entry_id)
    except ValueError:
        # An invalid moment, which is rejected below.
        moment, identity = datetime.min, UUID(int=0)  # noqa: DTZ901
    # The range that PostgreSQL and a time zone can calculate with.
    if moment.tzinfo is None or not 1970 <= moment.year <= 9000:  # noqa: PLR2004
        raise Invalid("The live update can't continue from this address. Reload the list.")
    return moment, identity


# ---- one entry


@feature.get("/audit/entries/<uuid:entry_id>", needs=permissions.VIEW)
def entry(entry_id: UUID) -> ResponseReturnValue:
    """Show an entry on a page of its own; next to the list only its panel."""
    alone = request.headers.get("HX-Request") != "true"
    return page(
        "foundation/logbook/entry.html",
        chosen=details(queries.row(entry_id)),
        alone=alone,
        fragments=("panel",),
    )


@feature.get("/audit/entries/<uuid:entry_id>/proof", needs=permissions.VIEW, answers=FILE)
def proof(entry_id: UUID) -> ResponseReturnValue:
    """Return the proof as a file (C2SP tlog-proof), for other people's verifiers."""
    row = queries.row(entry_id)
    found = prove(row)
    if found is None or found.inclusion is None:
        raise DomainError(
            found.trouble
            if found
            else "The entry has no proof yet. It gets one within seconds; try again then."
        )
    return _file(
        str(found.inclusion.cosigned_proof).encode(),
        f"entry-{found.inclusion.index}.tlog-proof",
        "text/plain; charset=utf-8",
    )


@feature.get("/audit/entries/<uuid:entry_id>/bytes", needs=permissions.VIEW, answers=FILE)
def body(entry_id: UUID) -> ResponseReturnValue:
    """Return what is hashed: the entry's canonical JSON, with encrypted fields as ciphertext."""
    row = queries.row(entry_id)
    return _file(
        row.entry.body,
        f"entry-{entry_id if row.index is None else row.index}.json",
        "application/json",
    )


def _file(content: bytes, name: str, media_type: str) -> Response:
    return Response(
        content,
        content_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


# ---- one actor


@feature.get("/audit/actors/<pseudonym>", needs=permissions.VIEW)
def actor(pseudonym: str) -> ResponseReturnValue:
    """Show the activity of one pseudonym."""
    activity = queries.actor_activity(pseudonym) if len(pseudonym) == PSEUDONYM_LENGTH else None
    if activity is None:
        raise NotFound("This log has no such actor.")
    after = request.args.get("after")
    filters = Filters(actor=pseudonym)
    found = queries.listed(filters, formatting.zone().key, after=after)
    more = url_for("logbook.actor", pseudonym=pseudonym, after=found.next) if found.next else None
    return page(
        "foundation/logbook/actor.html",
        who=actor_label(pseudonym, activity.kind, called_by_auditors({pseudonym})),
        done=activity,
        days=lines_by_day(found.rows),
        shown=len(found.rows),
        next=more,
        after=after,
        zone=zone_name(formatting.zone()),
        name=privacy.unmasked([pseudonym]).get(pseudonym),
        unmask=unmask_address(pseudonym, activity.kind),
    )


# ---- checkpoints


@feature.get("/audit/checkpoints", needs=permissions.VIEW)
def checkpoints() -> ResponseReturnValue:
    keys = logs.all_keys()
    asked = CHECKPOINTS.read(
        choices={"key": [(key_id, key_id) for key_id in map(logs.key_id, keys)]}
    )
    found = queries.checkpoints(
        asked.criteria, sort=asked.sort, after=asked.after, size=CHECKPOINTS.size
    )
    older, newer = _number(request.args.get("from"), "from"), _number(request.args.get("to"), "to")
    return page(
        "foundation/logbook/checkpoints.html",
        asked=asked,
        rows=found.rows,
        next=found.next,
        log=audit.head(),
        receipts=anchors.receipts([each.id for each in found.rows]) if found.rows else {},
        witnesses=checkpoint_list.witness_names(),
        answers=checkpoint_list.ANSWERS,
        anchors_href=entry_links.address_if_allowed("anchors.index"),
        keys=[(key, str(logs.verifier(key)), logs.key_id(key)) for key in keys],
        older=older,
        newer=newer,
        compared=(
            checkpoint_comparison.compare(older, newer)
            if older is not None and newer is not None
            else None
        ),
    )


@feature.get("/audit/checkpoints.csv", needs=permissions.VIEW, answers=FILE)
def export_checkpoints() -> ResponseReturnValue:
    """Export all checkpoints that match the filters."""
    asked = CHECKPOINTS.read()
    pages = every_page(
        lambda after: queries.checkpoints(
            asked.criteria, sort=asked.sort, after=after, size=ROWS_PER_READ
        )
    )
    return csv_file(
        f"{current.actor().tenant_slug}-checkpoints",
        checkpoint_list.HEAD,
        map(checkpoint_list.cells, pages),
        asked,
    )


def _number(text: str | None, name: str) -> int | None:
    if not text:
        return None
    # Digits of a bigint.
    if not (text.isascii() and text.isdigit() and len(text) < 19):  # noqa: PLR2004
        raise Invalid(f"The checkpoint in “{name}” should be a number such as 80.", field=name)
    return int(text)


@feature.get("/audit/checkpoints/<uuid:checkpoint_id>/note", needs=permissions.VIEW, answers=FILE)
def note(checkpoint_id: UUID) -> ResponseReturnValue:
    """Return one checkpoint as it was signed (C2SP tlog-checkpoint)."""
    signed = find(Checkpoint, checkpoint_id, what="checkpoint")
    name = f"{current.actor().tenant_slug}-checkpoint-{signed.number}.txt"
    return _file(signed.note.encode(), name, "text/plain; charset=utf-8")


# ---- saved views


@feature.get("/audit/views/new", needs=permissions.KEEP)
def saving() -> ResponseReturnValue:
    return _saving(SaveViewForm(), parse(request.args))


def _saving(form: SaveViewForm, filters: Filters, *, status: int = 200) -> ResponseReturnValue:
    return page(
        "foundation/logbook/save_view.html",
        status=status,
        form=form,
        kept=filters.address,
        chips=log_list.request_of(filters).chips,
    )


@feature.post("/audit/views/new", needs=permissions.KEEP)
def save() -> ResponseReturnValue:
    form, filters = SaveViewForm(), parse(request.args)
    if not accepted(form, lambda: actions.save_view(form.name.data or "", filters.address)):
        return _saving(form, filters, status=form.status)
    flash(f"View “{(form.name.data or '').strip()}” saved.")
    return redirect(log_list.request_of(filters).address(), 303)


@feature.post("/audit/views/<uuid:view_id>/remove", needs=permissions.KEEP)
def remove(view_id: UUID) -> ResponseReturnValue:
    view = queries.view(view_id)
    name = view.name
    actions.delete_view(view)
    flash(f"View “{name}” deleted.")
    return redirect(url_for("logbook.index"), 303)
