"""Compare the rows of a file with the stored ones: new, changed, unchanged and invalid. Pure.

A row is identified by its key. The same key with the same content changes nothing; with other
content it replaces the stored row. If two rows of one file have the same key and different content,
the second is rejected.

A closed month keeps its figures, whatever is imported: the preview names the closed months that a
file would change, and their reviews show it once they are reopened.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from governance.economics.imports.kinds import Checked, Rejection, Row, Total
from governance.kernel.formatting import plural
from governance.kernel.months import Month

REOPEN = "Reopen the review of a closed month to include the change."

type Values = Mapping[str, Any]
type Key = tuple[Any, ...]
type Months = tuple[Month, Month | None]  # first and last; None: without an end
type Wrong = tuple[str, str]  # the field, and the reason


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTable:
    """The way rows of one kind are compared.

    `values` converts a row's cells to database columns. `wrong` returns the error in them. `months`
    returns the months whose figures change when the second values replace the first (None: nothing
    is stored yet).
    """

    noun: str
    key: tuple[str, ...]
    content: tuple[str, ...]
    values: Callable[[Values], dict[str, Any]]
    wrong: Callable[[Values], Wrong | None]
    months: Callable[[Values | None, Values], Months | None]

    def key_of(self, values: Values) -> Key:
        return tuple(values[name] for name in self.key)

    def content_of(self, values: Values) -> Key:
        return tuple(values[name] for name in self.content)


@dataclass(slots=True)
class FileComparison:
    """The effect of a file on the stored rows."""

    table: FileTable
    accepted: list[Row] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    new: dict[Key, Values] = field(default_factory=dict)
    changed: dict[Key, Values] = field(default_factory=dict)
    unchanged: int = 0
    late: set[Month] = field(default_factory=set)  # closed months that would change
    _lines: dict[Key, tuple[int, Key]] = field(default_factory=dict)

    def add(self, row: Row, stored: Mapping[Key, Values], closed: Collection[Month]) -> None:
        """Compare one row."""
        values = self.table.values(row.values)
        key, content = self.table.key_of(values), self.table.content_of(values)
        before = stored.get(key)
        wrong = self._wrong(values)
        if wrong is not None:
            self.rejected.append(Rejection(row.line, *wrong))
            return
        self.accepted.append(row)
        if key in self._lines:  # The row was in the file before.
            return
        self._lines[key] = (row.line, content)
        if before is None:
            self.new[key] = values
        elif self.table.content_of(before) != content:
            self.changed[key] = values
        else:
            self.unchanged += 1
            return
        self.late |= _closed_among(self.table.months(before, values), closed)

    def _wrong(self, values: Values) -> Wrong | None:
        if (wrong := self.table.wrong(values)) is not None:
            return wrong
        line, other = self._lines.get(self.table.key_of(values), (0, None))
        if other is None or other == self.table.content_of(values):
            return None
        return "", f"Line {line} says something else of it."

    def reject(self, keys: Collection[Key], field_name: str, reason: str) -> None:
        """Reject accepted rows with these keys, for an error that depends on other rows."""
        kept = []
        for row in self.accepted:
            if self.table.key_of(self.table.values(row.values)) in keys:
                self.rejected.append(Rejection(row.line, field_name, reason))
            else:
                kept.append(row)
        self.accepted = kept
        for key in keys:
            self.new.pop(key, None)
            self.changed.pop(key, None)

    @property
    def written(self) -> list[Values]:
        """The rows to store when the file is applied."""
        return [*self.new.values(), *self.changed.values()]

    def checked(self, totals: Sequence[Total], notes: Sequence[tuple[str, str]] = ()) -> Checked:
        """Return the result for the import's preview."""
        counts = (("New", len(self.new)), ("Changed", len(self.changed)))
        said = [(label, plural(count, self.table.noun)) for label, count in counts if count]
        if self.unchanged:
            said.append(("Unchanged", plural(self.unchanged, self.table.noun)))
        if self.late:
            names = ", ".join(each.long_name for each in sorted(self.late))
            said.append(("Closed months", f"{names}. {REOPEN}"))
        return Checked(
            self.accepted,
            sorted(self.rejected, key=lambda each: each.line),
            totals,
            [*said, *notes],
        )


def compare(
    table: FileTable, rows: Sequence[Row], stored: Mapping[Key, Values], closed: Collection[Month]
) -> FileComparison:
    """Compare the rows of a file with the stored ones, by key; `closed` has the closed months."""
    found = FileComparison(table)
    for row in rows:
        found.add(row, stored, closed)
    return found


def _closed_among(touched: Months | None, closed: Collection[Month]) -> set[Month]:
    if touched is None:
        return set()
    first, last = touched
    return {each for each in closed if first <= each and (last is None or each <= last)}


def months_of_subscription(before: Values | None, after: Values) -> Months:
    """Return the months whose MRR may change: from the first to the last differing day."""
    if before is None:
        return Month.of(after["starts_on"]), _last([after["ends_on"]])
    kept = ("customer_id", "amount", "currency")
    ends = [before["ends_on"], after["ends_on"]]
    if all(before[name] == after[name] for name in kept):
        return Month.of(min(each for each in ends if each)), _last(ends)
    return Month.of(after["starts_on"]), _last(ends)


def _last(ends: Sequence[date | None]) -> Month | None:
    days = [each for each in ends if each is not None]
    return Month.of(max(days)) if len(days) == len(ends) else None


def months_of_month(before: Values | None, after: Values) -> Months:
    """Return the range of months that a row of a single month affects, before and after."""
    months = [Month.parse(each["month"]) for each in (before, after) if each is not None]
    return min(months), max(months)
