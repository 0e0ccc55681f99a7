"""The findings of a Type II evidence matrix, the worst first. Pure."""

from collections.abc import Iterator
from functools import cached_property

from governance.publishing.reports.report_points import MAX_KEY_FINDINGS, ReportPoint, worst_first
from governance.publishing.reports.type2.figures import MatrixFigures
from governance.publishing.reports.wording import (
    capital,
    clip,
    day,
    digits,
    first_of,
    has,
    is_,
    many,
    person,
    sentence,
)

MAX_NAMED = 3


class MatrixKeyFindings(MatrixFigures):
    """The points of the executive summary, and the decisions that they need."""

    @property
    def key_findings(self) -> list[ReportPoint]:
        return self.points[:MAX_KEY_FINDINGS]

    @cached_property
    def points(self) -> list[ReportPoint]:
        """Every point, the worst first. There is always at least one."""
        return worst_first(self._points())

    def _points(self) -> Iterator[ReportPoint]:
        yield from self._altered_population()
        yield from self._late_finding()
        yield from self._open_exception()
        yield from self._missing_occurrences()
        yield from self._unfinished_samples()
        yield from self._untested_controls()
        yield ReportPoint(
            9,
            (
                "Nothing else needs a decision"
                if self.exceptions or self.lacks
                else "No gaps and no exceptions are known"
            ),
            "The matrix shows every occurrence due so far. The attached matrix.csv explains each"
            " cell.",
            "Keep the remaining cycles on schedule.",
            "Owner: the owner of each control.",
            "matrix",
        )

    def _altered_population(self) -> Iterator[ReportPoint]:
        for each in self.altered[:1]:
            yield ReportPoint(
                0,
                f"The rows of population {each['number']} have changed since it was frozen",
                f"{sentence(clip(each['title'], 80))} Its rows no longer match the frozen digest"
                f" {each['sha256'][:8]}, so samples drawn from it prove nothing.",
                "Find out who changed the stored rows, then freeze the population again.",
                f"Control: {each['control']}.",
                "populations",
            )

    def _late_finding(self) -> Iterator[ReportPoint]:
        for finding in self.late[:1]:
            yield ReportPoint(
                1,
                f"Finding {finding['ref']} is past its due date",
                f"{sentence(clip(finding['title'], 90))} The fix was due on"
                f" {day(finding['due_on'])}, and no retest has passed.",
                "Fix it and retest.",
                person(finding["owner"]),
                "findings",
            )

    def _open_exception(self) -> Iterator[ReportPoint]:
        late = {each["ref"] for each in self.late}
        others = [e for e in self.open if not e["finding"] or e["finding"]["ref"] not in late]
        for each in others[:1]:
            answered = "" if each["response"] else " Management has not responded."
            finding = each["finding"]
            yield ReportPoint(
                1,
                f"{each['control']} failed for {clip(each['item'], 36)}",
                f"{each['ref']}: {sentence(clip(each['says'], 110))}{answered}",
                (
                    "Fix the cause, then retest."
                    if each["response"]
                    else "Respond to the exception and fix the cause."
                ),
                (
                    f"Finding {finding['ref']} is due on {day(finding['due_on'])}."
                    if finding
                    else "No finding has been raised."
                ),
                "exceptions",
            )

    def _missing_occurrences(self) -> Iterator[ReportPoint]:
        for each in self.lacking[:1]:
            others = len(self.lacking) - 1
            too = (
                f" {capital(many(others, 'other control'))} also {has(others)} missing occurrences."
                if others
                else ""
            )
            yield ReportPoint(
                2,
                f"{each['ref']} has no evidence for {first_of(each['lacks'], MAX_NAMED)}",
                f"{sentence(clip(each['title'], 70))} {digits(each['on_file'])} of"
                f" {digits(each['due'])} expected occurrences are on file. A missed cycle remains"
                f" an exception even if it is fixed later.{too}",
                "Explain the gap and keep the next cycle.",
                f"{capital(many(self.lacks, 'occurrence'))} {is_(self.lacks)} missing in total.",
                "gaps",
            )

    def _unfinished_samples(self) -> Iterator[ReportPoint]:
        part = [each for each in self.samples if each["tested"] < each["size"]]
        if part:
            left = sum(each["size"] - each["tested"] for each in part)
            named = [f"{each['number']} of {each['control']}" for each in part]
            yield ReportPoint(
                3,
                f"{capital(many(left, 'sampled item'))} {is_(left)} not tested yet",
                f"Unfinished: {first_of(named, MAX_NAMED)}. Until every item has a result, a sample"
                " says nothing about its population.",
                "Test the remaining items.",
                f"{digits(self.tested)} of {digits(self.items)} items are tested.",
                "samples",
            )

    def _untested_controls(self) -> Iterator[ReportPoint]:
        if self.untested:
            count = len(self.untested)
            items = sum(each["to_test"] for each in self.untested)
            refs = [each["ref"] for each in self.untested]
            yield ReportPoint(
                4,
                f"{capital(many(count, 'control'))} {has(count)} no test in the period",
                f"Not tested: {first_of(refs, MAX_NAMED)}. Evidence on file shows that a control"
                " ran, not that it worked.",
                "Freeze a population, draw a sample, and test it.",
                f"The sampling rule calls for {many(items, 'item')}.",
                "matrix",
            )

    @property
    def request(self) -> str:
        """The decisions that management has to make."""
        parts = []
        unanswered = [each["ref"] for each in self.open if not each["response"]]
        if unanswered:
            parts.append(
                f"Respond to {many(len(unanswered), 'exception')}:"
                f" {first_of(unanswered, MAX_NAMED)}."
            )
        if self.late:
            late = [finding["ref"] for finding in self.late]
            parts.append(
                f"Decide on {many(len(late), 'overdue finding')}: {first_of(late, MAX_NAMED)}."
            )
        if left := self.items - self.tested:
            parts.append(f"Have the testers finish {many(left, 'sampled item')}.")
        if self.lacks:
            parts.append(
                f"Expect {many(self.lacks, 'missed occurrence')} to appear in the auditor's report."
            )
        return " ".join(parts) or "This report needs no decision."
