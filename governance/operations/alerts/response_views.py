"""The page that sets the response to an AI objective's exhausted budget."""

from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.kernel.errors import NotFound
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.alerts import actions, panels, permissions, queries
from governance.operations.alerts.forms import ResponseForm
from governance.operations.objectives import queries as objectives
from governance.operations.policies import ports as policy_ports
from governance.operations.policies import queries as policies

feature = Feature("budget_responses", __name__, counts_everything=True)
NOTHING = "nothing"


@feature.route(
    "/reliability/alerts/responses/<uuid:objective_id>",
    methods=["GET", "POST"],
    needs=permissions.RESPOND,
)
def response(objective_id: UUID) -> ResponseReturnValue:
    """Show and change the response, and preview what the chosen tier or `?tier=` would change."""
    objective = objectives.objective(objective_id)
    if not objective.is_ai:
        raise NotFound("Only an AI objective can tighten the policy.")
    form, row = ResponseForm(), queries.response_of(objective.id)
    tiers = policies.platform().tiers
    form.tier.choices = [
        (NOTHING, "Nothing"),
        *((tier.key, f"Tighten the policy to {tier.name}") for tier in tiers.values()),
    ]
    if form.tier.data is None:
        saved = row.tier if row else None
        asked = request.args.get("tier")
        form.tier.data = asked if asked in tiers else saved or NOTHING
    if request.method == "POST" and accepted(form, lambda: _set(form, objective_id)):
        flash("Saved. It applies the next time the budget is gone.")
        return redirect(panels.objective_page(objective.id) or url_for("alerts.index"), 303)
    present, chosen = policies.current_policy().content.tier, form.tier.data
    previewed = chosen if chosen in tiers and chosen != present else None
    return page(
        "operations/alerts/response.html",
        status=form.status if request.method == "POST" else 200,
        form=form,
        objective=objective,
        objective_page=panels.objective_page(objective.id),
        gone=queries.exhaustions_of(objective.id),
        tiers={key: tier.name for key, tier in tiers.items()},
        present=present,
        previewed=previewed,
        notices=policy_ports.tier_notices(present, previewed) if previewed else (),
    )


def _set(form: ResponseForm, objective_id: UUID) -> object:
    tier = form.tier.data
    return actions.set_response(
        objectives.objective(objective_id), None if tier == NOTHING else tier
    )
