"""Pages of controls: the list, one control with its tests, creating, editing and retiring."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import flash, redirect, url_for

from governance.assurance.controls import (
    actions,
    control_list,
    control_test_actions,
    permissions,
    queries,
)
from governance.assurance.controls.control_list import CONTROL_FILE, CONTROLS
from governance.assurance.controls.forms import (
    ControlCreateForm,
    ControlEditForm,
    ControlTestForm,
)
from governance.assurance.controls.mapped_requirements import mapped_requirements
from governance.assurance.controls.models import Control
from governance.assurance.controls.ports import evaluations_behind
from governance.assurance.controls.reason_links import page_of_reason
from governance.assurance.controls.status import (
    RANK,
    ControlFacts,
    StatusReason,
    SupportingEvidence,
    is_too_long,
    longest_gap,
    status,
)
from governance.assurance.evidence.coverage_chart import CoveragePiece, CoverageRow, coverage_bars
from governance.assurance.evidence.forms import AssignOwnerForm, RetirementForm
from governance.assurance.evidence.freshness import freshness
from governance.assurance.evidence.history import timeline_entries
from governance.foundation.people import assigning, owners
from governance.foundation.people.aliases import shown_names
from governance.kernel import clock, current
from governance.kernel.errors import NotFound
from governance.kernel.files.downloads import FILE
from governance.kernel.files.spreadsheet_writer import csv_bytes, xlsx_bytes
from governance.kernel.pages.list_export import table
from governance.kernel.pages.list_pages import one_page
from governance.kernel.pages.rendering import page, table_file
from governance.kernel.pages.undo_pages import say_changed, undo_offer
from governance.kernel.safety.access import allowed
from governance.kernel.safety.visibility_scope import limits
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted, constraint, counted
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("controls", __name__)
constraint(
    "uq_controls_tenant_id_ref", "This ref is already used. Choose another one.", field="ref"
)
MAX_LABEL = 26  # Characters of a title that fit next to the chart
constraint(
    "uq_control_mappings_open", "Someone else changed this mapping at the same time. Try again."
)


# ---- the list


@feature.get("/controls/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    assignees = owners.assignee_choices()
    asked, every = (
        CONTROLS.read(choices={"owner": owners.filter_choices(assignees)}),
        control_list.control_summaries(),
    )
    matching = control_list.matching(every, asked)
    shown = one_page(matching, asked, lambda line: line.control.ref)
    counts = dict.fromkeys(RANK, 0) | Counter(line.status.name for line in every)
    return page(
        "assurance/controls/index.html",
        asked=asked,
        lines=shown.rows,
        next=shown.next,
        matching=len(matching),
        total=len(every),
        counts=counts,
        owners=assignees,
        limited=limits() is not None,
        fragments=("rows",),
    )


@feature.get("/controls/export.<any(csv, xlsx):form>", needs=permissions.VIEW, answers=FILE)
def export(form: str) -> ResponseReturnValue:
    """Export all rows that match the filters."""
    asked = CONTROLS.read()
    found = control_list.matching(control_list.control_summaries(), asked)
    head, rows = table(asked, CONTROL_FILE, found)
    content = csv_bytes(head, rows) if form == "csv" else xlsx_bytes("Controls", head, rows)
    return table_file(content, f"controls-{current.actor().tenant_slug}-{clock.today()}.{form}")


@feature.post("/controls/assign", needs=permissions.MANAGE)
def assign_selected() -> ResponseReturnValue:
    return assigning.assign_owner(
        "control",
        "controls",
        AssignOwnerForm(),
        home="controls.index",
        find=queries.find_controls,
        address=lambda row: url_for("controls.control", control_id=row.id),
        why_not=actions.why_not,
        assign=actions.assign_all,
    )


@feature.post("/controls/undo/<uuid:undo_offer_id>", needs=permissions.MANAGE)
def undo_change(undo_offer_id: UUID) -> ResponseReturnValue:
    return undo_offer(undo_offer_id, actions.UNDOABLE, url_for("controls.index"))


# ---- the starter pack


@feature.get("/controls/new", needs=permissions.MANAGE)
def creating() -> ResponseReturnValue:
    return page("assurance/controls/create.html", form=ControlCreateForm())


@feature.post("/controls/new", needs=permissions.MANAGE)
def create() -> ResponseReturnValue:
    form = ControlCreateForm()
    made: list[Control] = []

    def act() -> None:
        ref, owner_id = form.ref.data or "", form.owner_id.data or None
        made.append(actions.create(ref, form.content(), owner_id=owner_id))

    if not accepted(form, act):
        return page("assurance/controls/create.html", form=form, status=422)
    flash(f"{made[0].ref} was created. Map it to requirements and link its evidence.")
    return redirect(url_for("controls.control", control_id=made[0].id), 303)


# ---- one control


@feature.get("/controls/<uuid:control_id>", needs=permissions.VIEW)
def control(control_id: UUID) -> ResponseReturnValue:
    return _control_page(queries.find_control(control_id))


def _control_page(
    row: Control, *, assign: AssignOwnerForm | None = None, code: int = 200
) -> ResponseReturnValue:
    facts = queries.facts_of(row.id, clock.now())
    if facts is None:
        raise NotFound("This control doesn't exist, or you don't have access to it.")
    today = clock.today()
    since = today - timedelta(days=365)
    found = status(facts, today=today, period_from=since, period_to=today)
    return page(
        "assurance/controls/control.html",
        status=code,
        control=row,
        facts=facts,
        found=found,
        state=control_list.STATES[found.name],
        reasons=_reasons(found.reasons),
        proofs=_proofs(facts, today),
        tests=queries.tests(row.id),
        tester=_testers(row.id),
        mapped=mapped_requirements(row.id),
        chart=_chart(facts, since, today),
        behind=evaluations_behind()([row.id], clock.now()),
        since=since,
        workable=_is_editable(row),
        rests=facts.live.says(today) if facts.live else None,
        assign=assign or AssignOwnerForm(owner_id=row.owner_id),
        timeline=timeline_entries({row.id: "", **{p.evidence_id: p.ref for p in facts.proofs}}),
    )


def _is_editable(row: Control) -> bool:
    return row.retired_at is None and allowed(permissions.WORK, on=row)


def _reasons(reasons: Sequence[StatusReason]) -> list[dict[str, Any]]:
    return [
        {
            "kind": {"open": "none", "soon": "warn"}.get(r.severity, r.severity),
            "lead": r.fact,
            "text": r.consequence,
            "href": _place(r),
            "link": r.ref,
        }
        for r in reasons
    ]


def _place(reason: StatusReason) -> str | None:
    if reason.kind == "evidence" and reason.target_id:
        return url_for("evidence.item", evidence_id=reason.target_id)
    return "#tests" if reason.kind == "test" else page_of_reason(reason)


def _proofs(facts: ControlFacts, today: date) -> list[tuple[Any, Any, Any]]:
    """Return (proof, its freshness, its newest version) of each evidence item."""
    return [
        (
            p,
            freshness(p.versions, cadence=p.cadence, due_on=p.due_on, today=today),
            p.versions[-1] if p.versions else None,
        )
        for p in facts.proofs
    ]


def _testers(control_id: UUID) -> dict[UUID, str]:
    return shown_names(t.tested_by for t in queries.tests(control_id))


def _chart(facts: ControlFacts, since: date, today: date) -> Any:
    """Return the chart of the past year's days that each evidence item covers."""
    rows = [_bar(p, since, today) for p in facts.proofs]
    return (
        coverage_bars(rows, (since, today), today, f"Evidence coverage of {facts.ref}")
        if rows
        else None
    )


def _bar(proof: SupportingEvidence, since: date, today: date) -> CoverageRow:
    fresh = freshness(proof.versions, cadence=proof.cadence, due_on=proof.due_on, today=today)
    pieces = [
        CoveragePiece(
            max(v.period_from, since),
            min(v.period_to, today),
            "held" if v.review == "accepted" else "due",
        )
        for v in proof.versions
        if v.review not in {"rejected", "broken"}
        and v.period_to >= since
        and v.period_from <= today
    ]
    hole = longest_gap(proof, since=since, until=today)
    if hole is not None and is_too_long(proof, hole):
        pieces.insert(0, CoveragePiece(*hole, "missing"))
    return CoverageRow(
        proof.title if len(proof.title) <= MAX_LABEL else f"{proof.title[: MAX_LABEL - 1]}…",
        "",
        pieces,
        fresh.says.partition(",")[0],
        "bad" if fresh.state in {"overdue", "rejected"} else "",
    )


@feature.get("/controls/<uuid:control_id>/edit", needs=permissions.WORK)
def editing(control_id: UUID) -> ResponseReturnValue:
    row = queries.find_control(control_id)
    return page("assurance/controls/edit.html", control=row, form=ControlEditForm(obj=row))


@feature.post("/controls/<uuid:control_id>/edit", needs=permissions.WORK)
def edit(control_id: UUID) -> ResponseReturnValue:
    """Save a control. A stale form returns with both changes; submitting it again saves it."""
    row, form = queries.find_control(control_id, lock=True), ControlEditForm()
    if not accepted(
        form, lambda: actions.edit(row, form.content(), version=counted(form.version.data))
    ):
        if form.stale:
            form.version.data = str(row.version)
        return page(
            "assurance/controls/edit.html",
            control=row,
            form=form,
            changes=form.overtaken,
            status=form.status,
        )
    return redirect(url_for("controls.control", control_id=row.id), 303)


@feature.post("/controls/<uuid:control_id>/owner", needs=permissions.MANAGE)
def assign(control_id: UUID) -> ResponseReturnValue:
    row, form = queries.find_control(control_id, lock=True), AssignOwnerForm()
    if not accepted(form, lambda: actions.assign(row, owners.chosen(form.owner_id.data))):
        return _control_page(row, assign=form, code=422)
    say_changed(owners.assigned_one(row.ref, row.owner_id))
    return redirect(url_for("controls.control", control_id=row.id), 303)


@feature.get("/controls/<uuid:control_id>/retirement", needs=permissions.MANAGE)
def retirement(control_id: UUID) -> ResponseReturnValue:
    return _retire_page(queries.find_control(control_id), RetirementForm())


def _retire_page(row: Control, form: RetirementForm, *, code: int = 200) -> ResponseReturnValue:
    facts = queries.facts_of(row.id, clock.now())
    return page(
        "assurance/controls/retire.html",
        control=row,
        facts=facts,
        alone=queries.count_sole_requirements(row.id),
        form=form,
        status=code,
    )


@feature.post("/controls/<uuid:control_id>/retirement", needs=permissions.MANAGE)
def retire(control_id: UUID) -> ResponseReturnValue:
    row, form = queries.find_control(control_id, lock=True), RetirementForm()
    if not accepted(form, lambda: actions.retire(row, reason=form.reason.data or "")):
        return _retire_page(row, form, code=422)
    say_changed(f"{row.ref} was retired. Its history is kept.")
    return redirect(url_for("controls.index"), 303)


# ---- tests


@feature.get("/controls/<uuid:control_id>/tests/new", needs=permissions.WORK)
def testing(control_id: UUID) -> ResponseReturnValue:
    return page(
        "assurance/controls/test.html",
        control=queries.find_control(control_id),
        form=ControlTestForm(tested_on=clock.today(), failed=0),
    )


@feature.post("/controls/<uuid:control_id>/tests/new", needs=permissions.WORK)
def record_test(control_id: UUID) -> ResponseReturnValue:
    row, form = queries.find_control(control_id, lock=True), ControlTestForm()
    if not accepted(form, lambda: _record_test(row, form)):
        return page("assurance/controls/test.html", control=row, form=form, status=422)
    return redirect(url_for("controls.control", control_id=row.id) + "#tests", 303)


def _record_test(row: Control, form: ControlTestForm) -> None:
    assert form.tested_on.data is not None
    control_test_actions.record_test(
        row,
        tested_on=form.tested_on.data,
        sample=form.sample.data or 0,
        failed=form.failed.data or 0,
        finding=form.finding.data or "",
        retest_by=form.retest_by.data,
    )
