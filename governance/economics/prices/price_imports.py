"""The import kind "LiteLLM price table": compare it with the book, and add its prices.

A model is new, changed, or the same as the price in force on the day from which the table applies.
Only new and changed ones are added. That day is the date in the file's name, such as
prices-2026-11-01.json; without one it is the day on which the file is applied.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from governance.economics.imports.kinds import (
    MEGABYTE,
    GivenFile,
    ImportKind,
    Preview,
    Rejection,
    Total,
)
from governance.economics.imports.models import FileImport
from governance.economics.prices import actions, litellm_table, permissions, queries
from governance.economics.prices.actions import PriceTerms, is_same_price
from governance.economics.prices.litellm_table import TablePrice
from governance.economics.prices.models import Price
from governance.foundation.tenants.queries import operator_time_zone
from governance.kernel import clock
from governance.kernel.data.db import lock_tenant, transaction
from governance.kernel.errors import Invalid
from governance.kernel.formatting import long_day, plural

CURRENCY = "USD"
_DAY = re.compile(r"(?<!\d)(20\d\d-\d\d-\d\d)(?!\d)")


@dataclass(frozen=True, slots=True)
class PriceComparison:
    """The comparison of a table with the book from a day on."""

    day: date
    new: Sequence[PriceTerms]
    changed: Sequence[PriceTerms]
    unchanged: int
    taken: Sequence[PriceTerms]  # a different price begins on the same day

    @property
    def added(self) -> list[PriceTerms]:
        return [*self.new, *self.changed]


def read_file(given: GivenFile) -> Preview:
    """Compare a table with the book. Raises Invalid if it can't be read as a table."""
    table = litellm_table.read(given.path.read_bytes())
    with transaction(read_only=True):
        found = compare(list(table.prices.values()), effective_day(given.name))
    rejected = [_rejection(each, found.day) for each in found.taken]
    reasons = Counter(table.skipped.values())
    return Preview(
        rows_read=len(table.prices) + len(table.skipped),
        rows_accepted=len(found.added),
        rows_rejected=len(rejected),
        rejected=rejected,
        totals=[Total(f"{found.day:%Y-%m}", "", len(found.added))],
        notes=[
            ("Effective from", long_day(found.day)),
            ("New", plural(len(found.new), "model")),
            ("Changed", plural(len(found.changed), "model")),
            ("Unchanged", plural(found.unchanged, "model")),
            *((f"Skipped: {reason}", plural(n, "model")) for reason, n in reasons.most_common()),
            ("Not used", "Prices of long prompts, batches and priority are kept with each model."),
        ],
    )


def _rejection(terms: PriceTerms, day: date) -> Rejection:
    return Rejection(
        0,
        f"{terms.provider}/{terms.model}",
        f"Another price begins on {long_day(day)}. Name the file by a later day.",
    )


def apply_file(file_import: FileImport, given: GivenFile) -> None:
    """Add new and changed prices. Raises Invalid if the book now has conflicting prices."""
    lock_tenant("prices")
    table = litellm_table.read(given.path.read_bytes())
    found = compare(list(table.prices.values()), effective_day(given.name))
    if found.taken:
        raise Invalid(_rejection(found.taken[0], found.day).reason)
    actions.add_imported(found.added, file_import, found.day)


def effective_day(name: str) -> date:
    """Return the date in a file's name, or today in the operator's time zone.

    Raises Invalid for a date that doesn't exist.
    """
    named = _DAY.search(name)
    if named is None:
        return clock.now().astimezone(ZoneInfo(operator_time_zone())).date()
    try:
        return date.fromisoformat(named[1])
    except ValueError:
        raise Invalid(f"The file's name has the date {named[1]}, which doesn't exist.") from None


def compare(prices: Sequence[TablePrice], day: date) -> PriceComparison:
    """Compare the prices of a table with the general ones in force on a day."""
    in_force: dict[str, Price] = {}
    every = [_terms(each, day) for each in prices]
    for row in queries.prices_of({each.match_key for each in every}):
        if row.customer_id is None and row.effective_from <= day:
            in_force[row.match_key] = row
    new: list[PriceTerms] = []
    changed: list[PriceTerms] = []
    taken: list[PriceTerms] = []
    unchanged = 0
    for terms in every:
        present = in_force.get(terms.match_key)
        if present is None:
            new.append(terms)
        elif is_same_price(present, terms) and _has_same_end(present, terms):
            unchanged += 1
        elif present.effective_from == day:
            taken.append(terms)
        else:
            changed.append(terms)
    return PriceComparison(day, new, changed, unchanged, taken)


def _has_same_end(row: Price, terms: PriceTerms) -> bool:
    return (row.deprecation_date, row.successor_model) == (
        terms.deprecation_date,
        terms.successor_model,
    )


def _terms(price: TablePrice, day: date) -> PriceTerms:
    return PriceTerms(
        provider=price.provider,
        model=price.model,
        per_million=price.per_million,
        currency=CURRENCY,
        effective_from=day,
        source=price.source,
        deprecation_date=price.deprecation_date,
        successor_model=price.successor_model,
        unused_prices=dict(price.unused),
    )


LITELLM = ImportKind(
    name="litellm_prices",
    label="LiteLLM price table",
    description=(
        "model_prices_and_context_window.json of LiteLLM. A date in its name, such as"
        " prices-2026-11-01.json, is the day from which its prices apply; without one, today."
    ),
    permission=permissions.EDIT,
    read_file=read_file,
    apply_file=apply_file,
    formats=("json",),
    max_bytes=20 * MEGABYTE,
    applied_page="operator_prices.index",
)
