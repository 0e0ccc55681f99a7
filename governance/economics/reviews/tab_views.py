"""The other tabs of a review: adoption, what-if, actions and comments, inputs."""

from datetime import timedelta
from uuid import UUID

import msgspec
from flask import flash, redirect, request, url_for

from governance.economics.reviews import (
    actions,
    conclusions,
    permissions,
    queries,
    review_frame,
    scenarios,
    time_travel,
)
from governance.economics.reviews.closing import actions as close_actions
from governance.economics.reviews.forms import (
    ActionForm,
    ReopenForm,
    ReviewCommentForm,
    ScenarioForm,
)
from governance.economics.reviews.review_frame import ReviewFrame
from governance.foundation.people import queries as people
from governance.kernel import clock, current
from governance.kernel.errors import NotFound
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted, uuid_or_none
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("review_tabs", __name__, scope="operator")
MONTH = "/economics/reviews/<month>"
DAYS_TO_ACT = 14  # until the default due date of a new action


def _load(month: str) -> ReviewFrame:
    return review_frame.load(review_frame.parse_month(month))


@feature.get(f"{MONTH}/adoption", needs=permissions.VIEW)
def adoption(month: str) -> ResponseReturnValue:
    """Show for each feature who may use it, who does, and who stays."""
    frame = _load(month)
    return page(
        "economics/reviews/adoption.html",
        **review_frame.context(frame, "review_tabs.adoption"),
        title=conclusions.adoption(frame.view.facts),
    )


# ---- what-if


@feature.route(
    f"{MONTH}/scenarios", needs=permissions.DISCUSS, methods=["GET", "POST"], endpoint="scenarios"
)
def scenarios_tab(month: str) -> ResponseReturnValue:
    """Show the scenarios beside the closed month, and save one."""
    frame = _load(month)
    facts, review = frame.view.facts, frame.view.review
    form = ScenarioForm([each.name for each in facts.tiers])
    if request.method == "POST" and accepted(
        form,
        lambda: actions.save_scenario(
            review, form.name.data or "", msgspec.to_builtins(form.assumptions())
        ),
    ):
        flash("Scenario saved.", "message")
        return redirect(url_for("review_tabs.scenarios", month=month), 303)
    saved = [
        (each, scenarios.apply(facts, scenarios.read(each.assumptions)))
        for each in queries.scenarios(review.id)
    ]
    return page(
        "economics/reviews/scenarios.html",
        status=form.status if form.problems else 200,
        **review_frame.context(frame, "review_tabs.scenarios"),
        title="Scenarios, not actual figures",
        form=form,
        scenarios=saved,
        sentence=scenarios.sentence,
    )


@feature.post(f"{MONTH}/scenarios/<uuid:scenario_id>/delete", needs=permissions.DISCUSS)
def delete_scenario(month: str, scenario_id: UUID) -> ResponseReturnValue:
    review = queries.review_of(review_frame.parse_month(month))
    found = next((each for each in queries.scenarios(review.id) if each.id == scenario_id), None)
    if found is None:
        raise NotFound("This scenario doesn't exist.")
    actions.delete_scenario(review, found)
    return redirect(url_for("review_tabs.scenarios", month=month), 303)


# ---- actions and comments


@feature.get(f"{MONTH}/actions", needs=permissions.VIEW, endpoint="actions")
def actions_tab(month: str) -> ResponseReturnValue:
    """Show actions and comments. The query string may propose an action."""
    return _discussion(_load(month))


def _new_action() -> ActionForm:
    """Return the default form: the current user owns the action, due in two weeks."""
    return ActionForm(
        title=request.args.get("title", "")[: actions.MAX_TITLE_LENGTH],
        owner_id=str(current.person_id()),
        due_on=clock.today() + timedelta(days=DAYS_TO_ACT),
    )


def _discussion(
    frame: ReviewFrame,
    planning: ActionForm | None = None,
    comment: ReviewCommentForm | None = None,
    reopening: ReopenForm | None = None,
) -> ResponseReturnValue:
    """Show the tab. A rejected form keeps its input."""
    review = frame.view.review
    planned, said = queries.actions(review.id), queries.comments(review.id)
    refused = next((each for each in (planning, comment, reopening) if each is not None), None)
    people_named = [*(each.owner_id for each in planned), *(each.person_id for each in said)]
    return page(
        "economics/reviews/actions.html",
        status=refused.status if refused is not None else 200,
        **review_frame.context(frame, "review_tabs.actions"),
        title=f"{sum(each.done_at is None for each in planned)} of {len(planned)} actions open",
        planned=planned,
        comments=said,
        names=people.names([*people_named, *frame.signers]),
        planning=planning or _new_action(),
        comment=comment or ReviewCommentForm(),
        reopening=reopening or ReopenForm(),
    )


def _back(month: str) -> ResponseReturnValue:
    return redirect(url_for("review_tabs.actions", month=month), 303)


@feature.post(f"{MONTH}/comments", needs=permissions.DISCUSS)
def add_comment(month: str) -> ResponseReturnValue:
    frame, form = _load(month), ReviewCommentForm()
    if accepted(form, lambda: actions.add_comment(frame.view.review, form.body.data or "")):
        return _back(month)
    return _discussion(frame, comment=form)


@feature.post(f"{MONTH}/actions", needs=permissions.DISCUSS)
def add_action(month: str) -> ResponseReturnValue:
    frame, form = _load(month), ActionForm()

    def plan() -> None:
        owner = uuid_or_none(form.owner_id.data)
        if owner is None or form.due_on.data is None:
            raise NotFound("This person doesn't exist.")
        actions.add_action(frame.view.review, form.title.data or "", owner, form.due_on.data)

    if accepted(form, plan):
        return _back(month)
    return _discussion(frame, planning=form)


@feature.post(f"{MONTH}/actions/<uuid:action_id>/finish", needs=permissions.DISCUSS)
def finish_action(month: str, action_id: UUID) -> ResponseReturnValue:
    review = queries.review_of(review_frame.parse_month(month))
    found = next((each for each in queries.actions(review.id) if each.id == action_id), None)
    if found is None:
        raise NotFound("This action doesn't exist.")
    actions.finish_action(found)
    return _back(month)


@feature.post(f"{MONTH}/reopen", needs=permissions.CLOSE)
def reopen(month: str) -> ResponseReturnValue:
    """Reopen the month with a reason, so that its next revision uses the current inputs."""
    frame, form = _load(month), ReopenForm()
    if accepted(form, lambda: close_actions.reopen(frame.view.review, form.reason.data or "")):
        return redirect(url_for("reviews.month", month=month), 303)
    return _discussion(frame, reopening=form)


# ---- inputs and formulas


@feature.get(f"{MONTH}/inputs", needs=permissions.VIEW)
def inputs(month: str) -> ResponseReturnValue:
    """Show the inputs of the figures, and the months under another definition."""
    frame = _load(month)
    chosen = time_travel.find(request.args.get("definition", ""))
    compared = time_travel.compared(chosen, queries.headlines(frame.view.month)) if chosen else None
    return page(
        "economics/reviews/inputs.html",
        **review_frame.context(frame, "review_tabs.inputs"),
        title=f"Every figure follows from {len(frame.view.facts.inputs)} inputs",
        choices=time_travel.choices(),
        chosen=request.args.get("definition", "") if chosen else "",
        comparison=compared,
        known=time_travel.known,
    )
