"""The usage page: the requested month, its rows, headline and chart."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import request
from markupsafe import Markup

from governance.economics.usage.queries import Days, Usage
from governance.foundation.tenants.queries import operator_time_zone
from governance.kernel import clock, formatting
from governance.kernel.errors import Invalid
from governance.kernel.formatting import plural
from governance.kernel.months import Month
from governance.kernel.pages.list_pages import (
    Column,
    Export,
    Filter,
    ListPage,
    ListRequest,
    arrange,
    keep,
)
from governance.kernel.pictures import drawing
from governance.operations.systems import queries as systems

FIRST_YEAR, LAST_YEAR = 2000, 2100
CHART_WIDTH, CHART_HEIGHT = 860, 190
THOUSAND, MILLION, BILLION = 10**3, 10**6, 10**9
HEAD = (
    "AI system",
    "Feature",
    "Provider",
    "Model",
    "Requests",
    "Refused",
    "Failed or retried",
    "Input tokens",
    "Cache read tokens",
    "Cache write tokens",
    "Output tokens",
    "Reasoning tokens",
)


def _systems() -> list[tuple[str, str]]:
    return [(str(system_id), name) for system_id, name in systems.choices()]


USAGE = ListPage(
    name="usage",
    title="Usage",
    noun="row",
    endpoint="usage.index",
    search="Search models",
    sort="-tokens",
    carried=("month",),
    columns=(
        Column(
            "system",
            "AI system",
            sort=True,
            file=(
                "AI system",
                "Feature",
            ),
        ),
        Column(
            "model",
            "Model",
            sort=True,
            file=(
                "Provider",
                "Model",
            ),
        ),
        Column("requests", "Requests", sort=True, numeric=True),
        Column("refused", "Refused", sort=True, optional=True, numeric=True),
        Column("failed", "Failed or retried", sort=True, optional=True, numeric=True),
        Column(
            "cached",
            "Read from cache",
            sort=True,
            optional=True,
            numeric=True,
            file=("Cache read tokens",),
        ),
        Column(
            "tokens",
            "Tokens",
            sort=True,
            numeric=True,
            file=(
                "Input tokens",
                "Cache write tokens",
                "Output tokens",
                "Reasoning tokens",
            ),
        ),
    ),
    filters=(Filter("system", "AI system", _systems),),
    exports=tuple(Export(form, "usage.export", {"form": form}) for form in ("csv", "xlsx")),
)
KEYS: Mapping[str, Callable[[Usage], Any]] = {
    "system": lambda row: (row.system, row.feature),
    "model": lambda row: row.model.casefold(),
    "requests": lambda row: row.requests,
    "refused": lambda row: row.refused,
    "failed": lambda row: row.failed,
    "cached": lambda row: row.cached_share,
    "tokens": lambda row: row.all_tokens,
}


def asked_month() -> Month:
    """Return the month in the address, by default the operator's current month. Raises Invalid."""
    text = request.args.get("month", "")
    if not text:
        return this_month()
    try:
        month = Month.parse(text)
    except ValueError:
        raise Invalid("month: enter a month such as 2026-10.", field="month") from None
    if not FIRST_YEAR <= month.year <= LAST_YEAR:
        raise Invalid(f"month: enter a year from {FIRST_YEAR} to {LAST_YEAR}.", field="month")
    return month


def this_month() -> Month:
    """Return the current month in the operator's time zone."""
    return Month.of(clock.now().astimezone(ZoneInfo(operator_time_zone())).date())


def days_of(month: Month) -> Days:
    """Return the range from the first to the last day of a month."""
    following = month.plus(1)
    return Days(
        date(month.year, month.number, 1),
        date(following.year, following.number, 1) - timedelta(days=1),
    )


def month_name(month: Month) -> str:
    """Return a month's display name, such as "October 2026"."""
    return f"{date(month.year, month.number, 1):%B %Y}"


def matching(rows: Sequence[Usage], asked: ListRequest) -> list[Usage]:
    """Return the rows that match the filters, in the requested order."""
    tests: Mapping[str, Callable[[Usage, str], bool]] = {
        "system": lambda row, value: str(row.system_id) == value
    }
    found = keep(rows, asked, tests, lambda row: f"{row.model} {row.provider} {row.feature}")
    return arrange(found, asked, KEYS)


def headline(rows: Sequence[Usage], month: Month) -> str:
    """Return the headline: the month's usage and its largest part."""
    if not rows:
        return f"No usage in {month_name(month)}"
    total = sum(row.all_tokens for row in rows)
    by_system: dict[str, int] = {}
    for row in rows:
        by_system[row.system] = by_system.get(row.system, 0) + row.all_tokens
    most = max(by_system, key=lambda name: by_system[name])
    if not total:
        return f"{plural(sum(row.requests for row in rows), 'request')} without tokens"
    if len(by_system) == 1:
        return f"{most} used {amount(total)} tokens"
    share = round(100 * by_system[most] / total)
    return f"{len(by_system)} AI systems used {amount(total)} tokens, {most} {share}% of them"


def amount(number: int) -> str:
    """Return a number in the form of a headline: "412", "41.2 thousand", "1.3 million"."""
    for least, word in ((BILLION, "billion"), (MILLION, "million"), (THOUSAND, "thousand")):
        if number >= least:
            return f"{number // (least // 10) / 10:,.1f} {word}"
    return f"{number:,}"


def scale(found: Sequence[tuple[date, int, int]]) -> tuple[int, str]:
    """Return the chart's unit by its busiest day, such as 1,000,000 and "millions of tokens"."""
    most = max((tokens for _day, _requests, tokens in found), default=0)
    for least, word in ((BILLION, "billions"), (MILLION, "millions"), (THOUSAND, "thousands")):
        if most >= least:
            return least, f"{word} of tokens"
    return 1, "tokens"


def chart(days: Days, found: Sequence[tuple[date, int, int]]) -> Markup:
    """Return the tokens of each day as a bar chart. A day without usage has no bar."""
    tokens = {day: count for day, _requests, count in found}
    unit, word = scale(found)
    top = drawing.ceiling(max(tokens.values(), default=0) / unit)
    plot = drawing.Plot(46, 12, CHART_WIDTH - 54, CHART_HEIGHT - 42, top)
    every = [days.first + timedelta(days=n) for n in range((days.last - days.first).days + 1)]
    slot = plot.width / len(every)
    body = drawing.grid(plot, "")
    for n, day in enumerate(every):
        x, y = plot.left + slot * (n + 0.15), plot.y(tokens.get(day, 0) / unit)
        if day in tokens:
            body.append(drawing.bar(x, y, slot * 0.7, max(plot.bottom - y, 1), "f1"))
        if n % 7 == 0:
            middle = plot.left + slot * (n + 0.5)
            body.append(
                drawing.label(
                    middle, plot.bottom + 18, formatting.day_of_year(day), "tick", anchor="middle"
                )
            )
    words = ", ".join(f"{formatting.day_of_year(day)} {count:,}" for day, _requests, count in found)
    return drawing.svg(CHART_WIDTH, CHART_HEIGHT, f"By day, {word}", words, body)


def cells(row: Usage) -> tuple[Any, ...]:
    """Return the cells of a row in an export."""
    return (
        row.system,
        row.feature,
        row.provider,
        row.model,
        row.requests,
        row.refused,
        row.failed,
        *row.tokens.values(),
    )
