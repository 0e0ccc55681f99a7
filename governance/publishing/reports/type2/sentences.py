"""What a Type II evidence matrix says: figures, titles, ledes and matters, made from the snapshot
and nothing else. Pure.

Matrix(snapshot)     each property is a number, a title, a paragraph or the rows of a table
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from governance.publishing.reports.readiness.sentences import ReadinessPoint, has, is_
from governance.publishing.reports.sentences import (
    SHORT_NAME,
    TWO_LINES,
    capital,
    clip,
    day,
    listed,
    many,
    out_of,
    sentence,
    words,
)

METHOD_TITLE = "How this was tested, and what it does not say"
CONTROL_TITLE = "Version, distribution and verification"
KINDS = ("tested", "performed", "exception", "missed", "due", "none")
MATTERS, NAMED = 3, 3
OPEN = ("open", "answered", "in repair", "fixed")
type Json = Mapping[str, Any]


class Matrix:
    """What the report says about a snapshot."""

    def __init__(self, snapshot: Json) -> None:
        self.snapshot = snapshot
        self.controls: list[Json] = list(snapshot["controls"])
        self.populations: list[Json] = list(snapshot["populations"])
        self.samples: list[Json] = list(snapshot["samples"])
        self.exceptions: list[Json] = list(snapshot["exceptions"])

    # ---- the numbers

    @property
    def who(self) -> str:
        name = self.snapshot["tenant"]["name"]
        return name if len(name) <= SHORT_NAME else "The organisation"

    @property
    def scope(self) -> str:
        """Of the cover."""
        return self.snapshot["framework"] or "Whole organisation"

    @property
    def span(self) -> str:
        return f"{day(self.snapshot['period']['from'])} to {day(self.snapshot['period']['to'])}"

    @cached_property
    def months(self) -> list[str]:
        """The first day of each month, as its columns are."""
        return [cell["month"] for cell in self.controls[0]["months"]] if self.controls else []

    @property
    def due(self) -> int:
        return sum(each["due"] for each in self.controls)

    @property
    def on_file(self) -> int:
        return sum(each["on_file"] for each in self.controls)

    @property
    def lacking(self) -> list[Json]:
        return [each for each in self.controls if each["lacks"]]

    @property
    def lacks(self) -> int:
        return sum(len(each["lacks"]) for each in self.controls)

    @property
    def items(self) -> int:
        return sum(each["size"] for each in self.samples)

    @property
    def tested(self) -> int:
        return sum(each["tested"] for each in self.samples)

    @property
    def failed(self) -> int:
        return sum(each["failed"] for each in self.samples)

    @property
    def open(self) -> list[Json]:
        return [each for each in self.exceptions if each["state"] in OPEN]

    @property
    def findings(self) -> list[tuple[Json, Json]]:
        """(exception, finding), the open ones first, by the day that they are due."""
        found = [(each, each["finding"]) for each in self.exceptions if each["finding"]]
        return sorted(
            found,
            key=lambda pair: (pair[1]["closed_at"] is not None, pair[1]["due_on"], pair[1]["ref"]),
        )

    @property
    def late(self) -> list[Json]:
        today = self.snapshot["as_of"][:10]
        return [
            finding
            for _, finding in self.findings
            if not finding["closed_at"] and finding["due_on"] < today
        ]

    @property
    def altered(self) -> list[Json]:
        return [each for each in self.populations if each["intact"] is False]

    @property
    def untested(self) -> list[Json]:
        return [each for each in self.controls if each["to_test"] and not each["tested"]]

    @cached_property
    def cells(self) -> Counter[str]:
        return Counter(cell["kind"] for each in self.controls for cell in each["months"])

    def cells_of(self, month: int) -> Counter[str]:
        return Counter(each["months"][month]["kind"] for each in self.controls)

    def population(self, number: str) -> Json:
        return next(each for each in self.populations if each["number"] == number)

    def title(self, ref: str) -> str:
        return str(next((each["title"] for each in self.controls if each["ref"] == ref), ""))

    def odd(self, sample: Json) -> list[Json]:
        """Items that a reader has to see one by one: failed, not tested, or with a note."""
        return [each for each in sample["items"] if each["outcome"] != "passed" or each["note"]]

    def passed(self, sample: Json) -> list[str]:
        return [
            clip(each["item"], 40)
            for each in sample["items"]
            if each["outcome"] == "passed" and not each["note"]
        ]

    # ---- the summary

    @property
    def summary_title(self) -> str:
        if not self.controls:
            return "No control is in scope, so nothing could be tested"
        start = (
            f"{figure(self.on_file)} of {figure(self.due)} expected occurrences {is_(self.on_file)}"
            " on file"
            if self.due
            else "No occurrence was expected by the calendar"
        )
        end = (
            f"{many(len(self.open), 'exception')} {is_(len(self.open))} open"
            if self.exceptions
            else "no test found an exception"
            if self.tested
            else "nothing was tested from a sample"
        )
        title = f"{start}; {end}"
        return title if len(title) <= TWO_LINES else start

    @property
    def kpis(self) -> list[tuple[str, str, str, str]]:
        """Label, figure, its unit, its comparison."""
        sampled = len({each["control"] for each in self.samples})
        return [
            (
                "Occurrences on file",
                figure(self.on_file),
                f"of {figure(self.due)}",
                (
                    f"{capital(many(len(self.lacking), 'control'))}"
                    f" {'lacks' if len(self.lacking) == 1 else 'lack'} something"
                ),
            ),
            (
                "Items tested",
                figure(self.tested),
                f"of {figure(self.items)}",
                f"{capital(many(len(self.samples), 'sample'))} over {many(sampled, 'control')}",
            ),
            (
                "Items that failed",
                str(self.failed),
                "",
                f"{capital(many(len(self.exceptions), 'exception'))}, {len(self.open)} still open",
            ),
            (
                "Findings open",
                str(sum(not f["closed_at"] for _, f in self.findings)),
                f"of {len(self.findings)}",
                f"{len(self.late)} past the due date" if self.late else "None past its due date",
            ),
        ]

    @property
    def lede(self) -> str:
        """At most four lines, about 350 characters."""
        if not self.controls:
            return "The organisation has no live control in scope of this report."
        count, verb = (
            many(len(self.controls), "control"),
            "was" if len(self.controls) == 1 else "were",
        )
        parts = [f"{capital(count)} {verb} expected to work from {self.span}."]
        if self.populations:
            rows = sum(each["row_count"] for each in self.populations)
            parts.append(
                f"{capital(many(len(self.populations), 'population'))} of {many(rows, 'row')}"
                f" {'was' if len(self.populations) == 1 else 'were'} frozen, and"
                f" {out_of(self.tested, self.items, 'drawn item')}"
                f" {'has' if self.tested == 1 else 'have'} been tested."
            )
        else:
            parts.append("No population was frozen, so nothing was tested from a sample.")
        if self.lacks:
            parts.append(
                f"{capital(many(self.lacks, 'occurrence'))} {is_(self.lacks)} missing for good."
            )
        return " ".join(parts)

    @property
    def matters(self) -> list[ReadinessPoint]:
        return self.points[:MATTERS]

    @cached_property
    def points(self) -> list[ReadinessPoint]:
        """Everything worth saying, the worst first; there is always something."""
        return sorted(self._points(), key=lambda each: each.weight)

    def _points(self) -> Iterator[ReadinessPoint]:
        for each in self.altered[:1]:
            yield ReadinessPoint(
                0,
                f"The rows of population {each['number']} are not those that were frozen",
                f"{sentence(clip(each['title'], 80))} It was frozen with the digest"
                f" {each['sha256'][:8]}, and its rows no longer give it. What was drawn from it"
                " proves nothing.",
                "Find out who changed the store, and freeze again.",
                f"{each['control']}.",
                "populations",
            )
        yield from self._exceptions()
        for each in self.lacking[:1]:
            yield ReadinessPoint(
                2,
                f"{each['ref']} lacks {_some(each['lacks'])}",
                f"{sentence(clip(each['title'], 70))} {each['on_file']} of {each['due']} expected"
                " occurrences are on file. A cycle that was missed stays an exception even if it"
                f" is repaired. {self._others(len(self.lacking) - 1, 'control')}".rstrip(),
                "Say why, and keep the next cycle.",
                f"{capital(many(self.lacks, 'occurrence'))} in all.",
                "gaps",
            )
        part = [each for each in self.samples if each["tested"] < each["size"]]
        if part:
            left = sum(each["size"] - each["tested"] for each in part)
            yield ReadinessPoint(
                3,
                f"{capital(many(left, 'drawn item'))} {is_(left)} not tested yet",
                f"{listed([f'{e["number"]} of {e["control"]}' for e in part[:NAMED]])}{f' and {len(part) - NAMED} more' if len(part) > NAMED else ''}:"
                " until every item has a result, the sample says nothing about its population.",
                "Test what was drawn.",
                f"{self.tested} of {self.items} done.",
                "samples",
            )
        if self.untested:
            count = len(self.untested)
            yield ReadinessPoint(
                4,
                f"{capital(many(count, 'control'))} {has(count)} no test in the period",
                f"{_some([e['ref'] for e in self.untested])}. An occurrence on file shows that a"
                " control ran, not that it did what it is there for.",
                "Freeze a population, draw, and test.",
                f"{capital(many(sum(e['to_test'] for e in self.untested), 'item'))} by the rule.",
                "matrix",
            )
        yield ReadinessPoint(
            9,
            (
                "Nothing else needs a decision"
                if self.exceptions or self.lacks
                else "No gap and no exception is known"
            ),
            "Every occurrence that was due by now stands in the matrix, and every cell of it is"
            " explained in matrix.csv, which is attached.",
            "Keep the cycles that are still to come.",
            "The owners of the controls.",
            "matrix",
        )

    def _exceptions(self) -> Iterator[ReadinessPoint]:
        for finding in self.late[:1]:
            yield ReadinessPoint(
                1,
                f"Finding {finding['ref']} is past its date",
                f"{sentence(clip(finding['title'], 90))} It was to be fixed by"
                f" {day(finding['due_on'])}, and no retest has passed.",
                "Mend it and retest.",
                f"{clip(finding['owner'], 30)}.",
                "findings",
            )
        late = {each["ref"] for each in self.late}
        for each in [e for e in self.open if not e["finding"] or e["finding"]["ref"] not in late][
            :1
        ]:
            said = "" if each["response"] else " Management has not answered."
            after = (
                f"Finding {each['finding']['ref']}, due {day(each['finding']['due_on'])}."
                if each["finding"]
                else "No finding was raised yet."
            )
            yield ReadinessPoint(
                1,
                f"{each['control']} did not hold for {clip(each['item'], 36)}",
                f"{each['ref']}: {sentence(clip(each['says'], 110))}{said}",
                (
                    "Mend the cause, then retest."
                    if each["response"]
                    else "Answer, and fix the cause."
                ),
                after,
                "exceptions",
            )

    def _others(self, count: int, noun: str) -> str:
        return (
            f"{capital(many(count, f'other {noun}'))} {'lacks' if count == 1 else 'lack'} something"
            " too."
            if count
            else ""
        )

    @property
    def request(self) -> str:
        parts = []
        unanswered = [each for each in self.open if not each["response"]]
        if unanswered:
            parts.append(
                f"Answer {many(len(unanswered), 'exception')}:"
                f" {_some([e['ref'] for e in unanswered])}."
            )
        if self.late:
            parts.append(
                f"Decide on {many(len(self.late), 'late finding')}:"
                f" {_some([f['ref'] for f in self.late])}."
            )
        if self.items - self.tested:
            parts.append(f"Let the testers finish {many(self.items - self.tested, 'drawn item')}.")
        if self.lacks:
            parts.append(
                f"Take note that {many(self.lacks, 'missed occurrence')} will stand in the"
                " auditor's report."
            )
        return " ".join(parts) or "Take note: nothing is asked for."

    # ---- titles of the sections

    @property
    def matrix_title(self) -> str:
        if not self.controls:
            return "No control is in scope"
        good = self.cells["tested"] + self.cells["performed"]
        bad = self.cells["exception"] + self.cells["missed"]
        return (
            f"{capital(many(good, 'month'))} of control work {is_(good)} on file, and"
            f" {many(bad, 'month')} {'has' if bad == 1 else 'have'} an exception or a gap"
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
        return (
            f"{named[0]} has most exceptions and gaps: {words(worst)}"
            if len(named) == 1
            else f"No month has more than {many(worst, 'exception or gap', 'exceptions or gaps')}"
        )

    @property
    def gaps_title(self) -> str:
        count = len(self.lacking)
        return (
            f"{capital(many(self.lacks, 'occurrence'))} {is_(self.lacks)} missing, in"
            f" {many(count, 'control')}"
            if count
            else "No occurrence that was due is missing"
        )

    @property
    def populations_title(self) -> str:
        count, rows = len(self.populations), sum(each["row_count"] for each in self.populations)
        return (
            f"{capital(many(count, 'population'))} of {many(rows, 'row')}"
            f" {'was' if count == 1 else 'were'} frozen"
            if count
            else "No population was frozen in the period"
        )

    @property
    def samples_title(self) -> str:
        if not self.samples:
            return "No sample was drawn in the period"
        start = (
            f"{capital(out_of(self.tested, self.items, 'drawn item'))} {is_(self.tested)} tested"
        )
        return (
            f"{start}, and"
            f" {'all of them passed' if not self.failed else f'{words(self.failed)} failed'}"
            if self.tested
            else start
        )

    @property
    def exceptions_title(self) -> str:
        count, still = len(self.exceptions), len(self.open)
        return (
            f"{capital(many(count, 'exception'))} {'was' if count == 1 else 'were'} found, and"
            f" {words(still)} {is_(still)} open"
            if count
            else "No test found an exception"
        )

    @property
    def findings_title(self) -> str:
        count, closed = (
            len(self.findings),
            sum(f["closed_at"] is not None for _, f in self.findings),
        )
        return (
            f"{capital(out_of(closed, count, 'finding'))} {is_(closed)} closed by a passed retest"
            if count
            else "No finding was raised"
        )

    @property
    def contents(self) -> list[tuple[str, str, str]]:
        """Anchor, topic and conclusion of each section, numbered."""
        sections = [
            ("matrix", "Matrix", self.matrix_title),
            ("gaps", "Coverage gaps", self.gaps_title),
            ("populations", "Populations", self.populations_title),
            ("samples", "Samples", self.samples_title),
            ("exceptions", "Exceptions", self.exceptions_title),
            ("findings", "Findings", self.findings_title),
            ("method", "Method", METHOD_TITLE),
            ("control", "Document control", CONTROL_TITLE),
        ]
        return [
            ("summary", "Executive summary", self.summary_title),
            *((a, f"{n} {t}", title) for n, (a, t, title) in enumerate(sections, 1)),
        ]


def figure(count: int) -> str:
    """In digits, as "1,200"."""
    return f"{count:,}"


def _some(names: list[str]) -> str:
    return (
        f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"
        if len(names) > NAMED
        else listed(names)
    )
