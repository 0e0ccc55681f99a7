"""The ledger of credits: what the operator owes a tenant, and what was paid."""

from uuid import UUID

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import Invalid
from governance.operations.agreements.money import money
from governance.publishing.statements import queries
from governance.publishing.statements.models import CreditEntry, Statement

PAID = action(
    "credit.paid",
    "recorded a paid credit",
    target="Statement",
    activity="update",
    severity="low",
    fields="month amount currency note",
    shape="ok",
)
MAX_NOTE_LENGTH = 200


def balance(statement: Statement) -> int:
    """Return what is owed and not paid, in minor units."""
    return sum(each.amount for each in queries.entries(statement.id))


def pay(
    statement: Statement, *, amount: int, note: str, entry_id: UUID | None = None
) -> CreditEntry:
    """Record that a credit was paid, for example on an invoice that `note` names.

    The caller chooses `entry_id`, so that a request sent twice records one payment.
    """
    session().refresh(statement, with_for_update=True)
    found = queries.entries(statement.id)
    for each in found:
        if each.id == entry_id:
            return each
    left = sum(each.amount for each in found)
    if not note.strip():
        raise Invalid("Name the invoice or credit note.", field="note")
    if not found or amount <= 0:
        raise Invalid("Enter the amount that was paid.", field="amount")
    currency = found[0].currency
    if amount > left:
        raise Invalid(
            f"{money(left, currency)} is owed. Enter that amount or less.", field="amount"
        )
    made = CreditEntry(
        id=entry_id or uuid7(),
        statement_id=statement.id,
        kind="paid",
        revision=None,
        amount=-amount,
        currency=currency,
        note=note.strip()[:MAX_NOTE_LENGTH],
        recorded_by=current.actor().person_id,
    )
    session().add(made)
    record(PAID, statement, month=statement.month, amount=amount, currency=currency, note=made.note)
    return made
