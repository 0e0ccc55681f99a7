"""Alerts of budgets that reach a threshold, once per threshold and period.

evaluate()           in the operator's tenant: store new alerts and notify the operator
tell_customers()     notify customers of alerts, and draft the proposed policy changes

An alert is a row with a unique key, so that only one of two concurrent processes sends it. A
customer is notified in a transaction of its own tenant. The notice has the alert's id, so a retry
after a crash doesn't notify twice. Neither function blocks requests.
"""

from dataclasses import replace
from uuid import UUID

import structlog
from sqlalchemy.dialects.postgresql import insert

from governance.economics.budgets import queries, wording
from governance.economics.budgets.models import CostBudget, CostBudgetAlert, CostBudgetNotice
from governance.economics.budgets.outlook import Crossing, Outlook, crossings
from governance.economics.rates.conversion import MissingRate
from governance.economics.rates.queries import reporting_currency
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.queries import members
from governance.foundation.tenants.queries import tenant_by_id
from governance.foundation.tenants.system_actor import system_actor_in
from governance.foundation.webhooks import actions as webhooks
from governance.kernel import clock, current
from governance.kernel.config import public_address
from governance.kernel.data.db import find, session, transaction
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import DomainError
from governance.kernel.work import outbox
from governance.operations.policies import draft_actions as policy_drafts
from governance.operations.policies import queries as policies
from governance.operations.policies.dimensions import Value
from governance.operations.policies.effective_policies import Content

WRITTEN_TO = ("operator_admin", "operator_finance")
REACHED = action(
    "cost_budget.threshold.reached",
    "found that a budget reached a threshold",
    target="CostBudget",
    activity="update",
    severity="low",
    fields="name period basis percent",
    shape="up",
)
TOLD = action(
    "cost_budget.customer.told",
    "told a customer that a budget reached a threshold",
    target="CostBudgetNotice",
    activity="create",
    severity="informational",
    fields="name period basis percent",
)
log = structlog.get_logger("budgets")


# ---- in the operator's tenant


def evaluate() -> int:
    """Create alerts for thresholds reached now; return how many are new.

    A month without a rate uses the last known one, and the alert states it. A budget in a currency
    that never had a rate can't be evaluated; a warning is logged.
    """
    rows, new = queries.budgets(), 0
    outlooks = queries.outlooks(rows, queries.today())
    for row in rows:
        found = outlooks[row.id]
        if isinstance(found, MissingRate):
            log.warning("budget not evaluated", budget=str(row.id), reason=found.message)
            continue
        for each in crossings(found, row.actual_thresholds, row.forecast_thresholds):
            new += _alert(row, found, each)
    return new


def _alert(row: CostBudget, found: Outlook, reached: Crossing) -> bool:
    """Store an alert for one threshold and notify the operator; False if it already exists."""
    tells = row.tells_tenant or _proposes(row, reached)
    statement = insert(CostBudgetAlert).values(
        id=uuid7(),
        tenant_id=row.tenant_id,
        budget_id=row.id,
        period=found.period.name,
        basis=reached.basis,
        percent=reached.percent,
        amount=found.amount,
        spent=found.spent,
        forecast=found.forecast,
        currency=reporting_currency(),
        told_at=None if tells else clock.now(),
        note="",
        created_at=clock.now(),
        **wording.kept_caveats(found),
    )
    made = session().scalar(
        statement.on_conflict_do_nothing(
            index_elements=["tenant_id", "budget_id", "period", "basis", "percent"]
        ).returning(CostBudgetAlert.id)
    )
    if made is None:
        return False
    alert = find(CostBudgetAlert, made)
    record(
        REACHED,
        row,
        name=row.name,
        period=alert.period,
        basis=alert.basis,
        percent=alert.percent,
    )
    _tell_operator(row, alert)
    return True


def _tell_operator(row: CostBudget, alert: CostBudgetAlert) -> None:
    address = f"{public_address()}/operator/economics/budgets/{row.id}"
    subject, text = wording.letter(row.name, alert, address)
    for person in members():
        if person.role in WRITTEN_TO:
            outbox.send_mail(person.email, subject, text)
    webhooks.send(wording.REACHED, wording.payload(alert.id, row.name, _scope(row), alert))


def _scope(row: CostBudget) -> str:
    name = queries.customer_names().get(row.customer_id, "")
    return queries.BudgetScope(row.customer_id, name, row.system_id, row.system, row.feature).label


def _proposes(row: CostBudget, reached: Crossing | CostBudgetAlert) -> bool:
    """Return whether this threshold drafts a policy change: at least 100% of the amount is spent."""
    is_spent = reached.basis == "actual" and reached.percent >= 100  # noqa: PLR2004 - percent
    return is_spent and bool(row.proposed_limit is not None or row.proposed_models)


# ---- in the customer's tenant


def tell_customers() -> int:
    """Notify customers of pending alerts; return the number of alerts."""
    with transaction(read_only=True):
        found = [(alert, row, _scope(row)) for alert, row in queries.untold_alerts()]
        session().expunge_all()
    for alert, row, scope in found:
        note = _tell(alert, row, scope)
        with transaction():
            told = find(CostBudgetAlert, alert.id, lock=True)
            told.told_at, told.note = clock.now(), note
    return len(found)


def _tell(alert: CostBudgetAlert, row: CostBudget, scope: str) -> str:
    """Notify the customer, in one transaction; return the outcome of the proposed policy change."""
    with transaction(read_only=True):
        customer = tenant_by_id(row.customer_id)
        if customer is None or customer.status != "active":
            return "The tenant was deleted, so nobody was told."
        acting = system_actor_in(customer.id, customer.slug, customer.name)
    with current.acting_as(acting), transaction():
        if not _keep_notice(alert, row, scope):
            return ""
        notice = find(CostBudgetNotice, alert.id)
        if row.tells_tenant:
            _tell_people(notice)
        return _propose(row) if _proposes(row, alert) else ""


def _keep_notice(alert: CostBudgetAlert, row: CostBudget, scope: str) -> bool:
    """Store the notice; False if it already exists.

    If the budget doesn't notify the tenant, the notice is acknowledged from the start.
    """
    statement = insert(CostBudgetNotice).values(
        id=alert.id,
        tenant_id=current.actor().tenant_id,
        name=row.name,
        scope=scope,
        period=alert.period,
        basis=alert.basis,
        percent=alert.percent,
        amount=alert.amount,
        spent=alert.spent,
        forecast=alert.forecast,
        currency=alert.currency,
        provisional=alert.provisional,
        unpriced=alert.unpriced,
        acknowledged_at=None if row.tells_tenant else clock.now(),
        created_at=clock.now(),
    )
    kept = statement.on_conflict_do_nothing(index_elements=["tenant_id", "id"])
    return session().scalar(kept.returning(CostBudgetNotice.id)) is not None


def _tell_people(notice: CostBudgetNotice) -> None:
    record(
        TOLD,
        notice,
        name=notice.name,
        period=notice.period,
        basis=notice.basis,
        percent=notice.percent,
    )
    slug = current.actor().tenant_slug
    address = f"{public_address()}/t/{slug}/economics/budget-notices/{notice.id}"
    subject, text = wording.letter(notice.name, notice, address)
    for person in members():
        if person.role == "admin":
            outbox.send_mail(person.email, subject, text)
    data = wording.payload(notice.id, notice.name, notice.scope, notice)
    webhooks.send(wording.REACHED, data)


def _propose(row: CostBudget) -> str:
    """Draft the policy change for the tenant's people to review; return the outcome as a sentence.

    An existing draft is left unchanged.
    """
    if policies.draft() is not None:
        return "The tenant has a policy draft already, so no change was proposed."
    content = _with_proposal(policies.current_policy().content, row)
    try:
        with session().begin_nested():
            policy_drafts.draft(content, seen="", reason=f"The budget {row.name} is spent.")
    except DomainError as error:
        return f"No change was proposed: {error.message}"[:400]
    return "A policy change was drafted. People of the tenant decide on it."


def _with_proposal(content: Content, row: CostBudget) -> Content:
    """Return the content with the proposed settings, for the budget's AI system or for all of them."""
    wanted: dict[str, Value] = {}
    if row.proposed_limit is not None:
        wanted["requests_per_minute"] = row.proposed_limit
    if row.proposed_models:
        wanted["model_access"] = frozenset(row.proposed_models)
    if row.system_id is None:
        return replace(content, overrides={**content.overrides, **wanted})
    own: dict[UUID, dict[str, Value]] = {
        system_id: dict(given) for system_id, given in content.systems.items()
    }
    own[row.system_id] = own.get(row.system_id, {}) | wanted
    return replace(content, systems=own)
