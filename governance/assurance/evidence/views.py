"""The evidence pages: library, inbox, one piece, its versions and their review."""

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from itertools import batched, starmap
from typing import Any
from urllib.parse import quote
from uuid import UUID

from flask import Response, current_app, flash, redirect, request, stream_with_context, url_for

from governance.assurance.evidence import (
    actions,
    deletion,
    evidence_list,
    integrity,
    permissions,
    queries,
    reminders,
    review_queue,
    verifying,
)
from governance.assurance.evidence.evidence_list import EVIDENCE, HEAD
from governance.assurance.evidence.file_types import ACCEPT
from governance.assurance.evidence.forms import (
    AssignForm,
    BeginForm,
    DeletionForm,
    EditForm,
    HoldForm,
    LinkForm,
    RetentionForm,
    RetireForm,
    ReviewForm,
    VersionForm,
)
from governance.assurance.evidence.freshness import CADENCES, counting, deadline, newest
from governance.assurance.evidence.freshness_sql import DECIDED
from governance.assurance.evidence.history import told
from governance.assurance.evidence.models import Evidence, EvidenceVersion
from governance.assurance.evidence.review_queue import REVIEWS
from governance.assurance.evidence.visibility import sight
from governance.foundation.approvals.queries import open_approval
from governance.foundation.people import assigning, owners
from governance.kernel import clock, current
from governance.kernel.access import allowed, why_not
from governance.kernel.bulk import BulkItem
from governance.kernel.db import session, transaction
from governance.kernel.downloads import FILE
from governance.kernel.encrypted_stream import Altered
from governance.kernel.errors import DomainError, Invalid, NotFound
from governance.kernel.feature import Feature, somebody_may
from governance.kernel.forms import Form, accepted, constraint, counted
from governance.kernel.list_export import csv_file, every_page
from governance.kernel.pages import page, table_file
from governance.kernel.spreadsheet_writer import csv_bytes, csv_rows, xlsx_bytes
from governance.kernel.storage import in_pieces
from governance.kernel.undo_pages import back_to, say_changed, take
from governance.kernel.web import ResponseReturnValue

feature = Feature("evidence", __name__)
constraint(
    "uq_evidence_versions_tenant_id_evidence_id_number",
    "Someone else uploaded a version at the same time. Upload yours again.",
)
constraint("uq_evidence_links_open", "It's already linked to this control.")

PIECE = 1024 * 1024
MOST = 100  # late items that the inbox lists: who has more of them works in the library
BATCH = 500  # lines of an export that are read at once


@feature.url_value_preprocessor
def take_large_files(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Only this route takes more than the usual limit, and only from who may bring in versions;
    anybody else's is refused unread.
    """
    slug = (values or {}).get("tenant", "")
    if (
        endpoint == "evidence.bring"
        and request.method == "POST"
        and somebody_may(slug, permissions.BRING)
    ):
        request.max_content_length = actions.LIMIT + PIECE


# ---- lists


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
    """What is filtered, whole: CSV piece by piece while it is read, a workbook made at once."""
    ids, who = queries.everything(**evidence_list.narrowed(EVIDENCE.read())), current.actor()
    rows = (line for batch in batched(ids, BATCH, strict=False) for line in _lines(batch))
    content = (
        stream_with_context(_csv(ids, who)) if form == "csv" else xlsx_bytes("Evidence", HEAD, rows)
    )
    return table_file(content, f"evidence-{who.tenant_slug}-{clock.today()}.{form}")


def _csv(ids: Sequence[UUID], who: current.Actor) -> Iterator[bytes]:
    """The request's own transaction is over when the stream begins: each batch is read in one."""
    yield csv_bytes(HEAD, ())
    for batch in batched(ids, BATCH, strict=False):
        with current.acting_as(who), transaction(read_only=True):
            lines = _lines(batch)
        yield csv_rows(lines)


def _lines(ids: Sequence[UUID]) -> list[list[Any]]:
    return [evidence_list.cells(row) for row in queries.rows_of(ids)]


@feature.get("/evidence/inbox", needs=permissions.VIEW)
def inbox() -> ResponseReturnValue:
    asked, late = REVIEWS.read(), review_queue.late(most=MOST)
    return page(
        "assurance/evidence/inbox.html",
        asked=asked,
        waits=review_queue.page_of(
            asked.criteria, sort=asked.sort, after=asked.after, size=REVIEWS.size
        ),
        late=late,
        covers=queries.covers,
        me=current.actor().person_id,
        owners=owners.assignee_choices(),
        reminded=reminders.reminded([row.piece.id for row in late.rows]),
        check=queries.last_check(most=MOST),
        deletions=queries.deletions() if allowed(permissions.DELETE) else [],
    )


@feature.get("/evidence/inbox.csv", needs=permissions.VIEW, answers=FILE)
def export_reviews() -> ResponseReturnValue:
    """What is filtered, whole."""
    asked = REVIEWS.read()
    pages = every_page(
        lambda after: review_queue.page_of(asked.criteria, sort=asked.sort, after=after, size=BATCH)
    )
    rows = (starmap(review_queue.cells, shown) for shown in pages)
    return csv_file(f"evidence-to-review-{clock.today()}", review_queue.HEAD, rows)


@feature.post("/evidence/assign", needs=permissions.MANAGE)
def assign_selected() -> ResponseReturnValue:
    home = url_for("evidence.index")
    rows = assigning.Assignable(
        "evidence item", "Assign evidence", _selected, assigning.to_one_owner(actions.assign_all)
    )
    return assigning.assign_selected(rows, AssignForm(), home=home, crumbs=[("Evidence", home)])


# BulkAction's signature
def _selected(ids: Collection[UUID], lock: bool) -> list[BulkItem]:  # noqa: FBT001
    return assigning.owned_items(
        queries.some(ids, lock=lock),
        lambda row: url_for("evidence.piece", evidence_id=row.id),
        actions.why_not,
    )


@feature.post("/evidence/undo/<uuid:undo_offer_id>", needs=permissions.MANAGE)
def undo_change(undo_offer_id: UUID) -> ResponseReturnValue:
    return take(undo_offer_id, actions.UNDOABLE, url_for("evidence.index"))


# ---- one piece


@feature.get("/evidence/new", needs=permissions.MANAGE)
def beginning() -> ResponseReturnValue:
    """`control` in the address (id or ref) chooses the control that it supports."""
    asked = request.args.get("control", "")
    chosen = [
        i
        for i, says in queries.control_choices()
        if asked and asked in {str(i), says.split(" ", 1)[0]}
    ]
    form = BeginForm(controls=chosen, owner_id=current.actor().person_id)
    return page("assurance/evidence/new.html", form=form)


@feature.post("/evidence/new", needs=permissions.MANAGE)
def begin() -> ResponseReturnValue:
    form = BeginForm()
    made: list[Evidence] = []
    if not accepted(form, lambda: made.append(_begin(form))):
        return page("assurance/evidence/new.html", form=form, status=422)
    flash(f"{made[0].ref} was created. Upload its first version.")
    return redirect(url_for("evidence.piece", evidence_id=made[0].id), 303)


def _begin(form: BeginForm) -> Evidence:
    return actions.begin(
        form.title.data or "",
        kind=form.kind.data,
        cadence=form.cadence.data,
        confidentiality=form.confidentiality.data,
        due_on=form.due_on.data,
        owner_id=form.owner_id.data or None,
        controls=dict.fromkeys(form.controls.data or (), form.note.data or ""),
    )


@feature.get("/evidence/<uuid:evidence_id>", needs=permissions.VIEW)
def piece(evidence_id: UUID) -> ResponseReturnValue:
    return _piece_page(queries.find_evidence(evidence_id))


def _piece_page(
    evidence: Evidence,
    *,
    link: LinkForm | None = None,
    assign: AssignForm | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    found, fresh = queries.state_of(evidence)
    versions, links = queries.versions(evidence), queries.links(evidence)
    whole = sight().holds(evidence.id)
    history = [*([evidence.id] if whole else []), *(v.id for v in versions)]
    refs = None if sight().controls is None else {each.ref for each in links}
    return page(
        "assurance/evidence/item.html",
        status=status,
        e=evidence,
        piece=found,
        fresh=fresh,
        versions=versions,
        links=links,
        whole=whole,
        deadline=deadline(found.at(clock.now()), due_on=evidence.due_on),
        reasons=_reasons(evidence, found, versions),
        may_bring=_may_bring(evidence),
        link=link or LinkForm(),
        assign=assign or AssignForm(owner_id=evidence.owner_id),
        timeline=told(history, controls=refs),
        custody=queries.custody(versions),
        hold=queries.hold_on(evidence.id),
    )


def _may_bring(evidence: Evidence) -> bool:
    return evidence.retired_at is None and allowed(permissions.BRING, on=evidence)


def _reasons(
    evidence: Evidence, found: queries.Piece, versions: list[queries.VersionView]
) -> list[dict[str, Any]]:
    """Why it is in its state, each with the version that causes it."""
    fresh, held = found.freshness(clock.now()), counting(found.at(clock.now()))
    kinds = {
        "overdue": "bad",
        "rejected": "bad",
        "missing": "warn",
        "in review": "warn",
        "due": "due",
        "fresh": "ok",
    }
    covered = (
        f"Version {held.number} covers {queries.covers(held.period_from, held.period_to)} and is"
        f" valid until {held.valid_until.day} {held.valid_until:%B %Y}."
        if held
        else "No version has been accepted yet."
    )
    lines = [{"kind": kinds[fresh.state], "lead": f"{fresh.word}.", "text": covered}]
    for v in versions:
        if v.fault is not None:
            what = (
                "is missing" if v.fault == "missing" else "doesn't match the file that was uploaded"
            )
            lines.append(
                {
                    "kind": "bad",
                    "lead": f"Version {v.number} is corrupted.",
                    "text": f"Its stored file {what}, so it doesn't count as evidence.",
                }
            )
        if v.review == "pending" and not v.is_gone:
            wait = (clock.now() - v.uploaded_at).days
            lines.append(
                {
                    "kind": "warn",
                    "lead": f"Version {v.number} is in review.",
                    "text": f"Uploaded {_ago(wait)} by {v.collector}.",
                }
            )
        elif v.review == "rejected" and v is versions[0]:
            lines.append(
                {"kind": "bad", "lead": f"Version {v.number} was rejected.", "text": v.reason}
            )
    if evidence.owner_id is None:
        lines.append(
            {"kind": "none", "lead": "No owner.", "text": "No one gets reminders before it's due."}
        )
    return lines


def _ago(days: int) -> str:
    return "today" if not days else "yesterday" if days == 1 else f"{days} days ago"


@feature.get("/evidence/<uuid:evidence_id>/edit", needs=permissions.MANAGE)
def editing(evidence_id: UUID) -> ResponseReturnValue:
    evidence = queries.find_evidence(evidence_id)
    return page("assurance/evidence/edit.html", e=evidence, form=EditForm(obj=evidence))


@feature.post("/evidence/<uuid:evidence_id>/edit", needs=permissions.MANAGE)
def edit(evidence_id: UUID) -> ResponseReturnValue:
    evidence, form = queries.find_evidence(evidence_id, lock=True), EditForm()
    if not accepted(form, lambda: _edit(evidence, form)):
        if form.stale:
            form.version.data = str(evidence.version)
        return page(
            "assurance/evidence/edit.html",
            e=evidence,
            form=form,
            changes=form.overtaken,
            status=form.status,
        )
    return redirect(url_for("evidence.piece", evidence_id=evidence.id), 303)


def _edit(evidence: Evidence, form: EditForm) -> None:
    actions.edit(
        evidence,
        version=counted(form.version.data),
        title=form.title.data or "",
        kind=form.kind.data,
        cadence=form.cadence.data,
        confidentiality=form.confidentiality.data,
        due_on=form.due_on.data,
    )


@feature.post("/evidence/<uuid:evidence_id>/owner", needs=permissions.MANAGE)
def assign(evidence_id: UUID) -> ResponseReturnValue:
    evidence, form = queries.find_evidence(evidence_id, lock=True), AssignForm()
    if not accepted(form, lambda: actions.assign(evidence, owners.chosen(form.owner_id.data))):
        return _piece_page(evidence, assign=form, status=422)
    say_changed(owners.assigned_one(evidence.ref, evidence.owner_id))
    return redirect(back_to(url_for("evidence.piece", evidence_id=evidence.id)), 303)


@feature.post("/evidence/<uuid:evidence_id>/links", needs=permissions.MANAGE)
def link(evidence_id: UUID) -> ResponseReturnValue:
    evidence, form = queries.find_evidence(evidence_id, lock=True), LinkForm()
    if not accepted(
        form, lambda: actions.link(evidence, form.control_id.data, form.note.data or "")
    ):
        return _piece_page(evidence, link=form, status=422)
    say_changed(f"{evidence.ref} is linked to {queries.ref_of_control(form.control_id.data)}.")
    return redirect(url_for("evidence.piece", evidence_id=evidence.id), 303)


@feature.post(
    "/evidence/<uuid:evidence_id>/links/<uuid:control_id>/remove", needs=permissions.MANAGE
)
def unlink(evidence_id: UUID, control_id: UUID) -> ResponseReturnValue:
    evidence = queries.find_evidence(evidence_id, lock=True)
    actions.unlink(evidence, control_id)
    say_changed(f"{evidence.ref} is no longer linked to {queries.ref_of_control(control_id)}.")
    return redirect(url_for("evidence.piece", evidence_id=evidence.id), 303)


@feature.get("/evidence/<uuid:evidence_id>/retirement", needs=permissions.MANAGE)
def retirement(evidence_id: UUID) -> ResponseReturnValue:
    evidence = queries.find_evidence(evidence_id)
    return page(
        "assurance/evidence/retire.html",
        e=evidence,
        links=queries.links(evidence),
        versions=queries.versions(evidence),
        form=RetireForm(),
    )


@feature.post("/evidence/<uuid:evidence_id>/retirement", needs=permissions.MANAGE)
def retire(evidence_id: UUID) -> ResponseReturnValue:
    evidence, form = queries.find_evidence(evidence_id, lock=True), RetireForm()
    if not accepted(form, lambda: actions.retire(evidence, reason=form.reason.data or "")):
        return page(
            "assurance/evidence/retire.html",
            e=evidence,
            links=queries.links(evidence),
            versions=queries.versions(evidence),
            form=form,
            status=422,
        )
    say_changed(f"{evidence.ref} was retired. Its versions and history are kept.")
    return redirect(url_for("evidence.index"), 303)


# ---- versions


@feature.get("/evidence/<uuid:evidence_id>/versions/new", needs=permissions.BRING)
def bringing(evidence_id: UUID) -> ResponseReturnValue:
    evidence = queries.find_evidence(evidence_id)
    actions.check_may_bring(evidence)
    return page(
        "assurance/evidence/upload.html",
        e=evidence,
        accept=ACCEPT,
        form=VersionForm(**_proposed(evidence)),
    )


def _proposed(evidence: Evidence) -> dict[str, Any]:
    """Dates that follow from the last version and the cadence, so that most forms need only the
    file.
    """
    found, _ = queries.state_of(evidence)
    last, today = newest(found.at(clock.now())), clock.today()
    step = timedelta(days=CADENCES.get(evidence.cadence) or 92)
    begins = min(last.period_to + timedelta(days=1), today) if last else today - step
    return {
        "collected_on": today,
        "period_from": begins,
        "period_to": today,
        "valid_until": today + step,
        "source": "",
    }


@feature.post("/evidence/<uuid:evidence_id>/versions/new", needs=permissions.BRING)
def bring(evidence_id: UUID) -> ResponseReturnValue:
    evidence, form = queries.find_evidence(evidence_id), VersionForm()
    brought: list[EvidenceVersion] = []
    if not accepted(form, lambda: brought.append(_bring(evidence, form))):
        return page(
            "assurance/evidence/upload.html", e=evidence, accept=ACCEPT, form=form, status=422
        )
    flash(
        f"Version {brought[0].number} of {evidence.ref} was uploaded. Another person reviews it"
        " before it counts."
    )
    return redirect(url_for("evidence.piece", evidence_id=evidence.id), 303)


def _bring(evidence: Evidence, form: VersionForm) -> EvidenceVersion:
    sent, url = request.files.get("file"), (form.url.data or "").strip()
    if bool(sent and sent.filename) == bool(url):
        raise Invalid(
            "Enter either a file or a link, not both." if url else "Choose a file or enter a link.",
            field="file",
        )
    if url:
        return actions.bring_link(evidence, url, source=form.source.data or "link", **form.dates)
    assert sent is not None
    stream: Any = sent.stream
    return actions.bring_file(
        evidence,
        stream,
        sent.filename,
        source=form.source.data or "upload",
        unchanged=False,
        **form.dates,
    )


@feature.get("/evidence/versions/<uuid:version_id>/review", needs=permissions.REVIEW)
def reviewing(version_id: UUID) -> ResponseReturnValue:
    version, evidence = queries.version_of(version_id)
    return _review_page(version, evidence, ReviewForm())


def _review_page(
    version: EvidenceVersion, evidence: Evidence, form: Form, *, status: int = 200
) -> ResponseReturnValue:
    _, fresh = queries.state_of(evidence)
    every = queries.versions(evidence)
    v = next(each for each in every if each.id == version.id)
    before = next(
        (each for each in every if each.number < v.number and each.review == "accepted"), None
    )
    return page(
        "assurance/evidence/review.html",
        e=evidence,
        v=v,
        before=before,
        fresh=fresh,
        links=queries.links(evidence),
        why_not=why_not(permissions.REVIEW, on=version),
        form=form,
        status=status,
    )


@feature.post("/evidence/versions/<uuid:version_id>/review", needs=permissions.REVIEW)
def review(version_id: UUID) -> ResponseReturnValue:
    version, evidence = queries.version_of(version_id, lock=True)
    form = ReviewForm()
    if not form.validate():
        return _review_page(version, evidence, form, status=422)
    try:
        with session().begin_nested():
            _judge(version, evidence, form)
    except DomainError as error:
        if error.status not in {409, 422}:
            raise
        form.refuse(error)
        return _review_page(version, evidence, form, status=error.status)
    flash(f"You {form.decision.data} version {version.number} of {evidence.ref}.")
    return redirect(url_for("evidence.inbox"), 303)


def _judge(version: EvidenceVersion, evidence: Evidence, form: ReviewForm) -> None:
    reason = form.reason.data or ""
    if form.decision.data == "accepted":
        actions.accept(version, evidence, remark=reason)
    else:
        actions.reject(version, evidence, reason=reason)


@feature.post("/evidence/versions/<uuid:version_id>/download", needs=permissions.VIEW, answers=FILE)
def download(version_id: UUID) -> ResponseReturnValue:
    """The file as an attachment, streamed; a POST, because who took it out is recorded.

    A broken file is noted at once.
    """
    version, evidence = queries.version_of(version_id)
    try:
        with session().begin_nested():  # what does not go out was not downloaded
            pieces = verifying.watched(in_pieces(actions.take_out(version)), version.id)
    except (NotFound, Altered) as error:
        integrity.note_fault(version, verifying.kind_of(error))
        told = "The version doesn't count as evidence until the file is restored."
        return current_app.handle_user_exception(
            verifying.Broken(f"{error.message} {told}")
        )  # the note is kept
    name = version.filename or "file"
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    headers = {
        "Content-Type": version.media_type or "application/octet-stream",
        "Content-Length": str(version.size),
        "Content-Disposition": (
            f'attachment; filename="{evidence.ref}-v{version.number}-{plain}";'
            f" filename*=UTF-8''{quote(f'{evidence.ref}-v{version.number}-{name}')}"
        ),
        "X-Content-SHA256": version.sha256 or "",
    }
    return Response(pieces, headers=headers)


# ---- what keeps a file, and what lets it go


@feature.get("/evidence/<uuid:evidence_id>/hold", needs=permissions.KEEP)
def holding(evidence_id: UUID) -> ResponseReturnValue:
    return _hold_page(queries.find_evidence(evidence_id), HoldForm())


def _hold_page(evidence: Evidence, form: HoldForm, *, status: int = 200) -> ResponseReturnValue:
    hold = queries.hold_on(evidence.id)
    placed_by = (
        queries.doers([hold.placed_by]).get(hold.placed_by, queries.FORMER) if hold else None
    )
    return page(
        "assurance/evidence/hold.html",
        e=evidence,
        hold=hold,
        placed_by=placed_by,
        form=form,
        status=status,
    )


@feature.post("/evidence/<uuid:evidence_id>/hold", needs=permissions.KEEP)
def hold(evidence_id: UUID) -> ResponseReturnValue:
    """Place one, or release the one that the page showed."""
    evidence, form = queries.find_evidence(evidence_id, lock=True), HoldForm()
    releases = request.form.get("verb") == "release"
    act = deletion.release_hold if releases else deletion.place_hold
    if not accepted(form, lambda: act(evidence, reason=form.reason.data or "")):
        return _hold_page(evidence, form, status=form.status)
    flash(
        f"The legal hold on {evidence.ref} was released."
        if releases
        else f"The legal hold on {evidence.ref} is active."
    )
    return redirect(url_for("evidence.piece", evidence_id=evidence.id), 303)


@feature.get("/evidence/retention", needs=permissions.KEEP)
def retention() -> ResponseReturnValue:
    return _retention_page()


def _retention_page(form: RetentionForm | None = None, *, status: int = 200) -> ResponseReturnValue:
    """What was typed stays in the line of its kind."""
    rules = queries.retention_rules()
    lines = [
        (kind, rules.get(kind), form if form is not None and form.kind.data == kind else None)
        for kind in actions.KINDS
    ]
    people = queries.doers(rule.changed_by for rule in rules.values())
    return page(
        "assurance/evidence/retention.html",
        lines=lines,
        rules=rules,
        people=people,
        refused=form,
        status=status,
    )


@feature.post("/evidence/retention", needs=permissions.KEEP)
def set_retention() -> ResponseReturnValue:
    form = RetentionForm()
    kind = form.kind.data or ""
    if not accepted(
        form,
        lambda: deletion.set_retention(kind, form.months.data, version=counted(form.version.data)),
    ):
        return _retention_page(form, status=form.status)
    flash(
        f"{kind.capitalize()} files are kept for {form.months.data} months after validity ends."
        if form.months.data
        else f"{kind.capitalize()} files are kept indefinitely."
    )
    return redirect(url_for("evidence.retention"), 303)


@feature.get("/evidence/versions/<uuid:version_id>/deletion", needs=permissions.DELETE)
def deletion_request(version_id: UUID) -> ResponseReturnValue:
    """The form that requests it, then its approval, then the tombstone."""
    version, evidence = queries.version_of(version_id)
    asked = queries.deletion_of(version, "requested")
    approval = open_approval(queries.DELETION, asked.id) if asked else None
    if approval is not None:
        return redirect(url_for("approvals.approval", approval_id=approval.id), 303)
    return _destruction_page(version, evidence, DeletionForm())


def _destruction_page(
    version: EvidenceVersion, evidence: Evidence, form: DeletionForm, *, status: int = 200
) -> ResponseReturnValue:
    asked = queries.deletion_of(version, *DECIDED)
    return page(
        "assurance/evidence/deletion.html",
        e=evidence,
        v=version,
        asked=asked,
        people=queries.doers([asked.requested_by, asked.decided_by] if asked else []),
        kept=None if asked else deletion.hold_reason(version, evidence),
        shared=queries.others_with(version),
        form=form,
        status=status,
    )


@feature.post("/evidence/versions/<uuid:version_id>/deletion", needs=permissions.DELETE)
def request_deletion(version_id: UUID) -> ResponseReturnValue:
    (version, evidence), form = queries.version_of(version_id, lock=True), DeletionForm()
    if not accepted(
        form,
        lambda: deletion.request_deletion(version, evidence, reason=form.reason.data or ""),
    ):
        return _destruction_page(version, evidence, form, status=form.status)
    flash("Deletion requested. Another person decides.")
    return redirect(url_for("evidence.deletion_request", version_id=version.id), 303)
