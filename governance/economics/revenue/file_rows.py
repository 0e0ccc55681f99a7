"""Rows of a file beside what is stored: what is new, what changes, what can't be. Pure.

A row is told from others by its key. The same key with the same content changes nothing; with other
content it replaces what is stored. Two rows of one file with the same key and other content
contradict each other, and the second is rejected.

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
type Wrong = tuple[str, str]  # the field, and why


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTable:
    """How rows of one kind are compared.

    `values` makes a row's columns of the database from its cells. `wrong` says what can't be about
    them, and `months` whose figures change when the second values replace the first (None: nothing
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
    """What a file would do to the stored rows."""

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
        if key in self._lines:  # the same again
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
        """Take rows with these keys out again: what is wrong shows only beside other rows."""
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
        """What is stored when the file is applied."""
        return [*self.new.values(), *self.changed.values()]

    def checked(self, totals: Sequence[Total], notes: Sequence[tuple[str, str]] = ()) -> Checked:
        """The answer to the importing machinery."""
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
    """Compare the rows of a file with the stored ones, by key. `closed` are closed months."""
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
    """The months whose MRR may change: from the first day that differs to the last that did or
    will.
    """
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
    """The same for rows of one month, which a correction may move to another."""
    months = [Month.parse(each["month"]) for each in (before, after) if each is not None]
    return min(months), max(months)
