"""The sentences of a SOC 2 readiness report: figures, titles and ledes. Pure.

They are made from the snapshot and nothing else.

    Ready(snapshot)     each property is a number, a title, a paragraph or the rows of a table
"""

from governance.publishing.reports.ai_rmf.sentences import numbered
from governance.publishing.reports.ai_rmf.snapshot import of_function, shortfall
from governance.publishing.reports.order.section import order_contents
from governance.publishing.reports.readiness import service_levels
from governance.publishing.reports.readiness.figures import criteria, of_criteria
from governance.publishing.reports.readiness.findings import ReadinessKeyFindings
from governance.publishing.reports.readiness.snapshot import CATEGORIES
from governance.publishing.reports.wording import (
    NO_VALUE,
    TWO_LINES,
    capital,
    digits,
    has,
    is_,
    listed,
    many,
    many_digits,
    verb,
    words,
)

METHOD_TITLE = "How readiness is derived, and what this report does not show"
CONTROL_TITLE = "Version, distribution and verification"


class Ready(ReadinessKeyFindings):
    """The sentences of the report about a snapshot."""

    @property
    def scope(self) -> str:
        titles = [each["title"] for each in self.json["categories"]]
        if len(titles) == len(CATEGORIES):
            return "All five categories"
        return capital(listed([t if n == 0 else t.lower() for n, t in enumerate(titles)]))

    @property
    def _whole_in_digits(self) -> str:
        return many_digits(self.figures.whole.total, "criterion", "criteria")

    @property
    def summary_title(self) -> str:
        whole, top = self.figures.whole, self.figures.top
        proven = of_criteria(whole.proven, whole.total).replace("criteri", "SOC 2 criteri")
        start = f"{self.who} has proven {proven}"
        if not whole.with_target:
            return f"{start}; no target is set"
        if not whole.left:
            return f"{start}; every target is met"
        if self.figures.top_points == whole.left:
            rest = "the remaining gaps"
        else:
            rest = self.share_of_missing(self.figures.top_points)
        title = f"{start}; {many(len(top), 'action')} {verb(len(top), 'close')} {rest}"
        return title if top and len(title) <= TWO_LINES else start

    @property
    def kpis(self) -> list[tuple[str, str, str, str]]:
        """The key figures: label, figure, its unit, its comparison."""
        whole, numbers = self.figures.whole, self.figures
        stale = ", ".join(
            f"{digits(self.states[state])} {state}"
            for state in ("overdue", "missing", "due", "in review")
            if self.states[state]
        )
        if numbers.findings_late:
            findings = f"{numbers.findings_late} past the retest date"
        else:
            findings = "None past its retest date" if numbers.findings else "No failed test is open"
        return [
            (
                "Criteria proven",
                digits(whole.proven),
                f"of {digits(whole.total)}",
                f"{capital(criteria(len(self.unanswered)))} without a control",
            ),
            (
                "Coverage of the target",
                NO_VALUE if whole.coverage is None else str(whole.coverage),
                "" if whole.coverage is None else "%",
                f"{digits(whole.left)} of {digits(whole.points)} points missing",
            ),
            (
                "Fresh evidence",
                digits(self.states["fresh"]),
                f"of {digits(numbers.evidence_items)}",
                capital(stale) or ("Nothing is due" if numbers.evidence_items else "None recorded"),
            ),
            ("Open findings", str(numbers.findings), "", findings),
        ]

    @property
    def lede(self) -> str:
        """The lede of at most four lines, about 350 characters."""
        positions = self.by_category.items()
        full = [title for title, each in positions if each.with_target and not each.left]
        short = sorted(
            ((title, each) for title, each in positions if each.left),
            key=lambda pair: -pair[1].left,
        )
        parts = []
        if full:
            parts.append(f"{listed(full)} {is_(len(full))} ready.")
        if short:
            ready = [
                f"{title} is ready for {of_criteria(each.at_target, each.with_target)}"
                for title, each in short[:2]
            ]
            parts.append(f"{' and '.join(ready)}.")
        if count := len(self.failing):
            parts.append(f"{capital(many(count, 'control'))} {is_(count)} failing.")
        if count := len(self.unanswered):
            parts.append(f"{capital(criteria(count))} {has(count)} no control.")
        return " ".join(parts) or "Nothing is in scope."

    def in_one_line_of(self, title: str) -> str:
        """Return what keeps a category below its target."""
        series = next(each["series"] for each in self.json["categories"] if each["title"] == title)
        rows = [
            row for f in self.snapshot["functions"] if f["key"] in series for row in of_function(f)
        ]
        short = [row for row in rows if shortfall(row)]
        bare = [row for row in rows if not row["controls"]]
        if not short:
            return "All criteria at target" if rows else "Not in scope"
        if len(bare) == len(rows):
            return "No criterion has a control"
        without = f", {words(len(bare))} without a control" if bare else ""
        return f"{capital(criteria(len(short)))} below target{without}"

    @property
    def levels_title(self) -> str:
        whole = self.figures.whole
        if not whole.total:
            return "No criterion is in scope"
        return f"{capital(of_criteria(whole.proven, whole.total))} {is_(whole.proven)} proven"

    @property
    def levels_heading(self) -> str:
        worst = min(
            self.figures.by_function.items(),
            key=lambda pair: (-pair[1].left, pair[0]),
            default=None,
        )
        if worst is None or not worst[1].left:
            return "Every series is at its target"
        return f"{worst[0]} is furthest from its target: {many(worst[1].left, 'point')} missing"

    @property
    def criteria_title(self) -> str:
        answered = len(self.rows) - len(self.unanswered)
        if not self.rows:
            return "No criterion is in scope"
        return f"{capital(of_criteria(answered, len(self.rows)))} {has(answered)} a control"

    @property
    def gaps_note(self) -> str:
        return self._points_note("criterion", "The targets add up to")

    @property
    def contents(self) -> list[tuple[str, str, str]]:
        """The anchor, topic and conclusion of each section, numbered."""
        sections = [
            ("levels", "Levels", self.levels_title),
            ("criteria", "Criteria", self.criteria_title),
            ("gaps", "Ranked gaps", self.gaps_title),
            ("findings", "Open findings", self.findings_title),
            *self._service_levels,
            ("evidence", "Evidence index", self.evidence_title),
            *order_contents(self.snapshot),
            ("method", "Method", METHOD_TITLE),
            ("control", "Document control", CONTROL_TITLE),
        ]
        return numbered(self.summary_title, sections)

    @property
    def _service_levels(self) -> list[tuple[str, str, str]]:
        """Return the section on service levels.

        Empty without objectives and incidents in the snapshot.
        """
        found = self.json.get("service_levels")
        if found is None:
            return []
        topic = "Service levels and incidents"
        return [("service-levels", topic, service_levels.title(found))]
