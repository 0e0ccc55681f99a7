"""The operator's page of a tenant: its usage, its health and its suspension."""

from typing import Any

from flask import flash, redirect, url_for

from governance.economics.revenue import permissions as money_permissions
from governance.economics.revenue.queries import subscription_versions
from governance.foundation.approvals.models import Approval
from governance.foundation.approvals.queries import is_open, open_approval
from governance.foundation.people.queries import timeline
from governance.foundation.support_access import permissions as support_permissions
from governance.foundation.tenants import permissions
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.queries import GONE_STATES
from governance.kernel import clock, current
from governance.kernel.pages.rendering import page
from governance.kernel.safety.access import allowed
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.web.step_up import StepUp
from governance.publishing.operator_desk import actions, queries
from governance.publishing.operator_desk.forms import OperatorReasonForm, SuspendForm
from governance.publishing.tenant_exports import permissions as export_permissions
from governance.publishing.tenant_exports.actions import start_for

feature = Feature("operator_desk", __name__, scope="operator")
HISTORY = 10


@feature.get("/tenants/<slug>", needs=permissions.VIEW)
def tenant(slug: str) -> ResponseReturnValue:
    found = queries.desk_tenant(slug)
    if found.status in GONE_STATES:
        return redirect(url_for("tenant_offboarding.offboarding", slug=slug))
    waiting = open_approval(actions.SUSPENSION, found.id)
    return page(
        "publishing/operator_desk/tenant.html",
        t=found,
        facts=queries.tenant_facts(found),
        plans=_plans(found),
        waiting=waiting if waiting is not None and is_open(waiting) else None,
        grants=queries.grants(found) if allowed(support_permissions.REQUEST) else (),
        moments=timeline([found.id], limit=HISTORY),
    )


def _plans(found: Tenant) -> list[tuple[str, str]]:
    """Return the customer's current subscriptions as (reference, amount), if the reader may see
    money.
    """
    if not allowed(money_permissions.VIEW):
        return []
    today, newest = clock.today(), dict[str, tuple[str, str]]()
    for each in subscription_versions(found.id):
        if each.starts_on > today:
            continue
        newest.pop(each.reference, None)
        if each.ends_on is None or each.ends_on > today:
            newest[each.reference] = each.reference, f"{each.amount:,.2f} {each.currency} a month"
    return list(newest.values())


def _named(slug: str) -> list[tuple[str, str]]:
    return [("Tenant", queries.desk_tenant(slug).name)]


SUSPEND = StepUp(
    "Suspend tenant",
    SuspendForm,
    facts=_named,
    danger="Everyone in it is signed out, and its AI systems stop.",
)
RESUME = StepUp("Resume tenant", OperatorReasonForm, facts=_named)
EXPORT = StepUp("Start export", OperatorReasonForm, facts=_named)


@feature.get("/tenants/<slug>/suspend", needs=permissions.SUSPEND)
def suspension(slug: str) -> ResponseReturnValue:
    return _suspension(queries.desk_tenant(slug), SuspendForm())


def _suspension(found: Tenant, form: SuspendForm) -> ResponseReturnValue:
    facts = queries.tenant_facts(found)
    return _asking("suspend", found, form, facts=facts, impact=queries.impact(facts))


@feature.post("/tenants/<slug>/suspend", needs=permissions.SUSPEND, fresh=SUSPEND)
def suspend(slug: str) -> ResponseReturnValue:
    found, form, made = queries.desk_tenant(slug), SuspendForm(), list[Approval | None]()

    def act() -> None:
        made.append(actions.suspend(found, typed=form.typed.data or "", reason=form.given))

    if not accepted(form, act):
        return _suspension(found, form)
    return _done(found, made[0], f"{found.name} is suspended. Its people were signed out.")


@feature.get("/tenants/<slug>/resume", needs=permissions.SUSPEND)
def resumption(slug: str) -> ResponseReturnValue:
    return _asking("resume", queries.desk_tenant(slug), OperatorReasonForm())


@feature.post("/tenants/<slug>/resume", needs=permissions.SUSPEND, fresh=RESUME)
def resume(slug: str) -> ResponseReturnValue:
    found, form, made = queries.desk_tenant(slug), OperatorReasonForm(), list[Approval | None]()
    if not accepted(form, lambda: made.append(actions.resume(found, reason=form.given))):
        return _asking("resume", found, form)
    return _done(found, made[0], f"{found.name} is active again.")


@feature.get("/tenants/<slug>/export", needs=export_permissions.START)
def exporting(slug: str) -> ResponseReturnValue:
    return _asking("export", queries.desk_tenant(slug), OperatorReasonForm())


@feature.post("/tenants/<slug>/export", needs=export_permissions.START, fresh=EXPORT)
def start_export(slug: str) -> ResponseReturnValue:
    """Start an export for the tenant's admins. The operator doesn't get it."""
    found, form = queries.desk_tenant(slug), OperatorReasonForm()
    if not accepted(form, lambda: start_for(found, reason=form.given)):
        return _asking("export", found, form)
    return _done(found, None, f"The admins of {found.name} get an email when the archive is ready.")


def _asking(
    name: str, found: Tenant, form: OperatorReasonForm, **shown: Any
) -> ResponseReturnValue:
    """Return the page of one of the three actions, with the form's errors if it has any."""
    template = f"publishing/operator_desk/{name}.html"
    status = form.status if form.problems else 200
    return page(template, status=status, t=found, form=form, **shown)


def _done(found: Tenant, requested: Approval | None, sentence: str) -> ResponseReturnValue:
    """Redirect to the tenant, or to the request that another operator decides."""
    if requested is None:
        flash(sentence)
        return redirect(url_for("operator_desk.tenant", slug=found.slug), 303)
    slug = current.actor().tenant_slug
    return redirect(url_for("approvals.approval", tenant=slug, approval_id=requested.id), 303)
