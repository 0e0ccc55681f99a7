"""The operator's pages: all tenants' statements, both sides of a month, claims, answers, payments.

Only these pages show what a vendor owes. The operator's rows are read first, in the request's own
transaction, and the customer's in a transaction of its tenant.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.foundation.people import queries as people
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.queries import living_tenants, tenant_by_id
from governance.kernel import clock, current
from governance.kernel.data.db import transaction
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import NotFound
from governance.kernel.pages import work_pages
from governance.kernel.pages.rendering import page
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.web.step_up import StepUp
from governance.operations.agreements.money import money, read_amount
from governance.operations.agreements.place import (
    Drawn,
    Place,
    finish,
    inside,
    place_of,
    tenant_of,
)
from governance.publishing.statements import (
    claim_actions,
    claim_queries,
    dispute_actions,
    figures,
    ledger_actions,
    queries,
    statement_page,
    statement_pages,
    vendor_side,
)
from governance.publishing.statements.arithmetic_steps import steps
from governance.publishing.statements.forms import (
    AnswerForm,
    ClaimForm,
    PaymentForm,
    SentForm,
    SettleForm,
)
from governance.publishing.statements.models import CLAIM_STATES, Statement, VendorClaim
from governance.publishing.statements.open_months import OpenMonth, close_chosen, open_months
from governance.publishing.statements.vendor_side import VendorSide

NEWEST = 3  # Statements of each tenant on the list.
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class TenantStatements:
    """A tenant of the operator's list: its newest statements, and months that nobody closed yet."""

    tenant: Tenant
    rows: Sequence[queries.ListedStatement]
    over: Sequence[OpenMonth]


def operator_index() -> ResponseReturnValue:
    """Show the newest statements of every customer, and the claims on vendors for them."""
    customers = [each for each in living_tenants() if each.kind == "customer"]
    claims = claim_queries.newest_of([each.id for each in customers])
    listed = []
    for tenant in customers:
        with inside(tenant, read_only=True):
            over = [each for each in open_months() if each.is_over]
            listed.append(TenantStatements(tenant, queries.newest(NEWEST), over))
    return page(
        "publishing/statements/operator_index.html",
        listed=[each for each in listed if each.rows],
        over=[(each.tenant, month) for each in listed for month in each.over],
        claims=claims,
        claim_states=CLAIM_STATES,
        figures=figures,
        money=money,
    )


def close_month(place: Place) -> ResponseReturnValue:
    """Close a month of the tenant that is over, before its day."""
    made = close_chosen()
    return redirect(place.to("statement", statement_id=made.id), 303)


def statement(slug: str, statement_id: UUID) -> ResponseReturnValue:
    """Show the tenant's statement, with what vendors owe for the same minutes, and the net."""
    tenant = tenant_of(slug)
    place = place_of(tenant, "statements")
    agreements, claims = _operators_rows(tenant, statement_id)
    with inside(tenant, read_only=True):
        drawn = statement_pages.statement(place, statement_id)
        found = queries.statement(statement_id)
        sides = vendor_side.sides(agreements, found.its_month, found.span)
    result = drawn.context.get("result")
    if result is None:
        return finish(drawn, place)
    recoverable, currency = sum(each.amount for each in sides), result["currency"]
    vendors = {
        "sides": [_shown(each, claims) for each in sides],
        "recoverable": statement_page.split_money(recoverable, currency),
        "net": statement_page.split_money(result["credit"] - recoverable, currency),
    }
    return finish(Drawn(drawn.template, {**drawn.context, **vendors}), place)


def _operators_rows(
    tenant: Tenant, statement_id: UUID
) -> tuple[list[vendor_side.VendorAgreement], Sequence[VendorClaim]]:
    """Return vendor agreements of the month and claims, from the operator's own tenant."""
    with inside(tenant, read_only=True):
        found = queries.statement(statement_id)
        span, month = found.span, found.month
    with transaction(read_only=True) as work:
        agreements = vendor_side.vendor_agreements(span)
        claims = claim_queries.claims_of(tenant.id, month)
        work.expunge_all()
    return agreements, claims


def _shown(side: VendorSide, claims: Sequence[VendorClaim]) -> dict[str, Any]:
    """Return a vendor's side with its sums, its countdown and its newest claim."""
    mine = [each for each in claims if each.agreement_id == side.agreement.id]
    now = clock.now()
    return {
        "side": side,
        "sums": steps(side.facts, side.result, side.facts["notes"]),
        "amount": money(side.amount, side.result["currency"]),
        "days_left": max(0, -(-(side.deadline - now) // DAY)),
        "is_late": now >= side.deadline,
        "claim": mine[0] if mine else None,
        "state": CLAIM_STATES[mine[0].state] if mine else None,
    }


def prepare_claim(slug: str, statement_id: UUID, agreement_id: UUID) -> ResponseReturnValue:
    """Preview the claim with the vendor's bill, then request another person's approval."""
    tenant = tenant_of(slug)
    place, form = place_of(tenant, "statements"), ClaimForm()
    agreements, _claims = _operators_rows(tenant, statement_id)
    mine = [each for each in agreements if each.id == agreement_id]
    if not mine:
        raise NotFound("This agreement doesn't exist, or it wasn't in force in that month.")
    made: list[UUID] = []
    shown: list[VendorSide] = []

    def act() -> None:
        bill = _bill(form, mine[0])
        side, found = _side_of(tenant, statement_id, mine[0], bill)
        shown.append(side)
        if form.step.data == "send":
            ids = [line.strip() for line in (form.request_ids.data or "").splitlines()]
            with transaction():
                claim = claim_actions.prepare(
                    tenant.id, found, side, bill=bill, request_ids=[each for each in ids if each]
                )
                made.append(claim.id)

    if request.method == "POST" and accepted(form, act) and made:
        flash("Another person was asked to approve the claim.")
        return redirect(url_for("operator_statements.claim", claim_id=made[0]), 303)
    side = shown[0] if shown else _side_of(tenant, statement_id, mine[0], None)[0]
    with inside(tenant, read_only=True):
        shared = statement_pages.frame(place, queries.statement(statement_id), "statement")
    return page(
        "publishing/statements/prepare_claim.html",
        status=form.status if form.problems else 200,
        form=form,
        **shared,
        shown=_shown(side, []),
        place=place,
        to=place.to,
        money=money,
    )


def _bill(form: ClaimForm, mine: vendor_side.VendorAgreement) -> int | None:
    text = (form.bill.data or "").strip()
    if not text:
        return None
    return read_amount(text, mine.versions[-1].terms["currency"], field="bill")


def _side_of(
    tenant: Tenant, statement_id: UUID, mine: vendor_side.VendorAgreement, bill: int | None
) -> tuple[VendorSide, Statement]:
    agreement = mine if bill is None else vendor_side.with_bill(mine, bill)
    with inside(tenant, read_only=True):
        found = queries.statement(statement_id)
        sides = vendor_side.sides([agreement], found.its_month, found.span)
    if not sides:
        raise NotFound(f"{tenant.name} has no indicator of this vendor.")
    return sides[0], found


def claim(claim_id: UUID) -> ResponseReturnValue:
    found = claim_queries.claim(claim_id)
    return _claim_page(found, SentForm(), SettleForm())


def _claim_page(
    found: VendorClaim, sent: SentForm, settled: SettleForm, *, status: int = 200
) -> ResponseReturnValue:
    customer = tenant_by_id(found.customer_id)
    names = people.names([found.prepared_by, found.approved_by, found.sent_by])
    facts, result = found.facts["facts"], found.facts["result"]
    periods = found.facts["periods"]
    return page(
        "publishing/statements/claim.html",
        status=status,
        claim=found,
        customer=customer,
        names=names,
        state=CLAIM_STATES[found.state],
        sums=steps(facts, result, facts["notes"]),
        periods=periods,
        errors=sum(each["errors"] for each in periods),
        minutes=sum(each["minutes"] for each in periods),
        days_left=max(0, -(-(found.deadline - clock.now()) // DAY)),
        sent=sent,
        settled=settled,
        title_month=figures.month_title(found.month),
        money=money,
    )


def send_claim(claim_id: UUID) -> ResponseReturnValue:
    """Record that the acting person sent the file."""
    found, form = claim_queries.claim(claim_id, lock=True), SentForm()
    if not accepted(form, lambda: claim_actions.send(found, reference=form.reference.data or "")):
        return _claim_page(found, form, _fresh(), status=form.status)
    return _back(claim_id)


def _fresh() -> SettleForm:
    form = SettleForm()
    form.process(None)
    return form


def settle_claim(claim_id: UUID) -> ResponseReturnValue:
    """Record what the vendor paid, or that it rejected the claim."""
    found, form = claim_queries.claim(claim_id, lock=True), SettleForm()

    def act() -> None:
        paid = None
        if form.outcome.data == "paid":
            paid = read_amount(form.paid.data or "", found.currency, field="paid")
        claim_actions.settle(found, paid=paid, note=form.note.data or "")

    if not accepted(form, act):
        sent = SentForm()
        sent.process(None)
        return _claim_page(found, sent, form, status=form.status)
    return _back(claim_id)


def _back(claim_id: UUID) -> ResponseReturnValue:
    return redirect(url_for("operator_statements.claim", claim_id=claim_id), 303)


def claim_file(claim_id: UUID) -> ResponseReturnValue:
    """Return CSV and JSON in a zip. This is a POST, because a download is recorded."""
    return work_pages.attachment(claim_actions.claim_file(claim_queries.claim(claim_id)))


def answer_dispute(
    place: Place, statement_id: UUID, dispute_id: UUID
) -> Drawn | ResponseReturnValue:
    """Answer on the record. Accepting makes a revision."""
    found = queries.statement(statement_id)
    dispute, form = statement_pages.dispute_of(statement_id, dispute_id), AnswerForm()
    if request.method == "POST" and accepted(
        form,
        lambda: dispute_actions.answer(
            dispute, is_accepted=form.decision.data == "accepted", text=form.answer.data or ""
        ),
    ):
        flash(f"You answered {dispute.ref}.")
        return redirect(place.to("disputes", statement_id=statement_id), 303)
    row = statement_pages.closed_revision(found)
    return Drawn(
        f"{statement_pages.TEMPLATES}/answer.html",
        statement_pages.frame(place, found, "disputes")
        | {"form": form, "shown": statement_page.shown_dispute(dispute, row.facts)},
        status=statement_pages.answered(form),
    )


def _paid(slug: str, statement_id: UUID) -> list[tuple[str, str]]:
    """Return the tenant and the month of the statement that a payment is for, as a form shows them."""
    tenant = tenant_of(slug)
    with inside(tenant, read_only=True):
        month = queries.statement(statement_id).month
    return [("Tenant", tenant.name), ("Statement", figures.month_title(month))]


PAYMENT = StepUp("Record payment", lambda **_values: PaymentForm(), facts=_paid)


def record_payment(place: Place, statement_id: UUID) -> Drawn | ResponseReturnValue:
    """Record that a credit was paid."""
    found, form = queries.statement(statement_id), PaymentForm(once=str(uuid7()))
    row = statement_pages.closed_revision(found)

    def act() -> None:
        amount = read_amount(form.amount.data or "", row.currency, field="amount")
        ledger_actions.pay(found, amount=amount, note=form.note.data or "", entry_id=form.entry_id)

    if request.method == "POST" and accepted(form, act):
        flash("The payment was recorded.")
        return redirect(place.to("statement", statement_id=statement_id), 303)
    return Drawn(
        f"{statement_pages.TEMPLATES}/payment.html",
        statement_pages.frame(place, found, "statement")
        | {
            "form": form,
            "balance": money(ledger_actions.balance(found), row.currency),
            "actor": current.actor().name,
        },
        status=statement_pages.answered(form),
    )
