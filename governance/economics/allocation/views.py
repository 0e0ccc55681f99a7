"""The operator's pages of allocation rules: rules in force, history, and a new version."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.economics.allocation import actions, permissions, queries
from governance.economics.allocation.effects import effects_of
from governance.economics.allocation.forms import RulesForm, form_values
from governance.economics.allocation.models import STATES, AllocationRules
from governance.economics.allocation.range_chart import whole
from governance.economics.allocation.rule_content import (
    ALL_POOLS,
    POOL_LABELS,
    changed_lines,
    check_rules,
    label,
    percents_field,
    read_rules,
)
from governance.economics.formulas.money import money
from governance.economics.rates.actions import present_month
from governance.economics.rates.ports import closed_months
from governance.foundation.approvals.models import Approval
from governance.foundation.approvals.queries import is_open, latest
from governance.foundation.people import queries as people
from governance.kernel.errors import DomainError
from governance.kernel.months import Month
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted, counted
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("operator_allocation", __name__, scope="operator")
PATH = "/economics/allocation"


@feature.get(PATH, needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    """Show the rules in force, their effect on the newest closed month, and their history."""
    month = present_month()
    in_force = queries.rules_in_force(month)
    versions = queries.versions()
    names = _names()
    return page(
        "economics/allocation/index.html",
        in_force=in_force,
        rules=[
            (name, label(in_force.rules.get(pool), names)) for pool, name in POOL_LABELS.items()
        ],
        coming=[each for each in versions if each.first_month > month],
        versions=versions,
        closed=queries.closed_requests(),
        states=STATES,
        open_request=_open_approval(queries.open_request()),
        people=people.names(each for row in versions for each in (row.made_by, row.decided_by)),
        changes={row.id: _changes(row, names) for row in versions},
        effects=effects_of(in_force.rules),
        title=_title(in_force, names),
        money=money,
        whole=whole,
    )


def _title(in_force: queries.RulesInForce, names: dict[UUID, str]) -> str:
    if not in_force.number:
        return "No allocation rules yet: all shared cost is residue"
    labels = {label(rule, names) for rule in in_force.rules.values()}
    if len(labels) == 1:
        return f"Shared cost follows {labels.pop().lower()}"
    return f"Shared cost follows {len(labels)} drivers"


def _names() -> dict[UUID, str]:
    return {key: name for key, (_slug, name) in queries.customers().items()}


def _changes(row: AllocationRules, names: dict[UUID, str]) -> list[tuple[str, str, str]]:
    return changed_lines(queries.rules_of(row.base), read_rules(row.content), names)


def _open_approval(row: AllocationRules | None) -> Approval | None:
    approval = latest(queries.KIND, [row.id]).get(row.id) if row else None
    return approval if approval is not None and is_open(approval) else None


@feature.route(f"{PATH}/new", methods=["GET", "POST"], needs=permissions.CHANGE)
def new() -> ResponseReturnValue:
    """Preview rules on the newest closed month, then request another person's approval."""
    customers = queries.customers()
    newest = queries.newest_rules()
    slugs = {key: slug for key, (slug, _name) in customers.items()}
    ids = {slug: key for key, slug in slugs.items()}
    form = RulesForm(
        base=str(newest.number), since=_next_month(newest), **form_values(newest.rules, slugs)
    )
    preview: dict[str, Any] = {}
    made: list[AllocationRules] = []

    def show() -> None:
        rules = form.rules(ids)
        check_rules(rules)
        actions.check_since(form.since.data)
        lines = changed_lines(newest.rules, rules, _names())
        if not lines:
            raise DomainError(actions.NOTHING_CHANGES)
        preview.update(lines=lines, effects=effects_of(rules))

    def act() -> None:
        made.append(
            actions.propose(
                form.rules(ids),
                since=form.since.data,
                base=counted(form.base.data),
                reason=form.reason.data or "",
            )
        )

    if request.method == "POST":
        asks = form.verb.data == "confirm"
        if accepted(form, act if asks else show) and made:
            return _requested(made[0])
    return page(
        "economics/allocation/new.html",
        status=form.status if form.problems else 200,
        form=form,
        pools=[(pool.value, percents_field(pool)) for pool in POOL_LABELS],
        slugs=sorted(ids),
        newest=newest,
        preview=preview,
        money=money,
        whole=whole,
    )


def _requested(row: AllocationRules) -> ResponseReturnValue:
    approval = _open_approval(row)
    if approval is None:
        return redirect(url_for("operator_allocation.index"), 303)
    flash("Another person was asked to approve the rules.")
    return redirect(url_for("approvals.approval", approval_id=approval.id), 303)


def _next_month(newest: queries.RulesInForce) -> Month:
    """Return the first month that a version can begin in, the current one at the earliest."""
    closed = max(closed_months()(), default=None)
    after = [closed.plus(1)] if closed else []
    return max([present_month(), *after, *([newest.since] if newest.since else [])])


@feature.get(f"{PATH}/<uuid:rules_id>", needs=permissions.VIEW)
def version(rules_id: UUID) -> ResponseReturnValue:
    """Show a version, or a request that didn't become one."""
    row = queries.version(rules_id)
    names = _names()
    rules, changes = read_rules(row.content), _changes(row, names)
    return page(
        "economics/allocation/version.html",
        row=row,
        title=_version_title(changes),
        rules=[(name, label(rules.get(pool), names)) for pool, name in POOL_LABELS.items()],
        changes=changes,
        approval=latest(queries.KIND, [row.id]).get(row.id),
        states=STATES,
        people=people.names([row.made_by, row.decided_by]),
    )


def _version_title(changes: list[tuple[str, str, str]]) -> str:
    """Return a title of the changes: "All pools follow tokens", "2 pools follow another rule"."""
    if not changes:
        return "No pool follows another rule"
    if len(changes) > 1:
        return f"{len(changes)} pools follow another rule"
    pool, _before, after = changes[0]
    verb = "follow" if pool == ALL_POOLS else "follows"
    return f"{pool} {verb} {after[:1].lower()}{after[1:]}"
