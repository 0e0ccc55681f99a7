"""FOCUS bills as an import kind: preview and apply."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from governance.economics.costs import actions, permissions, queries
from governance.economics.costs.focus_bill import BillKey, BillLine, BillReading
from governance.economics.costs.focus_lines import PoolRule
from governance.economics.costs.models import CostBill
from governance.economics.formulas.money import money, rounded
from governance.economics.imports import kinds, table_reading
from governance.economics.imports.kinds import (
    MEGABYTE,
    GivenFile,
    ImportKind,
    Preview,
    Rejection,
    Total,
)
from governance.economics.imports.models import FileImport
from governance.foundation.tenants.queries import operator_time_zone
from governance.kernel.data.db import transaction
from governance.kernel.errors import Invalid
from governance.kernel.files import sandbox
from governance.kernel.files.sandbox import Limits
from governance.kernel.formatting import plural
from governance.kernel.months import Month

CHILD = "governance.economics.costs.focus_child"
MAX_BYTES = 512 * MEGABYTE
LIMITS = Limits(memory=3 * 1024 * sandbox.MIB, seconds=300, output=512 * sandbox.MIB)
ZERO = Decimal(0)


def read_file(given: GivenFile) -> Preview:
    """Preview the bills of a file and the earlier ones that they replace. Raises Invalid."""
    with transaction(read_only=True):
        zone, rules = operator_time_zone(), queries.as_rules(queries.pool_rules())
    answer = _run(given, zone, rules)
    if answer.file is None:
        broken = [Rejection(each.line, each.field, each.reason) for each in answer.broken]
        return Preview(
            rows_read=len(broken), rows_accepted=0, rows_rejected=len(broken), rejected=broken
        )
    file = answer.file
    with transaction(read_only=True):
        earlier = queries.current_bills(file.bills)
        notes = [("Version", f"FOCUS {file.version}")]
        notes += [("Bill", sentence) for sentence in bill_sentences(file.bills, earlier)]
    notes += [("Not as FOCUS says", note) for note in file.notes]
    return Preview(
        rows_read=file.rows,
        rows_accepted=file.rows - file.rejected_rows,
        rows_rejected=file.rejected_rows,
        rejected=[Rejection(each.line, each.field, each.reason) for each in file.rejected],
        totals=totals(file.lines),
        notes=notes,
    )


def apply_file(file_import: FileImport, given: GivenFile) -> None:
    """Store the bills of a file, in the transaction that marks the import as applied."""
    rules = queries.as_rules(queries.pool_rules())
    answer = _run(given, operator_time_zone(), rules)
    if answer.file is None:
        raise Invalid(f"{given.name} can't be read any more. Upload it again.", field="file")
    actions.apply_bills(file_import.id, answer.file)


def _run(given: GivenFile, zone: str, rules: Sequence[PoolRule]) -> BillReading:
    """Read the file in a child process with limits. Raises Invalid if it can't be read."""
    delimiter = table_reading.find_delimiter(given.path) if given.format == "csv" else ","
    given_rules = msgspec.json.encode(rules).decode()
    arguments = (str(given.path), given.format, delimiter, zone, given_rules)
    outcome = sandbox.run(CHILD, *arguments, limits=LIMITS)
    if not outcome.is_finished:
        raise table_reading.unreadable(given.name, outcome.ending)
    answer = msgspec.json.decode(outcome.answer, type=BillReading)
    if answer.problem:
        raise Invalid(f"{given.name}: {answer.problem}", field="file")
    return answer


def totals(lines: Sequence[BillLine]) -> list[Total]:
    """Return a file's totals by usage month, with billed and effective cost separate."""
    found: dict[str, tuple[int, dict[str, Decimal]]] = {}
    for line in lines:
        month = str(Month.of(line.day))
        rows, amounts = found.get(month, (0, {}))
        for unit, amount in (
            (f"{line.currency} billed", line.billed),
            (f"{line.currency} effective", line.effective),
        ):
            amounts[unit] = amounts.get(unit, ZERO) + amount
        found[month] = (rows + line.source_lines, amounts)
    return [
        Total(
            month, "", rows, {unit: rounded(amount, unit[:3]) for unit, amount in amounts.items()}
        )
        for month, (rows, amounts) in sorted(found.items())
    ]


def bill_sentences(
    bills: Mapping[BillKey, Sequence[BillLine]], earlier: Sequence[CostBill]
) -> list[str]:
    """Return a sentence for each bill: what it adds, or which bill it replaces and what changes."""
    sentences = []
    for key, lines in sorted(bills.items()):
        replaced = [bill for bill in earlier if queries.key_of(bill) == key]
        name = key.invoice_id or f"of {key.provider} from {key.period_start:%-d %B %Y}"
        after = _effective((line.currency, line.effective) for line in lines)
        if not replaced:
            count = plural(sum(line.source_lines for line in lines), "charge")
            sentences.append(f"Bill {name} is new: {_listed(after)} effective, {count}.")
            continue
        before = _effective((bill.currency, bill.effective) for bill in replaced)
        difference = {
            currency: after.get(currency, ZERO) - before.get(currency, ZERO)
            for currency in sorted(after.keys() | before.keys())
        }
        day = f"{max(bill.created_at for bill in replaced):%-d %B %Y}"
        changed = _listed({c: d for c, d in difference.items() if d}, signed=True)
        sentences.append(
            f"This file replaces the bill {name} of {day}: {changed or 'the total is the same'}."
        )
    return sentences


def _effective(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for currency, amount in amounts:
        found[currency] = found.get(currency, ZERO) + amount
    return found


def _listed(amounts: Mapping[str, Decimal], *, signed: bool = False) -> str:
    return ", ".join(
        f"{'+' if signed and amount > 0 else ''}{money(amount, currency)}"
        for currency, amount in amounts.items()
    )


EXAMPLE = {
    "BilledCost": "62.50",
    "EffectiveCost": "62.50",
    "ListCost": "62.50",
    "ContractedCost": "62.50",
    "BillingCurrency": "EUR",
    "BillingPeriodStart": "2026-10-01T00:00:00Z",
    "BillingPeriodEnd": "2026-11-01T00:00:00Z",
    "ChargePeriodStart": "2026-10-17T00:00:00Z",
    "ChargePeriodEnd": "2026-10-18T00:00:00Z",
    "ChargeCategory": "Usage",
    "ChargeClass": "",
    "ChargeDescription": "Input tokens",
    "BillingAccountId": "1204",
    "BillingAccountName": "Meridian",
    "InvoiceIssuerName": "Helio Cloud",
    "InvoiceId": "HC-2026-10",
    "ServiceProviderName": "Helio Cloud",
    "HostProviderName": "Helio Cloud",
    "ServiceCategory": "AI and Machine Learning",
    "ServiceName": "Inference",
    "PricingQuantity": "25",
    "PricingUnit": "1M Tokens",
    "SkuMeter": "Input tokens",
    "x_Model": "helio-large-3",
}

BILLS = ImportKind(
    name="focus",
    label="FOCUS bill",
    description=(
        "A Cost and Usage file of FOCUS 1.0 to 1.4. It replaces an earlier file of the same"
        " provider, billing period and invoice as a whole."
    ),
    permission=permissions.EDIT,
    read_file=read_file,
    apply_file=apply_file,
    formats=("csv", "parquet"),
    max_bytes=MAX_BYTES,
    template=f"{','.join(EXAMPLE)}\n{','.join(EXAMPLE.values())}\n",
    template_name="focus-bill.csv",
    applied_page="operator_costs.index",
)
kinds.register(BILLS)
