"""A tenant's own shares beside the benchmark of all tenants. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from governance.economics.usage.ports import UsageBenchmark
from governance.economics.usage.queries import Usage

LABELS = {"cached_share": "Read from cache", "failed_share": "Failed or retried"}
TOO_NOISY = Decimal("0.1")  # noise that is larger than most differences between tenants


@dataclass(frozen=True, slots=True)
class BenchmarkLine:
    """A measure in percent: the tenant's own, None without usage; and the mean of all."""

    label: str
    own: Decimal | None
    benchmark: UsageBenchmark

    @property
    def is_noisy(self) -> bool:
        accuracy = self.benchmark.accuracy
        return accuracy is not None and accuracy > TOO_NOISY


def benchmark_lines(
    rows: Sequence[Usage], benchmarks: Sequence[UsageBenchmark]
) -> list[BenchmarkLine]:
    """Return a line for each benchmark of the month."""
    requests = sum(row.requests for row in rows)
    failed = sum(row.failed for row in rows)
    cached = sum(row.tokens["cache_read"] for row in rows)
    read = cached + sum(row.tokens["input"] + row.tokens["cache_write"] for row in rows)
    own = {"cached_share": _share(cached, read), "failed_share": _share(failed, requests)}
    return [BenchmarkLine(LABELS[each.measure], own[each.measure], each) for each in benchmarks]


def _share(part: int, whole: int) -> Decimal | None:
    return Decimal(part) / Decimal(whole) if whole else None
