"""Pages to list, show, start, close and reopen assessments."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import Response, flash, redirect, url_for

from governance.assurance.assessments import (
    assessment_actions,
    assessment_queries,
    board_queries,
    conclusion_queries,
    frozen_results,
    history,
    permissions,
    report_facts,
)
from governance.assurance.assessments.as_of import as_of_moment, past_day
from governance.assurance.assessments.coverage import LEVELS, is_proven
from governance.assurance.assessments.forms import (
    AssessmentCloseForm,
    AssessmentStartForm,
)
from governance.assurance.assessments.framework_board import FrameworkBoard
from governance.assurance.assessments.models import Assessment
from governance.assurance.assessments.views import feature
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.people.aliases import shown_names
from governance.kernel import clock, current
from governance.kernel.errors import Forbidden, Invalid, NotFound
from governance.kernel.files.downloads import FILE
from governance.kernel.pages.rendering import page
from governance.kernel.safety.visibility_scope import limits
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.systems import queries as systems


@feature.get("/assessments/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    every = assessment_queries.assessments()
    return page(
        "assurance/assessments/index.html",
        assessments=every,
        progress=conclusion_queries.conclusion_progress(),
        names=shown_names(a.started_by for a in every),
        systems=systems.names(a.system_id for a in every),
        framework_of={each.id: each for each in frameworks.installed()},
        today=clock.today(),
        limited=limits() is not None,
    )


@feature.get("/assessments/new", needs=permissions.MANAGE)
def new() -> ResponseReturnValue:
    """Show the form, with the year up to the end of this quarter as the period.

    If this quarter has an assessment, suggest the year up to the end of the next one.
    """
    taken, last = (
        {each.title for each in assessment_queries.assessments()},
        _quarter_end(clock.today()),
    )
    if _quarter(last) in taken:
        last = _quarter_end(last + timedelta(days=1))
    form = AssessmentStartForm(
        title=_quarter(last), period_from=last - timedelta(days=364), period_to=last, targets="last"
    )
    return page("assurance/assessments/new.html", form=form)


def _quarter_end(day: date) -> date:
    return (date(day.year, (day.month - 1) // 3 * 3 + 1, 1) + timedelta(days=95)).replace(
        day=1
    ) - timedelta(days=1)


def _quarter(end: date) -> str:
    return f"Q{(end.month + 2) // 3} {end.year}"


@feature.post("/assessments/new", needs=permissions.MANAGE)
def start() -> ResponseReturnValue:
    form = AssessmentStartForm()
    made: list[Assessment] = []
    if not accepted(form, lambda: made.append(_start(form))):
        return page("assurance/assessments/new.html", form=form, status=422)
    flash(f"Assessment {made[0].title} started.")
    return redirect(url_for("assessments.assessment", assessment_id=made[0].id), 303)


def _start(form: AssessmentStartForm) -> Assessment:
    since, until = form.period_from.data, form.period_to.data
    if since is None or until is None:
        raise Invalid("Choose the start and the end of the period.", field="period_from")
    targets = None if form.targets.data == "last" else int(form.targets.data)
    return assessment_actions.start_assessment(
        UUID(form.framework.data),
        title=form.title.data or "",
        period_from=since,
        period_to=until,
        scope=form.scope.data,
        targets=targets,
    )


@feature.get("/assessments/<uuid:assessment_id>", needs=permissions.VIEW)
def assessment(assessment_id: UUID) -> ResponseReturnValue:
    assessment = assessment_queries.assessment(assessment_id)
    framework = frameworks.framework_by_id(assessment.framework_id)
    seen = assessment_queries.visible_refs(assessment.framework_id)
    facts = (
        [row for row in frozen_results.frozen_rows(assessment) if row.ref in seen]
        if assessment.frozen
        else None
    )
    board = None if facts else board_queries.board(framework, as_of_moment(), assessment)
    every = assessment_queries.revisions(assessment)
    unsigned_first = (
        sorted(
            board.rows,
            key=lambda row: row.judgement is not None and row.judgement.signer is not None,
        )
        if board
        else []
    )
    return page(
        "assurance/assessments/assessment.html",
        held=assessment,
        ordered=unsigned_first,
        framework=framework,
        catalogue_digest=_catalogue_digest(assessment, framework.digest),
        shown=board,
        facts=facts,
        counts=_counts(board, facts),
        revisions=every,
        last=every[-1],
        scope=_scope(assessment),
        levels=LEVELS,
        **_frozen_file(assessment),
        people=shown_names([assessment.started_by, assessment.closed_by]),
        whole=assessment_queries.sees_whole_framework(assessment.framework_id),
        moments=history.log_lines([assessment.id]),
        **past_day(),
    )


def _frozen_file(assessment: Assessment) -> dict[str, Any]:
    """Return the template context of the frozen results that this reader can download."""
    facts, digest = report_facts.frozen_for_reader(assessment)
    return {
        "digest": digest,
        "agrees": facts is not None and assessment_actions.facts_digest(facts) == digest,
        "is_withheld": facts is None and assessment.frozen is not None,
    }


def _catalogue_digest(assessment: Assessment, present: str) -> str:
    """Return the digest of the catalog's texts. For a closed assessment, return the frozen one."""
    frozen: dict[str, str] = (assessment.frozen or {}).get("framework", {})
    return frozen.get("digest", present)


def _scope(assessment: Assessment) -> str:
    return (
        "The whole organization"
        if assessment.system_id is None
        else systems.names([assessment.system_id]).get(assessment.system_id, "One AI system")
    )


def _counts(
    board: FrameworkBoard | None, facts: Sequence[frozen_results.FrozenRow] | None
) -> dict[str, int]:
    """Return the figures in the header of an open or a closed assessment."""
    rows = (
        facts
        if facts is not None
        else [frozen_results.as_frozen(row) for row in board.rows]
        if board
        else []
    )
    return {
        "all": len(rows),
        "proven": sum(is_proven(row.level) for row in rows),
        "met": sum(row.level >= row.target for row in rows),
        "concluded": sum(row.concluded is not None for row in rows),
        "signed": sum(row.signer is not None for row in rows),
        "reached": sum(min(row.level, row.target) for row in rows),
        "wanted": sum(row.target for row in rows),
        "returned": sum(
            row.judgement is not None and bool(row.judgement.return_reason)
            for row in (board.rows if board else ())
        ),
    }


@feature.get("/assessments/<uuid:assessment_id>/frozen.json", needs=permissions.VIEW, answers=FILE)
def frozen(assessment_id: UUID) -> ResponseReturnValue:
    """Download the RFC 8785 bytes that the digest covers.

    They can't be filtered, so a reader with only part of the framework in scope gets 404.
    """
    assessment = assessment_queries.assessment(assessment_id)
    if not assessment_queries.sees_whole_framework(assessment.framework_id):
        raise NotFound(
            "Your engagement covers part of this framework, so you can't download the frozen"
            " results of all of it."
        )
    if assessment.frozen is None:
        raise NotFound("This assessment is open. Its results are frozen when it closes.")
    facts, _digest = report_facts.frozen_for_reader(assessment)
    if facts is None:
        raise Forbidden(
            "These results name people, your engagement hides names, and they were frozen before"
            " Meridian kept results without names. Ask an admin or compliance officer of"
            f" {current.actor().tenant_name} to show names in your engagement."
        )
    form = "" if facts is assessment.frozen else "-without-names"
    name = f"{assessment.title.lower().replace(' ', '-')}-revision-{assessment.revision}{form}.json"
    safe = "".join(ch for ch in name if ch.isascii() and (ch.isalnum() or ch in "-."))
    headers = {
        "Content-Type": "application/json",
        "Content-Disposition": f'attachment; filename="{safe}"',
    }
    return Response(assessment_actions.canonical_facts(facts), headers=headers)


@feature.get("/assessments/<uuid:assessment_id>/closing", needs=permissions.MANAGE)
def closing(assessment_id: UUID) -> ResponseReturnValue:
    return _closing_page(assessment_queries.assessment(assessment_id), AssessmentCloseForm())


def _closing_page(
    assessment: Assessment, form: AssessmentCloseForm, *, code: int = 200
) -> ResponseReturnValue:
    board = board_queries.board(
        frameworks.framework_by_id(assessment.framework_id), of_assessment=assessment
    )
    open_rows = [row for row in board.rows if row.judgement is None or row.judgement.signer is None]
    return page(
        "assurance/assessments/closing.html",
        status=code,
        held=assessment,
        framework=board.framework,
        counts=_counts(board, None),
        open_rows=open_rows,
        red=sum(row.derived.is_red for row in board.rows),
        form=form,
    )


@feature.post("/assessments/<uuid:assessment_id>/closing", needs=permissions.MANAGE)
def close(assessment_id: UUID) -> ResponseReturnValue:
    assessment, form = (
        assessment_queries.assessment(assessment_id, lock=True),
        AssessmentCloseForm(),
    )
    if not accepted(
        form,
        lambda: assessment_actions.close_assessment(
            assessment, accept_open=bool(form.accept_open.data)
        ),
    ):
        return _closing_page(assessment, form, code=422)
    flash(f"{assessment.title} is closed. Its results are frozen.")
    return redirect(url_for("assessments.assessment", assessment_id=assessment.id), 303)


@feature.post("/assessments/<uuid:assessment_id>/reopening", needs=permissions.MANAGE)
def reopen(assessment_id: UUID) -> ResponseReturnValue:
    """Start the next revision."""
    made = assessment_actions.start_revision(
        assessment_queries.assessment(assessment_id, lock=True)
    )
    flash(f"Revision {made.revision} of {made.title} is open.")
    return redirect(url_for("assessments.assessment", assessment_id=made.id), 303)
