"""The sentences of a Type II evidence matrix: figures, titles and ledes. Pure.

They are made from the snapshot and nothing else.

Matrix(snapshot)     each property is a number, a title, a paragraph or the rows of a table
"""

from governance.publishing.reports.ai_rmf.sentences import numbered
from governance.publishing.reports.order.section import order_contents
from governance.publishing.reports.type2.findings import MatrixKeyFindings
from governance.publishing.reports.wording import (
    MAX_NAME_LENGTH,
    TWO_LINES,
    capital,
    day,
    digits,
    has,
    is_,
    many,
    out_of,
    was,
    words,
)

METHOD_TITLE = "How controls were tested, and what this report does not show"
CONTROL_TITLE = "Version, distribution and verification"


class Matrix(MatrixKeyFindings):
    """The sentences of the report about a snapshot."""

    @property
    def who(self) -> str:
        name = self.snapshot["tenant"]["name"]
        return name if len(name) <= MAX_NAME_LENGTH else "The organization"

    @property
    def scope(self) -> str:
        return self.snapshot["framework"] or "Whole organization"

    @property
    def span(self) -> str:
        return f"{day(self.snapshot['period']['from'])} to {day(self.snapshot['period']['to'])}"

    @property
    def summary_title(self) -> str:
        if not self.controls:
            return "No control is in scope, so there is nothing to test"
        if self.due:
            start = (
                f"{digits(self.on_file)} of {digits(self.due)} expected occurrences"
                f" {is_(self.on_file)} on file"
            )
        else:
            start = "The calendar expected no occurrence"
        if self.exceptions:
            end = f"{many(len(self.open), 'exception')} {is_(len(self.open))} open"
        else:
            end = "tests found no exceptions" if self.tested else "no sample was tested"
        title = f"{start}; {end}"
        return title if len(title) <= TWO_LINES else start

    @property
    def kpis(self) -> list[tuple[str, str, str, str]]:
        """The key figures: label, figure, its unit, its comparison."""
        sampled = len({each["control"] for each in self.samples})
        lacking = len(self.lacking)
        return [
            (
                "Occurrences on file",
                digits(self.on_file),
                f"of {digits(self.due)}",
                (
                    f"{capital(many(lacking, 'control'))} {has(lacking)} missing occurrences"
                    if lacking
                    else "None is missing"
                ),
            ),
            (
                "Items tested",
                digits(self.tested),
                f"of {digits(self.items)}",
                f"{capital(many(len(self.samples), 'sample'))} from {many(sampled, 'control')}",
            ),
            (
                "Failed items",
                digits(self.failed),
                "",
                f"{capital(many(len(self.exceptions), 'exception'))}, {len(self.open)} still open",
            ),
            (
                "Open findings",
                str(sum(not f["closed_at"] for _, f in self.findings)),
                f"of {len(self.findings)}",
                f"{len(self.late)} past due" if self.late else "None past due",
            ),
        ]

    @property
    def lede(self) -> str:
        """The lede of at most four lines, about 350 characters."""
        if not self.controls:
            return "No active control is in the scope of this report."
        controls, populations = len(self.controls), len(self.populations)
        count = capital(many(controls, "control"))
        parts = [f"{count} {was(controls)} expected to operate from {self.span}."]
        if populations:
            parts.append(
                f"{capital(many(populations, 'population'))} with"
                f" {many(self.population_rows, 'row')} {was(populations)} frozen, and"
                f" {out_of(self.tested, self.items, 'sampled item')} {has(self.tested)} been"
                " tested."
            )
        else:
            parts.append("No population was frozen, so no sample was tested.")
        if self.lacks:
            parts.append(
                f"{capital(many(self.lacks, 'occurrence'))} {is_(self.lacks)} permanently missing."
            )
        return " ".join(parts)

    @property
    def matrix_title(self) -> str:
        if not self.controls:
            return "No control is in scope"
        good = self.cells["tested"] + self.cells["performed"]
        bad = self.cells["exception"] + self.cells["missed"]
        return (
            f"{capital(many(good, 'control-month'))} {is_(good)} on file; {words(bad)}"
            f" {has(bad)} an exception or a gap"
        )

    @property
    def months_heading(self) -> str:
        counts = [
            self.cells_of(n)["exception"] + self.cells_of(n)["missed"]
            for n in range(len(self.months))
        ]
        worst = max(counts, default=0)
        if not worst:
            return "No month has an exception or a gap"
        named = [
            f"{day(month)[2:]}".strip()
            for month, count in zip(self.months, counts, strict=True)
            if count == worst
        ]
        if len(named) == 1:
            return f"{named[0]} has the most exceptions and gaps: {words(worst)}"
        return f"No month has more than {many(worst, 'exception or gap', 'exceptions or gaps')}"

    @property
    def gaps_title(self) -> str:
        count = len(self.lacking)
        if not count:
            return "No due occurrence is missing"
        return (
            f"{capital(many(self.lacks, 'occurrence'))} {is_(self.lacks)} missing, in"
            f" {many(count, 'control')}"
        )

    @property
    def populations_title(self) -> str:
        count = len(self.populations)
        if not count:
            return "No population was frozen in the period"
        return (
            f"{capital(many(count, 'population'))} with {many(self.population_rows, 'row')}"
            f" {was(count)} frozen"
        )

    @property
    def samples_title(self) -> str:
        if not self.samples:
            return "No sample was drawn in the period"
        start = f"{capital(out_of(self.tested, self.items, 'sampled item'))} {is_(self.tested)}"
        if not self.tested:
            return f"{start} tested"
        return (
            f"{start} tested, and {f'{words(self.failed)} failed' if self.failed else 'all passed'}"
        )

    @property
    def exceptions_title(self) -> str:
        count, still = len(self.exceptions), len(self.open)
        if not count:
            return "Tests found no exceptions"
        return (
            f"{capital(many(count, 'exception'))} {was(count)} found, and {words(still)}"
            f" {is_(still)} open"
        )

    @property
    def findings_title(self) -> str:
        count = len(self.findings)
        closed = sum(f["closed_at"] is not None for _, f in self.findings)
        if not count:
            return "No findings were raised"
        if count == closed == 1:
            return "The one finding was closed by a passed retest"
        return (
            f"{capital(out_of(closed, count, 'finding'))} {was(closed)} closed by a passed retest"
        )

    @property
    def contents(self) -> list[tuple[str, str, str]]:
        """The anchor, topic and conclusion of each section, numbered."""
        sections = [
            ("matrix", "Matrix", self.matrix_title),
            ("gaps", "Coverage gaps", self.gaps_title),
            ("populations", "Populations", self.populations_title),
            ("samples", "Samples", self.samples_title),
            ("exceptions", "Exceptions", self.exceptions_title),
            ("findings", "Findings", self.findings_title),
            *order_contents(self.snapshot),
            ("method", "Method", METHOD_TITLE),
            ("control", "Document control", CONTROL_TITLE),
        ]
        return numbered(self.summary_title, sections)
