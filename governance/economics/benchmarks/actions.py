"""Release the benchmarks of a month once, within the privacy budget, and copy them to tenants."""

from collections.abc import Sequence
from decimal import Decimal

from governance.economics.benchmarks import private_mean, queries
from governance.economics.benchmarks.models import Benchmark
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel.db import lock_tenant, session
from governance.kernel.months import Month

FIELDS = "month measure tenants epsilon spent budget refusal"
RELEASED = action(
    "benchmark.released",
    "released a benchmark",
    target="Benchmark",
    activity="create",
    severity="low",
    fields=FIELDS,
)
REFUSED = action(
    "benchmark.refused",
    "released no benchmark",
    target="Benchmark",
    activity="create",
    severity="low",
    fields=FIELDS,
)

COPIED = ("month", "measure", "tenants", "epsilon", "mean", "accuracy", "refusal")


def release(month: Month) -> Sequence[Benchmark]:
    """Release each measure of the month in the operator's tenant; the second call changes nothing.

    Where a measure has fewer than five tenants, or the quarter's budget is spent, the row says so;
    without any tenant there is no row.
    """
    lock_tenant("benchmarks")
    there = {each.measure for each in queries.releases(month)}
    for measure, shares in queries.tenant_shares(month).items():
        if shares and measure not in there:
            _release(month, measure, list(shares.values()))
    return queries.releases(month)


def _release(month: Month, measure: str, shares: Sequence[Decimal]) -> None:
    spent = queries.spent_in(month)
    why = private_mean.refusal(len(shares), spent)
    found = None if why else private_mean.private_mean(shares)
    row = Benchmark(
        month=str(month),
        measure=measure,
        tenants=len(shares),
        epsilon=found.epsilon if found else Decimal(0),
        mean=found.mean if found else None,
        accuracy=found.accuracy if found else None,
        refusal=why or "",
    )
    session().add(row)
    session().flush()
    record(
        RELEASED if found else REFUSED,
        row,
        month=row.month,
        measure=measure,
        tenants=row.tenants,
        epsilon=_text(row.epsilon),
        spent=_text(spent + row.epsilon),
        budget=_text(private_mean.QUARTER_BUDGET),
        refusal=row.refusal,
    )


def _text(number: Decimal) -> str:
    return f"{number.normalize():f}"


def copy(rows: Sequence[dict[str, object]], month: Month) -> None:
    """Keep the operator's rows of a month in the acting customer's tenant; once."""
    lock_tenant("benchmarks")
    there = {each.measure for each in queries.releases(month)}
    session().add_all(Benchmark(**each) for each in rows if each["measure"] not in there)


def values(row: Benchmark) -> dict[str, object]:
    """What a copy holds."""
    return {name: getattr(row, name) for name in COPIED}
