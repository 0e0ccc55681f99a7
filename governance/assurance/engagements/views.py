"""Auditor engagements: who may look, from when to when; what they ask for; the packages they
take.
"""

import hashlib
import re
from typing import Any
from uuid import UUID

from flask import current_app, flash, redirect, request, url_for

from governance.assurance.engagements import (
    actions,
    auditor_access,
    engagement_list,
    packages,
    permissions,
    queries,
    request_import,
    request_list,
)
from governance.assurance.engagements import requests as requesting
from governance.assurance.engagements.engagement_list import ENGAGEMENTS
from governance.assurance.engagements.forms import (
    AssignRequestForm,
    AttachForm,
    AuditorForm,
    EndForm,
    EngagementForm,
    ListForm,
    RequestForm,
    SayForm,
)
from governance.assurance.engagements.models import AuditRequest, Engagement
from governance.assurance.engagements.request_list import REQUESTS, WAITING
from governance.assurance.evidence.history import timeline_entries
from governance.assurance.evidence.shown_names import person_names
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.people import owners
from governance.kernel import clock, current, work_pages
from governance.kernel.access import allowed
from governance.kernel.downloads import FILE
from governance.kernel.errors import Invalid
from governance.kernel.feature import Feature
from governance.kernel.formatting import plural
from governance.kernel.forms import Form, accepted, constraint, counted, uuid_or_none
from governance.kernel.list_export import BATCH, csv_file, every_page
from governance.kernel.list_pages import one_page
from governance.kernel.pages import page
from governance.kernel.step_up import StepUp
from governance.kernel.undo_pages import say_changed, take
from governance.kernel.web import ResponseReturnValue

feature = Feature("engagements", __name__)
constraint(
    "uq_engagement_auditors_open",
    "This address is already an auditor of this engagement.",
    field="email",
)
constraint(
    "uq_audit_requests_tenant_id_engagement_id_ref",
    "This ref is already in the list. Choose another.",
    field="ref",
)
constraint(
    "uq_request_attachments_tenant_id_request_id_version_id", "This version is already attached."
)
SHOWN = 50  # lines of a list that its preview shows
OFFERED = 20  # versions to choose from, until words narrow them


# ---- engagements


@feature.get("/engagements/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    asked, every = ENGAGEMENTS.read(), engagement_list.every_line()
    found = engagement_list.matching(every, asked)
    shown = one_page(found, asked, lambda line: line.engagement.ref)
    return page(
        "assurance/engagements/index.html",
        list_request=asked,
        summaries=shown.rows,
        next=shown.next,
        matching=len(found),
        total=len(every),
        open=sum(line.phase == "open" for line in every),
    )


@feature.get("/engagements/export.csv", needs=permissions.VIEW, answers=FILE)
def export_engagements() -> ResponseReturnValue:
    """What is filtered, whole."""
    found = engagement_list.matching(engagement_list.every_line(), ENGAGEMENTS.read())
    return csv_file(
        f"engagements-{clock.today()}", engagement_list.HEAD, [map(engagement_list.cells, found)]
    )


@feature.get("/engagements/new", needs=permissions.MANAGE)
def opening() -> ResponseReturnValue:
    return page("assurance/engagements/edit.html", form=EngagementForm(), engagement=None)


@feature.post("/engagements/new", needs=permissions.MANAGE)
def open_() -> ResponseReturnValue:
    form, made = EngagementForm(), []
    if not accepted(form, lambda: made.append(actions.open_engagement(**_facts(form)))):
        return page(
            "assurance/engagements/edit.html", form=form, engagement=None, status=form.status
        )
    flash(f"{made[0].ref} created. Invite its auditors next.")
    return redirect(url_for("engagements.engagement", engagement_id=made[0].id), 303)


def _facts(form: EngagementForm) -> dict[str, Any]:
    return {
        "firm": form.firm.data or "",
        "framework_id": form.framework_id.data or None,
        "criteria": (form.criteria.data or "").split(","),
        "period_from": form.period_from.data,
        "period_to": form.period_to.data,
        "fieldwork_from": form.fieldwork_from.data,
        "fieldwork_to": form.fieldwork_to.data,
        "freezes_changes": bool(form.freezes_changes.data),
    }


@feature.get("/engagements/<uuid:engagement_id>", needs=permissions.VIEW)
def engagement(engagement_id: UUID) -> ResponseReturnValue:
    return _engagement_page(queries.engagement(engagement_id), AuditorForm())


def _engagement_page(held: Engagement, form: Form, *, status: int = 200) -> ResponseReturnValue:
    runs = queries.packages(held.id) if allowed(permissions.PACKAGE) else []
    pending = queries.first_requests(
        held.id, ("provided",) if allowed(permissions.JUDGE) else ("open", "returned")
    )
    ids = [held.id, *(run.row.id for run in runs)]
    return page(
        "assurance/engagements/engagement.html",
        status=status,
        engagement=held,
        form=form,
        phase=queries.phase_of(held),
        scope=queries.framework_of(held),
        counts=queries.counts([held.id])[held.id],
        auditors=queries.auditors(held.id),
        runs=runs,
        controls=len(queries.controls_in(held)),
        requests=pending,
        timeline=timeline_entries(ids),
    )


@feature.get("/engagements/<uuid:engagement_id>/edit", needs=permissions.MANAGE)
def editing(engagement_id: UUID) -> ResponseReturnValue:
    held = queries.engagement(engagement_id)
    form = EngagementForm(obj=held)
    form.criteria.data = ", ".join(held.criteria)
    return page("assurance/engagements/edit.html", form=form, engagement=held)


@feature.post("/engagements/<uuid:engagement_id>/edit", needs=permissions.MANAGE)
def edit(engagement_id: UUID) -> ResponseReturnValue:
    held, form = queries.engagement(engagement_id, lock=True), EngagementForm()
    if not accepted(
        form, lambda: actions.change(held, version=counted(form.version.data), **_facts(form))
    ):
        if form.stale:
            form.version.data = str(held.version)
        return page(
            "assurance/engagements/edit.html", form=form, engagement=held, status=form.status
        )
    return redirect(url_for("engagements.engagement", engagement_id=held.id), 303)


@feature.get("/engagements/<uuid:engagement_id>/end", needs=permissions.MANAGE)
def ending(engagement_id: UUID) -> ResponseReturnValue:
    held = queries.engagement(engagement_id)
    return page(
        "assurance/engagements/end.html",
        engagement=held,
        form=EndForm(),
        auditors=queries.auditors(held.id),
    )


@feature.post("/engagements/<uuid:engagement_id>/end", needs=permissions.MANAGE)
def end(engagement_id: UUID) -> ResponseReturnValue:
    held, form = queries.engagement(engagement_id, lock=True), EndForm()
    if not accepted(form, lambda: actions.end(held, reason=form.reason.data or "")):
        return page(
            "assurance/engagements/end.html",
            engagement=held,
            form=form,
            auditors=queries.auditors(held.id),
            status=form.status,
        )
    flash(f"{held.ref} ended. Its auditors no longer have access.")
    return redirect(url_for("engagements.engagement", engagement_id=held.id), 303)


# of its address
def _which(engagement_id: UUID, package_id: UUID | None = None) -> list[tuple[str, str]]:  # noqa: ARG001
    held = queries.engagement(engagement_id)
    return [("Engagement", f"{held.ref}, {held.firm}")]


def _whom(engagement_id: UUID, auditor_id: UUID) -> list[tuple[str, str]]:
    auditors = (each.auditor for each in queries.auditors(engagement_id))
    return [
        *_which(engagement_id),
        *(("Auditor", f"{a.name}, {a.email}") for a in auditors if a.id == auditor_id),
    ]


INVITE_AUDITOR = StepUp("Invite auditor", AuditorForm, facts=_which)
REMOVE_AUDITOR = StepUp(
    "Remove auditor", facts=_whom, danger="This auditor loses access to the engagement immediately."
)


@feature.post(
    "/engagements/<uuid:engagement_id>/auditors", needs=permissions.MANAGE, fresh=INVITE_AUDITOR
)
def let_in(engagement_id: UUID) -> ResponseReturnValue:
    held, form, public = (
        queries.engagement(engagement_id, lock=True),
        AuditorForm(),
        current_app.config["PUBLIC_URL"],
    )
    slug = current.actor().tenant_slug

    def act() -> None:
        auditor_access.add_auditor(
            held,
            name=form.name.data or "",
            email=form.email.data or "",
            way=form.way.data or "",
            address=f"{public}/auditor/{slug}",
            sign_in=f"{public}/login?tenant={slug}",
        )

    if not accepted(form, act):
        return _engagement_page(held, form, status=form.status)
    flash("Invitation sent by email.")
    return redirect(url_for("engagements.engagement", engagement_id=held.id), 303)


@feature.post(
    "/engagements/<uuid:engagement_id>/auditors/<uuid:auditor_id>/remove",
    needs=permissions.MANAGE,
    fresh=REMOVE_AUDITOR,
)
def take_out(engagement_id: UUID, auditor_id: UUID) -> ResponseReturnValue:
    held = queries.engagement(engagement_id)
    auditor_access.remove_auditor(held, queries.auditor(held.id, auditor_id))
    flash("Auditor removed from the engagement.")
    return redirect(url_for("engagements.engagement", engagement_id=held.id), 303)


# ---- requests


@feature.get("/engagements/requests", needs=permissions.VIEW)
def waiting() -> ResponseReturnValue:
    """What awaits the reader over all engagements."""
    asked = WAITING.read(choices={"engagement": _open_engagements()})
    found = queries.waiting(asked.criteria, sort=asked.sort, after=asked.after, size=WAITING.size)
    return page(
        "assurance/engagements/waiting.html",
        list_request=asked,
        rows=found.rows,
        next=found.next,
        total=queries.count_waiting(),
        judges=allowed(permissions.JUDGE),
        manages=allowed(permissions.MANAGE),
    )


def _open_engagements() -> list[tuple[str, str]]:
    return [
        (e.ref, f"{e.ref} {e.firm}") for e in queries.engagements() if queries.phase_of(e) == "open"
    ]


@feature.get("/engagements/requests.csv", needs=permissions.VIEW, answers=FILE)
def export_waiting() -> ResponseReturnValue:
    """What is filtered, whole."""
    asked = WAITING.read()
    pages = every_page(
        lambda after: queries.waiting(asked.criteria, sort=asked.sort, after=after, size=BATCH)
    )
    return csv_file(
        f"requests-{clock.today()}",
        request_list.WAITING_HEAD,
        map(request_list.waiting_cells, pages),
    )


@feature.get("/engagements/<uuid:engagement_id>/requests", needs=permissions.VIEW)
def requests(engagement_id: UUID) -> ResponseReturnValue:
    held, asked = (
        queries.engagement(engagement_id),
        REQUESTS.read(place={"engagement_id": engagement_id}),
    )
    found = queries.requests(
        held.id, **asked.criteria, sort=asked.sort, after=asked.after, size=REQUESTS.size
    )
    return page(
        "assurance/engagements/requests.html",
        engagement=held,
        list_request=asked,
        rows=found.rows,
        next=found.next,
        counts=queries.counts([held.id])[held.id],
        owners=person_names(r.owner_id for r in found.rows),
        phase=queries.phase_of(held),
    )


@feature.get("/engagements/<uuid:engagement_id>/requests.csv", needs=permissions.VIEW, answers=FILE)
def export(engagement_id: UUID) -> ResponseReturnValue:
    """What is filtered, whole."""
    held, asked = (
        queries.engagement(engagement_id),
        REQUESTS.read(place={"engagement_id": engagement_id}),
    )
    pages = every_page(
        lambda after: queries.requests(
            held.id, **asked.criteria, sort=asked.sort, after=after, size=BATCH
        )
    )
    return csv_file(
        f"requests-{held.ref}-{clock.today()}", request_list.HEAD, map(request_list.cells, pages)
    )


@feature.get("/engagements/<uuid:engagement_id>/requests/new", needs=permissions.ASK)
def asking(engagement_id: UUID) -> ResponseReturnValue:
    return page(
        "assurance/engagements/ask.html",
        engagement=queries.engagement(engagement_id),
        form=RequestForm(),
    )


@feature.post("/engagements/<uuid:engagement_id>/requests/new", needs=permissions.ASK)
def ask(engagement_id: UUID) -> ResponseReturnValue:
    held, form, made = queries.engagement(engagement_id), RequestForm(), []

    def act() -> None:
        made.append(
            requesting.add_request(
                held,
                title=form.title.data or "",
                detail=form.detail.data or "",
                criteria=(form.criteria.data or "").split(","),
                due_on=form.due_on.data,
                owner_id=form.owner_id.data or None,
                ref=form.ref.data or "",
            )
        )

    if not accepted(form, act):
        return page(
            "assurance/engagements/ask.html", engagement=held, form=form, status=form.status
        )
    return redirect(
        url_for("engagements.one_request", engagement_id=held.id, request_id=made[0].id), 303
    )


@feature.get("/engagements/<uuid:engagement_id>/requests/<uuid:request_id>", needs=permissions.VIEW)
def one_request(engagement_id: UUID, request_id: UUID) -> ResponseReturnValue:
    return _request_page(*queries.request(engagement_id, request_id))


def _request_page(
    held: Engagement,
    asked: AuditRequest,
    *,
    say: Form | None = None,
    attach: Form | None = None,
    assign: Form | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    thread = queries.thread(asked.id, after=request.args.get("before"))
    may_answer = _may_answer(held, asked)
    return page(
        "assurance/engagements/request.html",
        status=status,
        engagement=held,
        r=asked,
        thread=thread.rows,
        earlier=thread.next,
        attached=queries.attached([asked.id]),
        who=person_names(
            [asked.owner_id, asked.requested_by, *(remark.written_by for remark in thread.rows)]
        ),
        say=say or SayForm(),
        attach=attach or (_attach_form(held) if may_answer else None),
        phase=queries.phase_of(held),
        may_answer=may_answer,
        find=_sought(),
        assign=assign or _assign_form(asked),
        may_judge=allowed(permissions.JUDGE) and asked.state == "provided",
        timeline=timeline_entries(
            [asked.id],
            without=queries.UNSEEN_BY_AUDITORS if current.actor().role == "auditor" else (),
        ),
    )


def _assign_form(asked: AuditRequest) -> AssignRequestForm:
    form = AssignRequestForm(owner_id=asked.owner_id, due_on=asked.due_on)
    form.owner_id.offer(owners.owner_choices(asked.owner_id))
    return form


def _attach_form(held: Engagement) -> AttachForm:
    form = AttachForm()
    found = queries.version_choices(held, _sought(), limit=OFFERED + 1)
    form.version_id.choices = [("", "Choose a version…"), *found[:OFFERED]]
    form.version_id.description = _says_of_choices(len(found))
    return form


def _sought() -> str:
    """The words that narrow the versions to choose from; the form carries them on."""
    return request.values.get("find", "").strip()[:200]


def _says_of_choices(count: int) -> str:
    if not count:
        return (
            "No versions match your search. Try another ref or title."
            if _sought()
            else "No version in scope covers the period. Search for another by ref or title."
        )
    return (
        f"Shows the {OFFERED} newest versions. Search by ref or title to find others."
        if count > OFFERED
        else "Search by ref or title to find others."
    )


def _may_answer(held: Engagement, asked: AuditRequest) -> bool:
    return (
        allowed(permissions.PROVIDE, on=asked)
        and asked.state in {"open", "returned"}
        and queries.phase_of(held) != "over"
    )


@feature.post(
    "/engagements/<uuid:engagement_id>/requests/<uuid:request_id>/say", needs=permissions.SAY
)
def say(engagement_id: UUID, request_id: UUID) -> ResponseReturnValue:
    """A comment; the other verbs have addresses of their own."""
    return _turn(
        engagement_id,
        request_id,
        lambda held, asked, text, _seen: requesting.comment(held, asked, text),
    )


@feature.post(
    "/engagements/<uuid:engagement_id>/requests/<uuid:request_id>/provide",
    needs=permissions.PROVIDE,
)
def provide(engagement_id: UUID, request_id: UUID) -> ResponseReturnValue:
    return _turn(
        engagement_id,
        request_id,
        lambda held, asked, text, seen: requesting.provide(held, asked, said=text, seen=seen),
    )


@feature.post(
    "/engagements/<uuid:engagement_id>/requests/<uuid:request_id>/accept", needs=permissions.JUDGE
)
def accept(engagement_id: UUID, request_id: UUID) -> ResponseReturnValue:
    return _turn(
        engagement_id,
        request_id,
        lambda held, asked, text, seen: requesting.accept(held, asked, said=text, seen=seen),
    )


@feature.post(
    "/engagements/<uuid:engagement_id>/requests/<uuid:request_id>/return", needs=permissions.JUDGE
)
def give_back(engagement_id: UUID, request_id: UUID) -> ResponseReturnValue:
    return _turn(
        engagement_id,
        request_id,
        lambda held, asked, text, seen: requesting.give_back(held, asked, reason=text, seen=seen),
    )


def _turn(engagement_id: UUID, request_id: UUID, act: Any) -> ResponseReturnValue:
    (held, asked), form = queries.request(engagement_id, request_id, lock=True), SayForm()
    if not accepted(
        form, lambda: act(held, asked, form.text.data or "", counted(form.version.data))
    ):
        return _request_page(held, asked, say=form, status=form.status)
    return redirect(
        url_for("engagements.one_request", engagement_id=held.id, request_id=asked.id), 303
    )


@feature.post(
    "/engagements/<uuid:engagement_id>/requests/<uuid:request_id>/owner", needs=permissions.MANAGE
)
def assign(engagement_id: UUID, request_id: UUID) -> ResponseReturnValue:
    held, asked = queries.request(engagement_id, request_id, lock=True)
    form = _assign_form(asked)
    if not accepted(
        form,
        lambda: requesting.assign(
            held,
            asked,
            owner_id=form.owner_id.data or None,
            due_on=form.due_on.data,
            seen=counted(form.version.data),
        ),
    ):
        return _request_page(held, asked, assign=form, status=form.status)
    say_changed(f"Owner and due date of {asked.ref} saved.")
    return redirect(
        url_for("engagements.one_request", engagement_id=held.id, request_id=asked.id), 303
    )


@feature.post("/engagements/undo/<uuid:undo_offer_id>", needs=permissions.MANAGE)
def undo_change(undo_offer_id: UUID) -> ResponseReturnValue:
    return take(undo_offer_id, requesting.UNDOABLE, url_for("engagements.index"))


@feature.post(
    "/engagements/<uuid:engagement_id>/requests/<uuid:request_id>/attachments",
    needs=permissions.PROVIDE,
)
def attach(engagement_id: UUID, request_id: UUID) -> ResponseReturnValue:
    held, asked = queries.request(engagement_id, request_id, lock=True)
    form = _attach_form(held)
    if not accepted(
        form, lambda: requesting.attach(held, asked, uuid_or_none(form.version_id.data))
    ):
        return _request_page(held, asked, attach=form, status=form.status)
    return redirect(
        url_for("engagements.one_request", engagement_id=held.id, request_id=asked.id), 303
    )


@feature.post(
    "/engagements/<uuid:engagement_id>/requests/<uuid:request_id>/attachments/<uuid:attachment_id>/remove",
    needs=permissions.PROVIDE,
)
def detach(engagement_id: UUID, request_id: UUID, attachment_id: UUID) -> ResponseReturnValue:
    held, asked = queries.request(engagement_id, request_id, lock=True)
    requesting.detach(held, asked, queries.attachment(asked.id, attachment_id))
    return redirect(
        url_for("engagements.one_request", engagement_id=held.id, request_id=asked.id), 303
    )


# ---- a list from a file


@feature.get("/engagements/<uuid:engagement_id>/imports/new", needs=permissions.ASK)
def importing(engagement_id: UUID) -> ResponseReturnValue:
    return page(
        "assurance/engagements/import.html",
        engagement=queries.engagement(engagement_id),
        form=ListForm(),
    )


@feature.post("/engagements/<uuid:engagement_id>/imports/new", needs=permissions.ASK)
def read_list(engagement_id: UUID) -> ResponseReturnValue:
    """Read the file and show what it holds; nothing is in the list yet."""
    held, form, kept = queries.engagement(engagement_id), ListForm(), []
    if not accepted(form, lambda: kept.append(_kept(held))):
        return page(
            "assurance/engagements/import.html", engagement=held, form=form, status=form.status
        )
    return redirect(
        url_for("engagements.what_was_read", engagement_id=held.id, request_import_id=kept[0].id),
        303,
    )


def _kept(held: Engagement) -> Any:
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Invalid("Choose a file.", field="file")
    content = sent.stream.read(request_import.MOST_BYTES + 1)
    if len(content) > request_import.MOST_BYTES:
        raise Invalid(
            f"The file is larger than {request_import.MOST_BYTES // 1024**2} MB. Upload a smaller file.",
            field="file",
        )
    known = (
        frozenset(each.ref for each in frameworks.requirements(held.framework_id))
        if held.framework_id
        else None
    )
    listed = request_import.read(content, known=known)
    name = (
        re.sub(r"[^\w .()-]", "_", sent.filename.replace("\\", "/").rpartition("/")[2])[:120]
        or "list.xlsx"
    )
    return requesting.keep_list(
        held, listed, filename=name, sha256=hashlib.sha256(content).hexdigest()
    )


@feature.get(
    "/engagements/<uuid:engagement_id>/imports/<uuid:request_import_id>", needs=permissions.ASK
)
def what_was_read(engagement_id: UUID, request_import_id: UUID) -> ResponseReturnValue:
    held = queries.engagement(engagement_id)
    kept = queries.import_of(held.id, request_import_id)
    rows = [request_import.ImportedRequest.from_json(row) for row in kept.rows]
    known = queries.known_rows(held.id)
    new = [row for row in rows if row.ref not in known]
    differs = [row for row in rows if row.ref in known and known[row.ref] != row.digest]
    return page(
        "assurance/engagements/preview.html",
        engagement=held,
        request_import=kept,
        new=new[:SHOWN],
        new_count=len(new),
        differs=differs[:SHOWN],
        differs_count=len(differs),
        same=len(rows) - len(new) - len(differs),
    )


@feature.post(
    "/engagements/<uuid:engagement_id>/imports/<uuid:request_import_id>", needs=permissions.ASK
)
def take_over(engagement_id: UUID, request_import_id: UUID) -> ResponseReturnValue:
    held = queries.engagement(engagement_id)
    kept = queries.import_of(held.id, request_import_id, lock=True)
    added = requesting.take_over(held, kept)
    flash(f"{plural(added, 'request')} added.")
    return redirect(url_for("engagements.requests", engagement_id=held.id), 303)


# ---- packages


GENERATE = StepUp("Generate package", facts=_which)
DOWNLOAD = StepUp("Download package", facts=_which)


@feature.post(
    "/engagements/<uuid:engagement_id>/packages", needs=permissions.PACKAGE, fresh=GENERATE
)
def ask_package(engagement_id: UUID) -> ResponseReturnValue:
    held = queries.engagement(engagement_id)
    made = packages.ask_package(held)
    return redirect(url_for("engagements.package", engagement_id=held.id, package_id=made.id), 303)


@feature.get(
    "/engagements/<uuid:engagement_id>/packages/<uuid:package_id>", needs=permissions.PACKAGE
)
def package(engagement_id: UUID, package_id: UUID) -> ResponseReturnValue:
    held, run = queries.engagement(engagement_id), queries.package(engagement_id, package_id)
    requested_by = (
        person_names([run.row.requested_by]).get(run.row.requested_by)
        if run.row.requested_by
        else None
    )
    return page(
        "assurance/engagements/package.html",
        engagement=held,
        run=run,
        progress=work_pages.shown(run),
        filename=packages.package_filename(held),
        requested_by=requested_by,
        timeline=timeline_entries([package_id]),
        keys=queries.verifier_keys(),
    )


@feature.post(
    "/engagements/<uuid:engagement_id>/packages/<uuid:package_id>/download",
    needs=permissions.PACKAGE,
    fresh=DOWNLOAD,
    answers=FILE,
)
def take_package(engagement_id: UUID, package_id: UUID) -> ResponseReturnValue:
    """The file itself, streamed. A POST, because downloading it is an entry in the log."""
    held, run = queries.engagement(engagement_id), queries.package(engagement_id, package_id)
    return work_pages.attachment(packages.download_package(held, run.row))


work_pages.add_routes(
    feature,
    packages.PACKAGES,
    "/engagements/<uuid:engagement_id>/packages/<uuid:package_id>",
    queries.package,
    step_up=GENERATE,
)
