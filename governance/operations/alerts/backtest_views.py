"""Pages with an objective's current rules and their back-test, and saving the tested set."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.kernel.errors import Invalid
from governance.kernel.formatting import plural
from governance.kernel.pages.rendering import page
from governance.kernel.safety.access import allowed
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.alerts import history, panels, permissions
from governance.operations.alerts.backtest import BackTest
from governance.operations.alerts.burn_rules import DEFAULT_RULES, BurnRule
from governance.operations.alerts.forms import RulesForm
from governance.operations.alerts.rule_sets import plain_rules, rule_text
from governance.operations.objectives import actions as objective_actions
from governance.operations.objectives import queries as objectives
from governance.operations.objectives.models import Objective
from governance.operations.objectives.permissions import MANAGE

feature = Feature("backtests", __name__, counts_everything=True)


@feature.get("/reliability/alerts/rules/<uuid:objective_id>", needs=permissions.VIEW)
def rules(objective_id: UUID) -> ResponseReturnValue:
    """Show both windows of each rule against its limit, as a page or as part of the objective's."""
    is_part = request.headers.get("HX-Request") == "true"
    return page(
        "operations/alerts/rule_panel.html" if is_part else "operations/alerts/rules.html",
        **panels.rules_context(objective_id),
    )


@feature.get("/reliability/alerts/backtests/<uuid:objective_id>", needs=permissions.VIEW)
def test(objective_id: UUID) -> ResponseReturnValue:
    """Test the chosen rules, or the objective's own rules without a choice."""
    objective = objectives.objective(objective_id)
    over = history.recorded(objective)
    offered = offered_rules(over.watched.rules)
    keys = request.args.getlist("rule") if "chosen" in request.args else None
    chosen = over.watched.rules if keys is None else [r for r in offered if r.key in keys]
    present = history.run(over, over.watched.rules)
    tested = present if keys is None else history.run(over, chosen)
    is_part = request.headers.get("HX-Request") == "true"
    return page(
        "operations/alerts/backtest_panel.html" if is_part else "operations/alerts/backtest.html",
        objective=objective,
        objective_page=panels.objective_page(objective.id),
        rules=[
            (
                rule.key,
                rule_text(rule),
                rule in chosen,
                rule.can_fire(over.watched.target, over.watched.window),
            )
            for rule in offered
        ],
        keys=[rule.key for rule in chosen],
        headline=headline(over.watched.rules, chosen, present, tested),
        days=history.DAYS,
        incidents=len(over.incidents),
        rows=comparison(present, tested),
        is_changed=set(chosen) != set(over.watched.rules),
        may_save=allowed(MANAGE) and objective.retired_at is None,
    )


def offered_rules(own: Sequence[BurnRule]) -> list[BurnRule]:
    """Return the objective's own rules and the default ones, shortest window first."""
    keys = {rule.key for rule in own}
    more = [rule for rule in DEFAULT_RULES if rule.key not in keys]
    return sorted([*own, *more], key=lambda rule: (rule.long, rule.short, rule.key))


def headline(
    own: Sequence[BurnRule], chosen: Sequence[BurnRule], present: BackTest, tested: BackTest
) -> str:
    """Summarize the change: "Without 10% in 3 days: 2 alerts fewer, no incident missed"."""
    alerts = len(tested.alerts) - len(present.alerts)
    removed = [rule_text(rule) for rule in own if rule not in chosen]
    added = [rule_text(rule) for rule in chosen if rule not in own]
    if not removed and not added:
        return f"These rules would have raised {plural(len(present.alerts), 'alert')}"
    what = []
    if removed:
        what.append(f"without {' and '.join(removed)}")
    if added:
        what.append(f"with {' and '.join(added)}")
    change = "as many alerts"
    if alerts:
        change = f"{plural(abs(alerts), 'alert')} {'more' if alerts > 0 else 'fewer'}"
    text = f"{' and '.join(what)}: {change}{_missed(present, tested)}"
    return text[0].upper() + text[1:]


def _missed(present: BackTest, tested: BackTest) -> str:
    if not tested.incidents:
        return ""
    missed = present.found - tested.found
    if missed > 0:
        return f", {plural(missed, 'incident')} missed"
    return ", no incident missed" if missed == 0 else f", {plural(-missed, 'incident')} more found"


def comparison(present: BackTest, tested: BackTest) -> list[tuple[str, str, str]]:
    """Return the rows of the table: measure, now, tested."""
    return [
        (label, say(present), say(tested))
        for label, say in (
            ("Alerts", lambda each: f"{len(each.alerts):,}"),
            ("Incidents found", lambda each: f"{each.found} of {each.incidents}"),
            ("Precision", _precision),
            ("Time to detect, median", lambda each: _minutes(each.detect)),
            ("Time to reset, median", lambda each: _minutes(each.reset)),
        )
    ]


def _precision(test: BackTest) -> str:
    return "not known" if test.precision is None else f"{round(test.precision * 100)}%"


def _minutes(value: float | None) -> str:
    return "not known" if value is None else f"{value:,.0f} min"


# ---- saving


@feature.route(
    "/reliability/alerts/backtests/<uuid:objective_id>/save",
    methods=["GET", "POST"],
    needs=MANAGE,
)
def save(objective_id: UUID) -> ResponseReturnValue:
    """Save the tested rules as the objective's next version."""
    objective = objectives.objective(objective_id, lock=request.method == "POST")
    form = RulesForm()
    if request.method == "GET":
        form.rules.data = " ".join(request.args.getlist("rule"))
        form.seen.data = str(objective.number)
    over = panels.rules_of(objective)
    chosen = [r for r in offered_rules(over) if r.key in (form.rules.data or "").split()]
    if request.method == "POST" and accepted(form, lambda: _save(objective, chosen, form)):
        flash(f"Version {objective.number} of {objective.name} has these rules.")
        target = panels.objective_page(objective.id) or url_for("alerts.index")
        return redirect(target, 303)
    return page(
        "operations/alerts/save_rules.html",
        status=form.status if request.method == "POST" else 200,
        form=form,
        objective=objective,
        objective_page=panels.objective_page(objective.id),
        before=[rule_text(rule) for rule in over],
        after=[rule_text(rule) for rule in chosen],
    )


def _save(objective: Objective, chosen: Sequence[BurnRule], form: RulesForm) -> Any:
    seen = form.seen.data or ""
    if not seen.isdecimal():
        raise Invalid("Open the back-test again, and save from there.")
    rules = None if tuple(chosen) == DEFAULT_RULES else plain_rules(chosen)
    made = objective_actions.change(
        objective, seen=int(seen), reason=form.reason.data or "", rules=rules
    )
    if made is None:
        raise Invalid("The objective has these rules already. Choose others in the back-test.")
    return made
