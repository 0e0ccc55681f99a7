"""Every number of a Type II evidence matrix, counted from its snapshot. Pure."""

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from governance.publishing.reports.wording import clip

OPEN_STATES = ("open", "answered", "in repair", "fixed")
type Json = Mapping[str, Any]


class MatrixFigures:
    """The counts and lists of a snapshot."""

    def __init__(self, snapshot: Json) -> None:
        self.snapshot = snapshot
        self.controls: list[Json] = list(snapshot["controls"])
        self.populations: list[Json] = list(snapshot["populations"])
        self.samples: list[Json] = list(snapshot["samples"])
        self.exceptions: list[Json] = list(snapshot["exceptions"])

    @cached_property
    def months(self) -> list[str]:
        """The first day of each month, in the order of the columns."""
        return [cell["month"] for cell in self.controls[0]["months"]] if self.controls else []

    @property
    def due(self) -> int:
        return sum(each["due"] for each in self.controls)

    @property
    def on_file(self) -> int:
        return sum(each["on_file"] for each in self.controls)

    @property
    def lacking(self) -> list[Json]:
        """Controls with a missing occurrence."""
        return [each for each in self.controls if each["lacks"]]

    @property
    def lacks(self) -> int:
        """The number of missing occurrences."""
        return sum(len(each["lacks"]) for each in self.controls)

    @cached_property
    def cells(self) -> Counter[str]:
        return Counter(cell["kind"] for each in self.controls for cell in each["months"])

    def cells_of(self, month: int) -> Counter[str]:
        return Counter(each["months"][month]["kind"] for each in self.controls)

    def title(self, ref: str) -> str:
        """Return the title of a control."""
        return str(next((each["title"] for each in self.controls if each["ref"] == ref), ""))

    @property
    def untested(self) -> list[Json]:
        return [each for each in self.controls if each["to_test"] and not each["tested"]]

    def population(self, number: str) -> Json:
        return next(each for each in self.populations if each["number"] == number)

    @property
    def population_rows(self) -> int:
        return sum(each["row_count"] for each in self.populations)

    @property
    def altered(self) -> list[Json]:
        """Populations whose stored rows no longer match the frozen digest."""
        return [each for each in self.populations if each["intact"] is False]

    @property
    def items(self) -> int:
        return sum(each["size"] for each in self.samples)

    @property
    def tested(self) -> int:
        return sum(each["tested"] for each in self.samples)

    @property
    def failed(self) -> int:
        return sum(each["failed"] for each in self.samples)

    def notable_items(self, sample: Json) -> list[Json]:
        """Return items that a reader has to see one by one: failed, not tested, or with a note."""
        return [each for each in sample["items"] if each["outcome"] != "passed" or each["note"]]

    def passed_items(self, sample: Json) -> list[str]:
        return [
            clip(each["item"], 40)
            for each in sample["items"]
            if each["outcome"] == "passed" and not each["note"]
        ]

    @property
    def open(self) -> list[Json]:
        return [each for each in self.exceptions if each["state"] in OPEN_STATES]

    @property
    def findings(self) -> list[tuple[Json, Json]]:
        """Pairs of (exception, finding), the open ones first, by due date."""
        found = [(each, each["finding"]) for each in self.exceptions if each["finding"]]
        return sorted(
            found,
            key=lambda pair: (pair[1]["closed_at"] is not None, pair[1]["due_on"], pair[1]["ref"]),
        )

    @property
    def late(self) -> list[Json]:
        """Open findings past their due date."""
        today = self.snapshot["as_of"][:10]
        return [
            finding
            for _, finding in self.findings
            if not finding["closed_at"] and finding["due_on"] < today
        ]
