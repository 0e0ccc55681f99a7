"""The list of objectives: declaration, rows, their states, and export columns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from functools import cached_property
from typing import Any

from markupsafe import Markup

from governance.kernel.files.spreadsheet_writer import Cell
from governance.kernel.formatting import plural
from governance.kernel.pages.list_pages import (
    Column,
    Export,
    Filter,
    ListPage,
    ListRequest,
    arrange,
    keep,
)
from governance.operations.measurements.models import Indicator
from governance.operations.objectives import charts, figures
from governance.operations.objectives.models import Objective
from governance.operations.objectives.ports import AlertState, Use
from governance.operations.objectives.reading import Plan, Reading
from governance.operations.systems import queries as systems

STATES = {
    "firing": "Firing",
    "acknowledged": "Acknowledged",
    "overspent": "Overspent",
    "runs_out": "Runs out",
    "within": "Within budget",
    "filling": "Window not full yet",
    "quiet": "Not enough traffic",
    "unknown": "Unknown",
    "retired": "Retired",
}
OBJECTIVES = ListPage(
    name="objectives",
    title="Objectives",
    noun="objective",
    endpoint="objectives.index",
    search="Search objectives",
    sort="left",
    columns=(
        Column(
            "name",
            "Objective",
            sort=True,
            file=(
                "Slug",
                "Objective",
                "Indicator",
            ),
        ),
        Column(
            "target",
            "Target",
            sort=True,
            optional=True,
            file=(
                "Target",
                "Window",
            ),
        ),
        Column(
            "left",
            "Budget left",
            sort=True,
            file=(
                "Budget",
                "Budget left",
                "Budget left, share",
            ),
        ),
        Column("burn", "Burn, 7 days", optional=True),
        Column("pace", "24 h", sort=True, optional=True, numeric=True, file=("Burn, 24 h",)),
        Column("coverage", "Coverage", sort=True, optional=True, numeric=True),
        Column("uses", "Used by", optional=True),
        Column("state", "State"),
    ),
    filters=(
        Filter("state", "State", tuple(STATES.items())),
        Filter("system", "AI system", systems.choices, unknown="ignored"),
        Filter("subject", "Measures", (("ai", "AI quality"), ("service", "Service"))),
    ),
    exports=tuple(Export(form, "objectives.export", {"form": form}) for form in ("csv", "xlsx")),
)
HEAD = (
    "Slug",
    "Objective",
    "Indicator",
    "Target",
    "Window",
    "Measured",
    "Lost",
    "Budget",
    "Budget left",
    "Budget left, share",
    "Attained",
    "Attained without exclusions",
    "Coverage",
    "Burn, 24 h",
    "State",
    "Used by",
)


@dataclass
class ObjectiveRow:
    """One objective of the list. Charts are drawn for shown rows."""

    plan: Plan
    reading: Reading
    alert: AlertState | None = None
    uses: Sequence[Use] = ()
    last: datetime | None = None  # Newest minute of an objective that is unknown
    bar: Markup = field(default=Markup())
    spark: Markup = field(default=Markup())

    @property
    def objective(self) -> Objective:
        return self.reading.objective

    @property
    def indicator(self) -> Indicator:
        return self.reading.indicator

    @cached_property
    def state(self) -> str:
        """The most important state: one of STATES."""
        if self.objective.is_retired:
            return "retired"
        return self.alert.state if self.alert else self.reading.state

    @property
    def shown_state(self) -> tuple[str, str]:
        """(kind, word) as c.state takes them. Unknown has no alarm color."""
        kinds = {
            "firing": "bad",
            "acknowledged": "due",
            "overspent": "bad",
            "runs_out": "due",
            "within": "ok",
            "filling": "info",
        }
        word = STATES[self.state]
        if self.state == "runs_out" and self.reading.gone_at:
            word = f"Runs out {figures.day(self.reading.gone_at)}"
        return kinds.get(self.state, "none"), word

    @property
    def detail(self) -> str:
        """The small line below the state."""
        if self.alert and self.alert.detail:
            return self.alert.detail
        return self.reason

    @property
    def reason(self) -> str:
        """The reason for the state of the budget, with or without an open alert."""
        reading = self.reading
        match reading.state:
            case "unknown":
                return self._unknown
            case "overspent":
                over = f"{figures.amount(-reading.budget.left)} {figures.unit_of(self.indicator)}"
                return f"{over} over budget"
            case "quiet":
                return f"{reading.last_day.total:,} a day; judged over {self.window_name}"
            case "filling":
                return f"Within budget; full on {figures.day(self.full_at)}"
        if reading.gone_at is not None:
            return f"Budget gone on {figures.day(reading.gone_at)} at this pace"
        return ""

    @property
    def _unknown(self) -> str:
        """The reason why it is not determinable."""
        reading, score = self.reading, self.reading.score
        minimum = f"minimum {figures.percent(self.objective.minimum_coverage_share, 0)}"
        if reading.first is None:
            return "No data yet"
        if self.last is not None and not reading.last_day.minutes:
            return f"No data since {figures.day(self.last)}; {minimum}"
        if score.coverage is not None and score.measured:
            return f"Coverage {figures.percent(score.coverage)}; {minimum}"
        return "Nothing measured in the window"

    @property
    def full_at(self) -> datetime:
        """The time when a window that is not full yet will be."""
        window = self.reading.window
        if self.objective.window == "calendar" or self.reading.first is None:
            return window.whole.end
        return self.reading.first + (window.whole.end - window.whole.start)

    @property
    def window_name(self) -> str:
        return window_name(self.objective)

    @property
    def left_word(self) -> str:
        return figures.percent(self.reading.left_share, 0)

    @property
    def amounts(self) -> str:
        """The amounts of the budget: "48 of 207 min"."""
        if not self.reading.is_determinable:
            return "not determinable"
        left, allowed = self.reading.budget.left, self.reading.budget.allowed
        places = 1 if abs(allowed) < 10 else 0  # noqa: PLR2004 - small budgets need a digit
        unit = figures.unit_of(self.indicator)
        return f"{figures.amount(left, places)} of {figures.amount(allowed, places)} {unit}"

    @property
    def pace_word(self) -> str:
        """The burn rate of 24 hours, "too few" or "no data"."""
        if self.reading.burn is None:
            return "no data"
        return figures.burn(self.reading.burn) if self.reading.has_traffic else "too few"

    @property
    def is_burning(self) -> bool:
        return self.alert is not None and self.alert.state == "firing"

    @property
    def is_low(self) -> bool:
        coverage = self.reading.score.coverage
        return coverage is not None and coverage < self.objective.minimum_coverage_share

    @property
    def tone(self) -> str:
        """Ink of bar and line."""
        inks = {"bad": "bad", "due": "warn"}
        ink = inks.get(self.shown_state[0], "f1")
        if self.alert and self.reading.left_share is not None:
            ink = "bad" if self.reading.left_share < Fraction(1, 10) else "warn"
        return ink

    def draw(self, burns: Sequence[float | None]) -> None:
        """Draw the bar and the seven days; `burns` are from trends.py."""
        name = self.objective.name
        self.bar = charts.budget_bar(
            self.reading.left_share, self.tone, f"{name}: error budget left"
        )
        line = "bad" if self.is_burning else self.tone
        self.spark = charts.burn_spark(burns, line, f"{name}: burn rate over 7 days")


def window_name(objective: Objective) -> str:
    """Return "30 days" or "calendar month"."""
    return (
        "calendar month" if objective.window == "calendar" else plural(objective.window_days, "day")
    )


def matching(rows: Sequence[ObjectiveRow], asked: ListRequest) -> list[ObjectiveRow]:
    """Return the rows that match the filters, in the requested order."""
    tests: Mapping[str, Callable[[ObjectiveRow, str], bool]] = {
        "state": lambda row, value: row.state == value,
        "system": lambda row, value: str(row.indicator.system_id) == value,
        "subject": lambda row, value: value == ("ai" if row.objective.is_ai else "service"),
    }
    found = keep(rows, asked, tests, _text)
    keys: Mapping[str, Callable[[ObjectiveRow], Any]] = {
        "name": lambda row: row.objective.name.casefold(),
        "target": lambda row: row.objective.target,
        "left": lambda row: _number(row.reading.left_share),
        "pace": lambda row: _number(row.reading.burn),
        "coverage": lambda row: _number(row.reading.score.coverage),
    }
    known = [row for row in found if keys[asked.column](row) is not None]
    known = arrange(sorted(known, key=keys["name"]), asked, keys)
    return known + [row for row in found if keys[asked.column](row) is None]


def _number(share: Fraction | None) -> float | None:
    """Return the sort key of rows as a float, since comparing fractions costs ten times as much."""
    return None if share is None else float(share)


def _text(row: ObjectiveRow) -> str:
    objective, indicator = row.objective, row.indicator
    return f"{objective.name} {objective.key} {objective.kind_note} {indicator.name}"


def cells(row: ObjectiveRow) -> tuple[Cell, ...]:
    """Return the row of an export, with shares and amounts as on the page."""
    reading, objective = row.reading, row.objective
    is_known = reading.is_determinable
    score = reading.score
    return (
        objective.key,
        objective.name,
        row.indicator.key,
        figures.exact_percent(objective.target),
        window_name(objective),
        score.measured,
        score.lost,
        float(reading.budget.allowed) if is_known else None,
        float(reading.budget.left) if is_known else None,
        figures.percent(reading.left_share) if is_known else "not determinable",
        figures.percent(score.attained, 3) if is_known else "not determinable",
        figures.percent(score.attained_without_exclusions, 3) if is_known else None,
        figures.percent(score.coverage) if score.coverage is not None else None,
        row.pace_word,
        row.shown_state[1],
        ", ".join(use.short for use in row.uses),
    )
