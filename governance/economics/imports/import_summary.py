"""Page texts for an import: headline, state, and totals by month and tenant. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from governance.economics.imports.kinds import Total
from governance.economics.imports.models import FileImport
from governance.kernel.formatting import plural
from governance.kernel.work.background_work import Run

STATES: Mapping[str, tuple[str, str]] = {  # (shape, label) of the status badge
    "reading": ("info", "Reading"),
    "ready": ("due", "Ready to apply"),
    "failed": ("bad", "Not readable"),
    "applying": ("info", "Applying"),
    "applied": ("ok", "Applied"),
    "discarded": ("none", "Discarded"),
}
MAX_NAMES = 2  # tenants that a headline names; more are counted


@dataclass(slots=True)
class Sum:
    """Total rows and amounts of a month or a tenant."""

    name: str
    rows: int = 0
    amounts: dict[str, Decimal] = field(default_factory=dict)

    def add(self, total: Total) -> None:
        self.rows += total.rows
        for unit, amount in total.amounts.items():
            self.amounts[unit] = self.amounts.get(unit, Decimal(0)) + amount


def state_of(run: Run[FileImport]) -> tuple[str, str]:
    """Return the shape and label of an import's status badge."""
    row = run.row
    if row.state == "ready" and row.rows_rejected:
        return "bad", f"{row.rows_rejected:,} rejected"
    if not row.is_ready and run.is_over:
        return "bad", "Failed"
    return STATES[row.state]


def headline(row: FileImport, totals: Sequence[Total]) -> str:
    """Return a headline that states what the file would import, or did."""
    if row.state == "ready" and row.rows_rejected:
        return f"{row.rows_rejected:,} of {plural(row.rows_read, 'row')} can't be imported"
    if row.state == "ready" and not row.rows_accepted:
        return f"{row.name} has nothing to import"
    if row.state in {"ready", "applying", "applied"}:
        verb = {"ready": "ready", "applying": "being applied", "applied": "applied"}[row.state]
        be = " are" if row.rows_accepted != 1 else " is"
        said = f"{plural(row.rows_accepted, 'row')}{'' if row.state == 'applied' else be} {verb}"
        about = ", ".join(filter(None, (customers(totals), months(totals))))
        return f"{said}: {about}" if about else said
    return {
        "reading": f"{row.name} is being read",
        "failed": f"{row.name} can't be imported",
        "discarded": f"{row.name} was discarded",
    }[row.state]


def customers(totals: Sequence[Total]) -> str:
    """Return "38 customers" or "acme"; "" if no row names a customer."""
    slugs = sorted({each.tenant for each in totals if each.tenant})
    return " and ".join(slugs) if len(slugs) <= MAX_NAMES else plural(len(slugs), "customer")


def months(totals: Sequence[Total]) -> str:
    """Return "January to October 2026"; "" if no row has a month."""
    found = sorted({each.month for each in totals if each.month})
    if not found:
        return ""
    first, last = (_day(month) for month in (found[0], found[-1]))
    if first == last:
        return f"{last:%B %Y}"
    if first.year == last.year:
        return f"{first:%B} to {last:%B %Y}"
    return f"{first:%B %Y} to {last:%B %Y}"


def _day(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


def month_name(month: str) -> str:
    """Return "October 2026"."""
    return f"{_day(month):%B %Y}"


def by_month(totals: Sequence[Total]) -> list[Sum]:
    """Return the totals of each month, in order."""
    return [
        Sum(month_name(each.name), each.rows, each.amounts)
        for each in _sums((each.month, each) for each in totals)
    ]


def by_tenant(totals: Sequence[Total]) -> list[Sum]:
    """Return the totals of each tenant, by slug."""
    return _sums((each.tenant, each) for each in totals)


def _sums(totals: Iterable[tuple[str, Total]]) -> list[Sum]:
    found: dict[str, Sum] = {}
    for name, total in totals:
        if name:
            found.setdefault(name, Sum(name)).add(total)
    return [found[name] for name in sorted(found)]


def amounts(sums: Mapping[str, Decimal]) -> list[str]:
    """Return each amount with its unit: "1,234.50 EUR", "12,000 tokens"."""
    return [f"{amount:,f} {unit}".strip() for unit, amount in sorted(sums.items())]
