"""Pages for exceptions, missed cycles, findings and retests."""

from collections.abc import Collection
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.assurance.controls.models import Control
from governance.assurance.evidence.history import timeline_entries
from governance.assurance.evidence.period_labels import period_label
from governance.assurance.testing import (
    control_scope,
    exception_actions,
    exception_list,
    exception_queries,
    finding_list,
    matrix_queries,
    permissions,
    population_import,
)
from governance.assurance.testing.exception_list import EXCEPTIONS
from governance.assurance.testing.finding_list import FINDINGS
from governance.assurance.testing.forms import (
    AssignFindingsForm,
    ExceptionResponseForm,
    FindingForm,
    FixForm,
    MissedCycleForm,
    RetestForm,
    finding_assignees,
)
from governance.assurance.testing.models import Finding, TestException
from governance.assurance.testing.occurrences import Cycle
from governance.assurance.testing.views import feature
from governance.foundation.people import assigning, owners
from governance.foundation.people.aliases import shown_names
from governance.kernel import clock, current
from governance.kernel.files.downloads import FILE
from governance.kernel.pages.list_export import ROWS_PER_READ, csv_file, every_page
from governance.kernel.pages.rendering import page
from governance.kernel.pages.undo_pages import undo_offer
from governance.kernel.safety.access import allowed, why_not
from governance.kernel.web.forms import accepted, counted
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.work.bulk import BulkItem


@feature.route(
    "/evidence/type-ii/<uuid:control_id>/missed", methods=["GET", "POST"], needs=permissions.TEST
)
def record_missed(control_id: UUID) -> ResponseReturnValue:
    """Record a missed cycle as an exception.

    `of` in the URL preselects a cycle by its last day.
    """
    control, made = control_scope.control_in_scope(control_id), list[TestException]()
    form, unrecorded = (
        MissedCycleForm(occurrence=request.args.get("of", "")),
        matrix_queries.unrecorded_missed_cycles(control_id),
    )
    form.occurrence.choices = [(each.last.isoformat(), _cycle(each)) for each in unrecorded[::-1]]
    if request.method == "POST" and accepted(
        form, lambda: made.append(_record_missed(control, form))
    ):
        flash(f"{made[0].ref} is recorded. Management responds to it next.")
        return redirect(url_for("testing.exception", exception_id=made[0].id), 303)
    return page(
        "assurance/testing/missed.html",
        control=control,
        form=form,
        unrecorded=unrecorded,
        status=form.status if request.method == "POST" else 200,
    )


def _cycle(each: Cycle) -> str:
    days = period_label(each.first, each.last)
    return days if each.says in days else f"{each.says}, {days}"


def _record_missed(control: Control, form: MissedCycleForm) -> TestException:
    texts = {name: form[name].data or "" for name in ("cause", "effect", "correction")}
    return exception_actions.record_missed_cycle(
        control, population_import.parse_day(form.occurrence.data or ""), **texts
    )


@feature.get("/evidence/type-ii/exceptions", needs=permissions.VIEW)
def exceptions() -> ResponseReturnValue:
    counts = exception_queries.count_exceptions()
    list_request = EXCEPTIONS.read(
        choices={"state": [(s, exception_queries.STATE_WORDS[s]) for s in sorted(counts)]}
    )
    shown = exception_queries.exceptions_page(
        list_request.criteria,
        newest_first=list_request.is_descending,
        after=list_request.after,
        size=EXCEPTIONS.size,
    )
    return page(
        "assurance/testing/exceptions.html",
        asked=list_request,
        shown=shown,
        total=sum(counts.values()),
        open=sum(n for state, n in counts.items() if state not in exception_queries.SETTLED),
    )


@feature.get("/evidence/type-ii/exceptions.csv", needs=permissions.VIEW, answers=FILE)
def export_exceptions() -> ResponseReturnValue:
    """Download all exceptions that match the filters."""
    list_request = EXCEPTIONS.read()
    pages = every_page(
        lambda after: exception_queries.exceptions_page(
            list_request.criteria,
            newest_first=list_request.is_descending,
            after=after,
            size=ROWS_PER_READ,
        )
    )
    return csv_file(
        f"exceptions-{current.actor().tenant_slug}-{clock.today()}",
        exception_list.EXCEPTION_COLUMNS,
        (map(exception_list.exception_cells, cases) for cases in pages),
        list_request,
    )


@feature.get("/evidence/type-ii/exceptions/<uuid:exception_id>", needs=permissions.VIEW)
def exception(exception_id: UUID) -> ResponseReturnValue:
    return _exception(exception_id)


def _exception(
    exception_id: UUID,
    *,
    answer: ExceptionResponseForm | None = None,
    finding: FindingForm | None = None,
    remedy: FixForm | None = None,
    retest: RetestForm | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    case = exception_queries.exception_case(exception_id)
    exception, found = case.exception, case.finding
    retests = exception_queries.retests(found.id) if found else []
    people = [
        exception.found_by,
        exception.responded_by,
        *((found.owner_id, found.remedied_by) if found else ()),
        *(r.tested_by for r in retests),
    ]
    return page(
        "assurance/testing/exception.html",
        status=status,
        case=case,
        e=exception,
        f=found,
        retests=retests,
        names=shown_names(people),
        not_retesting=why_not(permissions.RETEST, on=found) if found else None,
        answer=answer or ExceptionResponseForm(obj=exception),
        finding=finding or FindingForm(),
        may_remedy=_may_remedy(found),
        remedy=remedy or FixForm(),
        retest=retest
        or RetestForm(
            tested_on=clock.today(), failed=0, sample=case.sample.size if case.sample else 1
        ),
        timeline=timeline_entries(
            [exception.id, *([found.id] if found else []), *(r.id for r in retests)]
        ),
    )


def _may_remedy(found: Finding | None) -> bool:
    return found is not None and found.closed_at is None and allowed(permissions.REMEDY, on=found)


@feature.post("/evidence/type-ii/exceptions/<uuid:exception_id>", needs=permissions.MANAGE)
def answer(exception_id: UUID) -> ResponseReturnValue:
    exception, form = exception_queries.exception(exception_id, lock=True), ExceptionResponseForm()
    texts = {name: form[name].data or "" for name in ("cause", "effect", "correction", "response")}
    if not accepted(
        form,
        lambda: exception_actions.respond(exception, version=counted(form.version.data), **texts),
    ):
        if form.stale:
            form.version.data = str(exception.version)
        return _exception(exception_id, answer=form, status=form.status)
    flash(f"The response to {exception.ref} is saved.")
    return redirect(url_for("testing.exception", exception_id=exception.id), 303)


@feature.post("/evidence/type-ii/exceptions/<uuid:exception_id>/finding", needs=permissions.MANAGE)
def raise_finding(exception_id: UUID) -> ResponseReturnValue:
    exception, form, made = (
        exception_queries.exception(exception_id, lock=True),
        FindingForm(),
        list[Finding](),
    )
    if not accepted(form, lambda: made.append(_raise(exception, form))):
        return _exception(exception_id, finding=form, status=form.status)
    flash(f"{made[0].ref} is raised.")
    return redirect(url_for("testing.exception", exception_id=exception.id), 303)


def _raise(exception: TestException, form: FindingForm) -> Finding:
    assert form.due_on.data is not None
    return exception_actions.raise_finding(
        exception,
        title=form.title.data or "",
        plan=form.plan.data or "",
        owner_id=form.owner_id.data,
        due_on=form.due_on.data,
    )


@feature.post("/evidence/type-ii/findings/<uuid:finding_id>/remedy", needs=permissions.REMEDY)
def remedy(finding_id: UUID) -> ResponseReturnValue:
    found, exception = exception_queries.finding(finding_id, lock=True)
    form = FixForm()
    if not accepted(form, lambda: exception_actions.report_fixed(found, form.remedy.data or "")):
        return _exception(exception.id, remedy=form, status=form.status)
    flash(f"{found.ref} is reported as fixed and awaits its retest.")
    return redirect(url_for("testing.exception", exception_id=exception.id), 303)


@feature.post("/evidence/type-ii/findings/<uuid:finding_id>/retest", needs=permissions.RETEST)
def retest(finding_id: UUID) -> ResponseReturnValue:
    found, exception = exception_queries.finding(finding_id, lock=True)
    form = RetestForm()
    if not accepted(form, lambda: _retest(found, exception, form)):
        if found.remedied_at is None:  # The page then has no form to show the error.
            flash(form.problems[0][1], "error")
        return _exception(exception.id, retest=form, status=form.status)
    flash(
        f"The retest passed, so {found.ref} is closed."
        if found.closed_at
        else f"The retest failed, so {found.ref} stays open."
    )
    return redirect(url_for("testing.exception", exception_id=exception.id), 303)


def _retest(found: Finding, exception: TestException, form: RetestForm) -> None:
    assert form.tested_on.data is not None
    exception_actions.record_retest(
        found,
        exception,
        control_scope.control_in_scope(exception.control_id),
        tested_on=form.tested_on.data,
        sample=form.sample.data or 0,
        failed=form.failed.data or 0,
        note=form.note.data or "",
    )


@feature.get("/evidence/type-ii/findings", needs=permissions.VIEW)
def findings() -> ResponseReturnValue:
    assignees, owner_ids = _finding_assignees(), exception_queries.finding_owners()
    named = owners.names_among(owner_ids, assignees) if assignees else shown_names(owner_ids)
    names = {owner_id: named[owner_id] for owner_id in owner_ids if owner_id in named}
    list_request = FINDINGS.read(
        choices={"owner": sorted(names.items(), key=lambda each: each[1].casefold())}
    )
    shown = exception_queries.findings_page(
        list_request.criteria, sort=list_request.sort, after=list_request.after, size=FINDINGS.size
    )
    counts = exception_queries.count_exceptions()
    return page(
        "assurance/testing/findings.html",
        asked=list_request,
        shown=shown,
        names=names,
        today=clock.today(),
        total=sum(counts.get(state, 0) for state in exception_queries.RAISED),
        open=sum(counts.get(state, 0) for state in exception_queries.RAISED if state != "closed"),
        assignees=assignees,
    )


def _finding_assignees() -> owners.Choices:
    """Return the owners to choose for the selected findings. Empty if the reader can't assign any."""
    return finding_assignees() if allowed(permissions.MANAGE) else []


@feature.post("/evidence/type-ii/findings/assign", needs=permissions.MANAGE)
def assign_findings() -> ResponseReturnValue:
    """Assign an owner, a due date or both to the selected findings.

    A field that isn't chosen stays the same.
    """
    home = url_for("testing.findings")
    rows = assigning.Assignable(
        "finding",
        "Assign findings",
        _selected_findings,
        lambda changes: exception_actions.assign_findings(
            [(each.item.id, each.after["owner_id"], each.after["due_on"]) for each in changes]
        ),
        columns=(owners.OWNER, assigning.DUE),
    )
    return assigning.assign_selected(
        rows, AssignFindingsForm(), home=home, crumbs=[("Findings", home)]
    )


# The signature that BulkAction expects.
def _selected_findings(ids: Collection[UUID], lock: bool) -> list[BulkItem]:  # noqa: FBT001 - the pages' form
    return [
        BulkItem(
            each.id,
            each.ref,
            each.title,
            url_for("testing.exception", exception_id=each.exception_id) + "#finding",
            {"owner_id": each.owner_id, "due_on": each.due_on},
            exception_actions.why_not_assigned(each),
        )
        for each in exception_queries.find_findings(ids, lock=lock)
    ]


@feature.post("/evidence/type-ii/undo/<uuid:undo_offer_id>", needs=permissions.MANAGE)
def undo_change(undo_offer_id: UUID) -> ResponseReturnValue:
    return undo_offer(undo_offer_id, exception_actions.UNDOABLE, url_for("testing.findings"))


@feature.get("/evidence/type-ii/findings.csv", needs=permissions.VIEW, answers=FILE)
def export_findings() -> ResponseReturnValue:
    """Download all findings that match the filters."""
    list_request, names = FINDINGS.read(), shown_names(exception_queries.finding_owners())
    pages = every_page(
        lambda after: exception_queries.findings_page(
            list_request.criteria, sort=list_request.sort, after=after, size=ROWS_PER_READ
        )
    )
    rows = ((finding_list.finding_cells(case, names) for case in cases) for cases in pages)
    return csv_file(
        f"findings-{current.actor().tenant_slug}-{clock.today()}",
        finding_list.FINDING_COLUMNS,
        rows,
        list_request,
    )
