"""Push a batch from a machine, once per Idempotency-Key, with an answer for each row."""

from collections.abc import Callable
from typing import Any

from governance.foundation.api_keys import batch_actions
from governance.foundation.api_keys.batch_actions import BatchResult
from governance.foundation.api_keys.queries import acting_key_system
from governance.operations.measurements import actions, batches, queries
from governance.operations.measurements.batches import Batch, RejectedRow, Row
from governance.operations.measurements.models import Indicator
from governance.operations.measurements.storing import MAX_COUNT, MinuteColumns

USUAL_FIELDS = ("indicator", "at", "good", "total")


def push(body: bytes, media_type: str, *, idempotency_key: str | None) -> BatchResult:
    """Store the valid rows of a batch, and name the others.

    The same Idempotency-Key with the same body gives the same answer for 7 days. Raises
    BatchKeyReused, BatchInProgress, and the errors of batches.py.
    """
    return batch_actions.once(
        "indicators", body, idempotency_key, lambda: store(batches.parse(body, media_type))
    )


def store(batch: Batch) -> dict[str, Any]:
    """Store the valid rows. Return the counts and each rejected row."""
    names = {
        name
        for row in batch.rows
        if isinstance(row, dict)
        and isinstance(name := row.get("indicator"), str)
        and actions.SLUG.match(name)
    }
    known = queries.by_keys(names)
    reader = RowReader(known, is_backfill=batch.backfill_reason is not None)
    errors = [
        {"row": number, "field": rejected.field, "reason": rejected.reason}
        for number, row in enumerate(batch.rows, 1)
        if (rejected := reader.add(row)) is not None
    ]
    columns = reader.columns
    locked = {each.id: each for each in known.values()}
    written = actions.write(columns, locked, backfill_reason=batch.backfill_reason)
    actions.announce(written, is_backfill=batch.backfill_reason is not None)
    return {
        "accepted": written.accepted,
        "corrected": written.corrected + columns.replaced,
        "duplicate": written.unchanged + columns.repeated,
        "rejected": len(errors),
        "errors": errors,
    }


class RowReader:
    """Reader of one batch's rows into columns. It caches what it has read."""

    def __init__(self, known: dict[str, Indicator], *, is_backfill: bool) -> None:
        self.columns = MinuteColumns()
        self._known, self._is_backfill = known, is_backfill
        self._earliest, self._latest = actions.window(is_backfill=is_backfill)
        self._system_id = acting_key_system() if known else None
        self._places: dict[str, int | RejectedRow] = {}
        self._minutes: dict[str, int | RejectedRow] = {}

    def add(self, row: Any) -> RejectedRow | None:
        """Take a row, or return the reason why it is rejected."""
        try:
            if not self._add_usual(row):
                self._add(batches.read(row))
        except RejectedRow as rejected:
            return rejected
        return None

    def _add_usual(self, row: Any) -> bool:
        """Take a fully valid row with known names, on a fast path."""
        try:
            place, minute = self._places[row["indicator"]], self._minutes[row["at"]]
            good, total = row["good"], row["total"]
        except (KeyError, TypeError):
            return False
        if (
            len(row) != len(USUAL_FIELDS)
            or not (type(good) is type(total) is type(place) is type(minute) is int)
            or not 0 <= good <= total <= MAX_COUNT
        ):
            return False
        self.columns.add(place, minute, good, total)
        return True

    def _add(self, row: Row) -> None:
        """Take a row by parsing its parts. Raises RejectedRow."""
        place = _remembered(self._places, row.indicator, self._place)
        minute = _remembered(self._minutes, row.at, self._minute)
        good, total = row.good, row.total
        if good is None or total is None:
            good, total = self._counted(row)
        self.columns.add(place, minute, good, total)

    def _place(self, key: str) -> int:
        indicator = self._known.get(key)
        if indicator is None or self._system_id not in {None, indicator.system_id}:
            raise RejectedRow(
                "indicator", "This indicator doesn't exist, or the key has no access to it."
            )
        if indicator.is_retired:
            raise RejectedRow("indicator", f"{key} is retired and takes no more minutes.")
        if indicator.source != "push" and not self._is_backfill:
            raise RejectedRow(
                "indicator", f"{key} is read from {indicator.source_name}, so it can't be pushed."
            )
        return self.columns.place_of(indicator.id)

    def _minute(self, at: str) -> int:
        minute = batches.minute_of(at)
        if minute > self._latest:
            raise RejectedRow("at", "The minute is in the future.")
        if minute < self._earliest:
            raise RejectedRow(
                "at",
                "The minute is older than 400 days."
                if self._is_backfill
                else "The minute is older than 48 hours. Send it as a backfill with a reason.",
            )
        return minute

    def _counted(self, row: Row) -> tuple[int, int]:
        indicator = self._known[row.indicator]
        if indicator.bound is None:
            raise RejectedRow("buckets", f"{row.indicator} has no bound: send good and total.")
        return batches.from_buckets(
            row.buckets or {}, indicator.bound, is_floor=indicator.good_side == "more_than"
        )


def _remembered(known: dict[str, int | RejectedRow], text: str, read: Callable[[str], int]) -> int:
    """Return the parsed text, cached. Raises RejectedRow each time."""
    found = known.get(text)
    if found is None:
        try:
            found = read(text)
        except RejectedRow as rejected:
            found = rejected
        known[text] = found
    if isinstance(found, RejectedRow):
        raise found
    return found
