"""Pages of a requirement: its conclusion, discussion, target and owner."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from flask import flash, redirect, url_for

from governance.assurance.assessments import (
    assessment_queries,
    board_queries,
    conclusion_actions,
    conclusion_queries,
    history,
    item_actions,
    level_history,
    period_evidence,
    permissions,
    requirement_list,
    requirement_summary,
)
from governance.assurance.assessments.as_of import as_of_moment, past_day
from governance.assurance.assessments.conclusion_queries import Remark
from governance.assurance.assessments.coverage import LEVELS, RULE
from governance.assurance.assessments.forms import (
    ConclusionForm,
    ConclusionReturnForm,
    RequirementCommentForm,
    RequirementPlanForm,
    SignOffForm,
)
from governance.assurance.assessments.framework_board import (
    AssessedItem,
    AssessedRequirement,
    FrameworkBoard,
)
from governance.assurance.assessments.models import Assessment, AssessmentItem
from governance.assurance.assessments.views import feature
from governance.assurance.controls.ports import evaluations_behind
from governance.assurance.controls.status import last_test
from governance.assurance.frameworks import crosswalk_queries, import_queries
from governance.assurance.frameworks import queries as frameworks
from governance.assurance.frameworks.queries import FrameworkView
from governance.foundation.people import owners
from governance.foundation.people.aliases import shown_names, who_did
from governance.kernel.errors import Invalid, NotFound
from governance.kernel.pages.rendering import page
from governance.kernel.pages.undo_pages import say_changed
from governance.kernel.safety.access import allowed, why_not
from governance.kernel.web.forms import Form, accepted, counted
from governance.kernel.web.responses import ResponseReturnValue


@feature.get("/frameworks/<key>/<ref>", needs=permissions.VIEW)
def requirement(key: str, ref: str) -> ResponseReturnValue:
    node = frameworks.requirement(key, ref)
    if not node.assessable:
        return redirect(url_for("assessments.requirements", key=key, under=node.ref), 302)
    return _requirement_page(frameworks.framework(key), node.ref)


def _requirement_page(
    framework: FrameworkView,
    ref: str,
    *,
    of_assessment: Assessment | None = None,
    comment: RequirementCommentForm | None = None,
    code: int = 200,
) -> ResponseReturnValue:
    board = board_queries.board(framework, as_of_moment(), of_assessment)
    row = board.row(ref)
    if row is None:
        raise NotFound("This requirement doesn't exist, or you don't have access to it.")
    year_ago = datetime.combine(board.as_of.date() - timedelta(days=365), time(), UTC)
    moved = level_history.level_transitions(board, row, year_ago)
    written, remarks = conclusion_queries.records(row.item.row.id) if row.item else ((), ())
    past = past_day()
    return page(
        "assurance/assessments/requirement.html",
        status=code,
        framework=framework,
        shown=board,
        drawn=requirement_list.Drawing(board, past["as_of"], ()),
        row=row,
        failing=sum(
            judged.name == "failing" for _control, _how_far, judged in row.derived.controls
        ),
        item=row.item,
        judged=row.judgement,
        trail=requirement_summary.trail(board, ref),
        step=_neighbours(board, ref),
        attach=requirement_summary.attach(row),
        reasons=requirement_summary.reasons(row),
        ladder=requirement_summary.ladder(row, moved),
        proofs=period_evidence.proofs(row, board),
        chart=period_evidence.period_chart(row, board),
        behind=evaluations_behind()(
            [control.control_id for control, _how_far, _status in row.derived.controls],
            board.as_of,
        ),
        last_test=last_test,
        levels=LEVELS,
        gap=requirement_list.gaps_by_ref(board).get(ref),
        links=crosswalk_queries.crosswalk,
        texts=import_queries.official_texts(row.requirement.id),
        discussion=_discussion(remarks, board),
        comment=comment or RequirementCommentForm(),
        verdict=requirement_summary.verdict(row),
        rule=RULE,
        refusal=_refusal(row, board),
        written=written,
        assessors=shown_names(c.concluded_by for c in written),
        moments=history.requirement_history(row, board, moved, written),
        **past,
    )


def _discussion(remarks: Sequence[Remark], board: FrameworkBoard) -> list[tuple[Remark, str]]:
    """Return the comments; none for auditors."""
    if not allowed(permissions.READ_COMMENTS):
        return []
    said = [each for each in remarks if each.created_at <= board.as_of]
    called = shown_names(each.written_by for each in said)
    return [(each, who_did(called, each.written_by)) for each in said]


def _neighbours(board: FrameworkBoard, ref: str) -> tuple[str | None, str | None]:
    """Return the URLs of the previous and the next requirement."""
    paths = [row.requirement.path for row in board.rows]
    here = paths.index(ref.replace(" ", "-"))
    return (paths[here - 1] if here else None), (paths[here + 1] if here + 1 < len(paths) else None)


def _refusal(row: AssessedRequirement, board: FrameworkBoard) -> str | None:
    """Return why the reader can't sign off now.

    None means that they can; "" means that there is nothing to show.
    """
    judged = row.judgement
    if judged is None or judged.signer or not board.is_open or not allowed(permissions.SIGN):
        return ""
    if (why := why_not(permissions.SIGN, on=judged)) is not None:
        return why
    if judged.return_reason:
        return f"This conclusion was returned to {judged.assessor}, who hasn't revised it yet."
    if row.derived.is_red:
        return "You can sign off this conclusion once nothing has failed or is overdue."
    return None


def _item_context(
    item_id: UUID, *, lock: bool = False
) -> tuple[AssessmentItem, Assessment, FrameworkView, str]:
    row = assessment_queries.item(item_id, lock=lock)
    assessment = assessment_queries.assessment(row.assessment_id)
    return (
        row,
        assessment,
        frameworks.framework_by_id(assessment.framework_id),
        assessment_queries.refs_of()[row.requirement_id],
    )


def _to_requirement(
    framework: FrameworkView, ref: str, anchor: str = "conclusion"
) -> ResponseReturnValue:
    return redirect(
        url_for(
            "assessments.requirement",
            key=framework.key,
            ref=frameworks.path_of(ref),
            _anchor=anchor,
        ),
        303,
    )


def _overtaken_fields(form: Form) -> list[tuple[str, Any, Any]]:
    """Return (name, theirs, yours) of each field that someone else changed since."""
    return [
        (name, _field_words(name, theirs), _field_words(name, mine))
        for name, mine, theirs in form.overtaken
    ]


def _field_words(name: str, value: Any) -> Any:
    return (
        f"{value} {LEVELS[value]}"
        if name in {"level", "target"} and isinstance(value, int)
        else value
    )


@feature.get("/assessments/items/<uuid:item_id>/conclusion", needs=permissions.CONCLUDE)
def concluding(item_id: UUID) -> ResponseReturnValue:
    row, assessment, framework, ref = _item_context(item_id)
    assessed = board_queries.board(framework, of_assessment=assessment).row(ref)
    last = assessed.judgement if assessed else None
    level = last.level if last else (assessed.derived.level if assessed else 0)
    form = ConclusionForm(
        level=level, rationale=last.rationale if last else "", revision=last.revision if last else 0
    )
    return _conclude_page(row, assessment, framework, ref, form)


def _conclude_page(
    row: AssessmentItem,
    assessment: Assessment,
    framework: FrameworkView,
    ref: str,
    form: ConclusionForm,
    *,
    code: int = 200,
) -> ResponseReturnValue:
    board = board_queries.board(framework, of_assessment=assessment)
    found = board.row(ref)
    if found is None:
        raise NotFound("This requirement doesn't exist, or you don't have access to it.")
    if form.stale:
        form.revision.data = str(found.judgement.revision if found.judgement else 0)
    return page(
        "assurance/assessments/conclude.html",
        status=code,
        framework=framework,
        held=assessment,
        item=row,
        row=found,
        judged=found.judgement,
        form=form,
        stale=_overtaken_fields(form),
        reasons=requirement_summary.reasons(found),
        verdict=requirement_summary.verdict(found),
        levels=LEVELS,
    )


@feature.post("/assessments/items/<uuid:item_id>/conclusion", needs=permissions.CONCLUDE)
def conclude(item_id: UUID) -> ResponseReturnValue:
    """Save a conclusion. If someone else saved one since, show both texts to compare."""
    row, assessment, framework, ref = _item_context(item_id, lock=True)
    form = ConclusionForm()
    judgement = {
        "level": form.level.data,
        "rationale": form.rationale.data or "",
        "revision": counted(form.revision.data),
    }
    if not accepted(form, lambda: conclusion_actions.conclude(row, **judgement)):
        return _conclude_page(row, assessment, framework, ref, form, code=form.status)
    return _to_requirement(framework, ref)


@feature.get("/assessments/items/<uuid:item_id>/return", needs=permissions.SIGN)
def returning(item_id: UUID) -> ResponseReturnValue:
    return _return_page(item_id, ConclusionReturnForm(), conclusion_queries.judgement_of(item_id))


def _return_page(
    item_id: UUID, form: ConclusionReturnForm, found: AssessedItem, *, code: int = 200
) -> ResponseReturnValue:
    _, assessment, framework, ref = _item_context(item_id)
    if found.judgement is None:
        raise NotFound("There is no conclusion to return.")
    if code == 200 or not form.revision.data:  # noqa: PLR2004 - the first sight
        form.revision.data = str(found.judgement.revision)
    return page(
        "assurance/assessments/return.html",
        status=code,
        framework=framework,
        held=assessment,
        ref=ref,
        item_id=item_id,
        judged=found.judgement,
        form=form,
    )


@feature.post("/assessments/items/<uuid:item_id>/return", needs=permissions.SIGN)
def give_back(item_id: UUID) -> ResponseReturnValue:
    row, _, framework, ref = _item_context(item_id, lock=True)
    form = ConclusionReturnForm()
    seen = counted(form.revision.data)
    if not accepted(
        form,
        lambda: conclusion_actions.return_conclusion(
            row, revision=seen, reason=form.reason.data or ""
        ),
    ):
        found = conclusion_queries.judgement_of(item_id)
        if form.stale and found.judgement is not None:
            form.revision.data = str(found.judgement.revision)
        return _return_page(item_id, form, found, code=form.status)
    return _to_requirement(framework, ref)


@feature.post("/assessments/items/<uuid:item_id>/signature", needs=permissions.SIGN)
def sign_off(item_id: UUID) -> ResponseReturnValue:
    """Sign off only the revision that was on the page."""
    row, _, framework, ref = _item_context(item_id, lock=True)
    form = SignOffForm()
    if not form.validate():
        raise Invalid(
            "This form doesn't include the revision you reviewed. Open the requirement, then sign"
            " off."
        )
    conclusion_actions.sign_off(row, revision=counted(form.revision.data))
    flash(f"{ref} is signed off.")
    return _to_requirement(framework, ref)


@feature.post("/assessments/items/<uuid:item_id>/comments", needs=permissions.COMMENT)
def comment(item_id: UUID) -> ResponseReturnValue:
    row, assessment, framework, ref = _item_context(item_id, lock=True)
    form = RequirementCommentForm()
    if not accepted(form, lambda: conclusion_actions.comment(row, form.text.data or "")):
        return _requirement_page(framework, ref, of_assessment=assessment, comment=form, code=422)
    return _to_requirement(framework, ref, "discussion")


@feature.get("/assessments/items/<uuid:item_id>/steering", needs=permissions.MANAGE)
def steering(item_id: UUID) -> ResponseReturnValue:
    row = assessment_queries.item(item_id)
    return _plan_page(item_id, _plan_form(row, RequirementPlanForm(obj=row)))


def _plan_form(row: AssessmentItem, form: RequirementPlanForm) -> RequirementPlanForm:
    form.owner_id.offer(owners.owner_choices(row.owner_id))
    return form


def _plan_page(item_id: UUID, form: RequirementPlanForm, *, code: int = 200) -> ResponseReturnValue:
    row, assessment, framework, ref = _item_context(item_id)
    if form.stale:
        form.version.data = str(row.version)
    node = frameworks.requirement(framework.key, ref)
    return page(
        "assurance/assessments/steer.html",
        status=code,
        framework=framework,
        held=assessment,
        node=node,
        item=row,
        form=form,
        stale=_overtaken_fields(form),
    )


@feature.post("/assessments/items/<uuid:item_id>/steering", needs=permissions.MANAGE)
def steer(item_id: UUID) -> ResponseReturnValue:
    """Set the target, owner and due date."""
    row, _, framework, ref = _item_context(item_id, lock=True)
    form = _plan_form(row, RequirementPlanForm())
    if not accepted(form, lambda: _save_plan(row, form)):
        return _plan_page(item_id, form, code=form.status)
    say_changed(f"The target, owner and due date of {ref} are saved.")
    return _to_requirement(framework, ref, "facts")


def _save_plan(row: AssessmentItem, form: RequirementPlanForm) -> None:
    item_actions.set_target(row, form.target.data, version=counted(form.version.data))
    item_actions.assign(row, form.owner_id.data or None, form.due_on.data)
