"""Change the costs of a month.

apply_bills         store the bills of an imported file; each replaces the earlier one completely
enter_line          add a line of a month by hand, with a note
remove_line         remove such a line
"""

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert

from governance.economics.costs import queries
from governance.economics.costs.focus_bill import BillKey, BillLine, FocusFile
from governance.economics.costs.focus_lines import POOLS
from governance.economics.costs.models import MANUAL, CostBill, CostChange, CostLine
from governance.economics.formulas.currencies import is_currency
from governance.economics.formulas.money import check_amount
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.tenants.queries import operator_time_zone
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import Invalid
from governance.kernel.months import Month

BILL_ADDED = action(
    "cost_bill.added",
    "added a bill",
    target="CostBill",
    activity="create",
    severity="low",
    fields="provider invoice_id period_start period_end currency billed effective",
)
BILL_REPLACED = action(
    "cost_bill.replaced",
    "replaced a bill",
    target="CostBill",
    activity="update",
    severity="medium",
    fields="provider invoice_id period_start period_end currency billed effective",
)
LINE_ENTERED = action(
    "cost_line.entered",
    "entered a cost by hand",
    target="CostLine",
    activity="create",
    severity="medium",
    fields="month provider pool amount currency note",
)
LINE_REMOVED = action(
    "cost_line.removed",
    "removed a cost entered by hand",
    target="CostLine",
    activity="delete",
    severity="medium",
    fields="month provider pool amount currency note",
)
MAX_NAME_LENGTH = 100
MAX_NOTE_LENGTH = 500
INSERTED = 1_000  # lines per statement
LOCK = "costs"
ZERO = Decimal(0)


# ---- bills


def apply_bills(import_id: UUID, file: FocusFile) -> None:
    """Store the bills of a file, and record which months they change.

    A bill completely replaces the one of the same provider, billing period and invoice. Raises
    Invalid for a file with rejected rows.
    """
    if file.rejected:
        raise Invalid("Correct the rejected rows, then upload the file again.")
    lock_tenant(LOCK)
    earlier = queries.current_bills(file.bills)
    months = {_month_of(line) for line in file.lines} | queries.months_of(
        [bill.id for bill in earlier]
    )
    before = queries.effective_totals(months)
    _replace(earlier, import_id)
    for key, its_lines in file.bills.items():
        _add_bill(import_id, key, its_lines)
    session().flush()
    _note_changes(import_id, before, queries.effective_totals(months), _corrections(file.lines))


def _month_of(line: BillLine) -> str:
    return str(Month.of(line.day))


def _corrections(lines: Sequence[BillLine]) -> dict[tuple[str, str], Decimal]:
    found: dict[tuple[str, str], Decimal] = {}
    for line in lines:
        if line.is_correction:
            key = (_month_of(line), line.currency)
            found[key] = found.get(key, ZERO) + line.effective
    return found


def _replace(bills: Collection[CostBill], import_id: UUID) -> None:
    for bill in bills:
        bill.replaced_by, bill.replaced_at = import_id, clock.now()
        record(BILL_REPLACED, bill, **_described(bill))
    ids = [bill.id for bill in bills]
    session().execute(delete(CostLine).where(CostLine.bill_id.in_(ids)))
    session().flush()


def _add_bill(import_id: UUID, key: BillKey, lines: Sequence[BillLine]) -> None:
    for currency in sorted({line.currency for line in lines}):
        its_lines = [line for line in lines if line.currency == currency]
        bill = CostBill(
            id=uuid7(),
            import_id=import_id,
            provider=key.provider,
            period_start=key.period_start,
            period_end=key.period_end,
            invoice_id=key.invoice_id,
            currency=currency,
            billed=sum((line.billed for line in its_lines), ZERO),
            effective=sum((line.effective for line in its_lines), ZERO),
            source_lines=sum(line.source_lines for line in its_lines),
        )
        session().add(bill)
        session().flush()
        record(BILL_ADDED, bill, **_described(bill))
        rows = [_row(bill, line) for line in its_lines]
        for start in range(0, len(rows), INSERTED):
            session().execute(insert(CostLine), rows[start : start + INSERTED])


def _row(bill: CostBill, line: BillLine) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "tenant_id": bill.tenant_id,
        "bill_id": bill.id,
        "usage_month": _month_of(line),
        "day": line.day,
        "provider": bill.provider,
        "service": line.service,
        "model": line.model,
        "category": line.category,
        "is_correction": line.is_correction,
        "pool": line.pool,
        "meter": line.meter,
        "currency": line.currency,
        "billed": line.billed,
        "effective": line.effective,
        "list_cost": line.list,
        "contracted": line.contracted,
        "quantity": line.quantity,
        "unit": line.unit,
        "invoice_id": bill.invoice_id,
        "source_lines": line.source_lines,
        "note": "",
    }


def _described(bill: CostBill) -> dict[str, Any]:
    return {
        "provider": bill.provider,
        "invoice_id": bill.invoice_id,
        "period_start": bill.period_start.isoformat(),
        "period_end": bill.period_end.isoformat(),
        "currency": bill.currency,
        "billed": _plain(bill.billed),
        "effective": _plain(bill.effective),
    }


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


def _note_changes(
    import_id: UUID | None,
    before: dict[tuple[str, str], Decimal],
    after: dict[tuple[str, str], Decimal],
    corrections: dict[tuple[str, str], Decimal],
) -> None:
    for key in sorted(before.keys() | after.keys()):
        earlier, later = before.get(key, ZERO), after.get(key, ZERO)
        if earlier == later:
            continue
        month, currency = key
        session().add(
            CostChange(
                import_id=import_id,
                usage_month=month,
                currency=currency,
                effective_before=earlier,
                effective_after=later,
                corrections=corrections.get(key, ZERO),
            )
        )
    session().flush()


# ---- manual lines


def enter_line(
    month: Month, *, provider: str, pool: str, amount: Decimal, currency: str, note: str
) -> CostLine:
    """Add a cost of a month that no bill has; billed and effective are the same.

    A negative amount is a credit. Raises Invalid.
    """
    lock_tenant(LOCK)
    _check_line(month, provider, pool, amount, currency, note)
    before = queries.effective_totals([str(month)])
    line = CostLine(
        id=uuid7(),
        usage_month=str(month),
        day=month.first_day,
        provider=provider,
        service="",
        category=MANUAL,
        is_correction=False,
        pool=pool,
        currency=currency,
        billed=amount,
        effective=amount,
        invoice_id="",
        source_lines=1,
        note=note,
        entered_by=current.actor().person_id,
    )
    session().add(line)
    session().flush()
    record(LINE_ENTERED, line, **_line_described(line))
    _note_changes(None, before, queries.effective_totals([str(month)]), {})
    return line


def _check_line(
    month: Month, provider: str, pool: str, amount: Decimal, currency: str, note: str
) -> None:
    today = clock.now().astimezone(ZoneInfo(operator_time_zone())).date()
    if month > Month.of(today):
        raise Invalid(f"{month.long_name} is still to come.", field="month")
    if not 0 < len(provider) <= MAX_NAME_LENGTH:
        raise Invalid(f"Name the provider in up to {MAX_NAME_LENGTH} characters.", field="provider")
    if pool not in POOLS:
        raise Invalid("Choose a pool.", field="pool")
    if not is_currency(currency):
        raise Invalid("Choose a currency of ISO 4217, such as USD.", field="currency")
    check_amount(amount, field="amount")
    if not amount:
        raise Invalid("Enter an amount other than zero.", field="amount")
    if not 0 < len(note) <= MAX_NOTE_LENGTH:
        raise Invalid(
            f"Say what the cost is for, in up to {MAX_NOTE_LENGTH} characters.", field="note"
        )


def remove_line(line: CostLine) -> None:
    """Remove a manual line. The audit log keeps it."""
    lock_tenant(LOCK)
    before = queries.effective_totals([line.usage_month])
    record(LINE_REMOVED, line, **_line_described(line))
    session().delete(line)
    session().flush()
    _note_changes(None, before, queries.effective_totals([line.usage_month]), {})


def _line_described(line: CostLine) -> dict[str, Any]:
    return {
        "month": line.usage_month,
        "provider": line.provider,
        "pool": line.pool,
        "amount": _plain(line.effective),
        "currency": line.currency,
        "note": line.note,
    }
