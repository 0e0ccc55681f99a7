"""The findings of a SOC 2 readiness report, the worst first. Pure."""

from collections.abc import Iterator
from functools import cached_property

from governance.publishing.reports.ai_rmf.snapshot import Requirement, shortfall
from governance.publishing.reports.readiness.figures import ReadinessFigures, criteria
from governance.publishing.reports.report_points import MAX_KEY_FINDINGS, ReportPoint, worst_first
from governance.publishing.reports.wording import (
    capital,
    clip,
    day,
    first_of,
    has,
    is_,
    listed,
    many,
    out_of,
    person,
    sentence,
    words,
)

MAX_NAMED = 5


class ReadinessKeyFindings(ReadinessFigures):
    """The points of the executive summary, and the decisions that they need."""

    @property
    def key_findings(self) -> list[ReportPoint]:  # type: ignore[override]
        return self.points[:MAX_KEY_FINDINGS]

    @cached_property
    def points(self) -> list[ReportPoint]:
        """Every point, the worst first. There is always at least one."""
        return worst_first(self._points())

    def _points(self) -> Iterator[ReportPoint]:
        yield from self._late_finding()
        yield from self._failing_controls()
        yield from self._unanswered_criteria()
        yield from self._overdue_evidence()
        yield from self._gaps_without_owner()
        yield from self._next_action()
        yield ReportPoint(
            9,
            (
                "Nothing else needs a decision"
                if self.figures.whole.left or self.figures.findings
                else "Nothing needs a decision"
            ),
            "Criteria stay ready only while their evidence stays current. Each evidence item has a"
            " due date, and Meridian reminds its owner in time.",
            "Upload evidence before it is due.",
            "Owner: the owner of each evidence item.",
            "evidence",
        )

    def _late_finding(self) -> Iterator[ReportPoint]:
        today = self.snapshot["as_of"][:10]
        late = [
            each
            for each in self.snapshot["findings"]
            if each["retest_by"] and each["retest_by"] < today
        ]
        for each in sorted(late, key=lambda f: str(f["retest_by"]))[:1]:
            others = len(late) - 1
            too = (
                f" {capital(many(others, 'other finding'))} {is_(others)} also late."
                if others
                else ""
            )
            yield ReportPoint(
                0,
                f"Finding {each['ref']} is past its retest date",
                f"{sentence(clip(each['text'], 120))} It was opened on {day(each['opened_on'])};"
                f" the retest was due on {day(each['retest_by'])}.{too}",
                "Fix it and retest.",
                f"{person(each['owner'])} Affects {each['requirement']}.",
                "findings",
            )

    def _failing_controls(self) -> Iterator[ReportPoint]:
        for control, rows in self.failing[:2]:
            last = control["last_test"]
            has_failed = last is not None and last["passed"] < last["sample"]
            if has_failed:
                why = (
                    f"In its last test, on {day(last['at'])}, {last['sample'] - last['passed']} of"
                    f" {last['sample']} samples failed. {sentence(clip(last['note'], 100))}"
                ).rstrip()
            else:
                why = sentence(control["status_word"])
            yield ReportPoint(
                1,
                f"{control['ref']} {clip(control['title'], 40)} is failing",
                f"{why} It affects {criteria(len(rows))}: {_named(rows)}.",
                (
                    "Fix the cause, then test again."
                    if has_failed
                    else "Upload current evidence and have it accepted."
                ),
                person(control["owner"]),
                "criteria",
            )

    def _unanswered_criteria(self) -> Iterator[ReportPoint]:
        rows = [row for row in self.unanswered if row["target"]]
        if rows:
            points = sum(map(shortfall, rows))
            yield ReportPoint(
                2,
                f"{capital(criteria(len(rows)))} {has(len(rows))} no control",
                f"No active control is mapped to {_named(rows)}. An auditor will ask for one, or"
                " for the reason none is needed.",
                "Map existing controls and design the missing ones.",
                f"Closes up to {many(points, 'point')}.",
                "criteria",
            )

    def _overdue_evidence(self) -> Iterator[ReportPoint]:
        late, none = self.states["overdue"], self.states["missing"]
        if late or none:
            counts = listed(
                [
                    f"{words(count)} {is_(count)} {state}"
                    for count, state in ((late, "overdue"), (none, "missing"))
                    if count
                ]
            )
            named = [
                f"{each['ref']} {clip(each['title'], 40)}"
                for each in self.snapshot["evidence"]
                if each["state"] in {"overdue", "missing"}
            ]
            yield ReportPoint(
                3,
                f"{capital(many(late + none, 'evidence item'))} {is_(late + none)} overdue or"
                " missing",
                f"Of {many(self.figures.evidence_items, 'evidence item')}, {counts}:"
                f" {first_of(named, 2)}.",
                "Upload them and have them accepted.",
                "Owner: the owner of each evidence item.",
                "evidence",
            )

    def _gaps_without_owner(self) -> Iterator[ReportPoint]:
        if self.ownerless:
            count = len(self.ownerless)
            yield ReportPoint(
                4,
                f"{capital(many(count, 'gap'))} {has(count)} no owner",
                f"No one owns {_named(self.ownerless)}. A gap without an owner stays open.",
                "Name an owner for each gap.",
                f"Affects {criteria(count)}.",
                "gaps",
            )

    def _next_action(self) -> Iterator[ReportPoint]:
        for action in self.figures.top[:1]:
            refs = [ref for ref, _ in action.shares]
            yield ReportPoint(
                5,
                "One action closes"
                f" {out_of(action.points, self.figures.whole.left, 'missing point')}",
                f"{sentence(clip(action.text, 150))} It raises {first_of(refs, MAX_NAMED)}.",
                f"Complete it by {day(action.due)}." if action.due else "Set a due date.",
                person(action.owner),
                "gaps",
            )

    @property
    def request(self) -> str:
        """The decisions that management has to make."""
        whole, top = self.figures.whole, self.figures.top
        if not whole.left:
            return (
                "This report needs no decision. Every criterion in scope is at its target; keep the"
                " evidence current."
            )
        parts = []
        if top:
            first = "first " if len(self.figures.actions) > len(top) else ""
            parts.append(
                f"Approve the {first}{many(len(top), 'action')}, worth"
                f" {self.share_of_missing(self.figures.top_points)}."
            )
        if self.ownerless:
            parts.append(f"Name an owner for {many(len(self.ownerless), 'gap')}.")
        if undated := sum(not action.due for action in self.figures.actions):
            parts.append(f"Set a due date for {many(undated, 'action')}.")
        return " ".join(parts) or "Decide how and when to close the gaps."


def _named(rows: list[Requirement]) -> str:
    return first_of([row["ref"] for row in rows], MAX_NAMED)
