"""What a SOC 2 readiness report says: figures, titles, ledes and matters, made from the snapshot
and nothing else. Pure.

    Ready(snapshot)     each property is a number, a title, a paragraph or the rows of a table

It counts as the AI RMF report does (publishing/reports/snapshot.py): a criterion is ready when it
is at its target level.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from governance.publishing.reports.readiness.snapshot import CATEGORIES
from governance.publishing.reports.sentences import (
    NOTHING,
    TWO_LINES,
    Sentences,
    capital,
    clip,
    day,
    listed,
    many,
    out_of,
    sentence,
    words,
)
from governance.publishing.reports.snapshot import (
    CoveragePosition,
    Requirement,
    of_function,
    requirements,
    shortfall,
    standing,
)

METHOD_TITLE = "How readiness is derived, and what it does not say"
CONTROL_TITLE = "Version, distribution and verification"
MATTERS, NAMED, HELD = 3, 5, 6  # HELD: controls named in a row; the rest is in criteria.csv
STATES = ("fresh", "due", "in review", "overdue", "missing")
type Json = Mapping[str, Any]


def is_(count: int) -> str:
    return "is" if count == 1 else "are"


def has(count: int) -> str:
    return "has" if count == 1 else "have"


def criteria(count: int) -> str:
    return many(count, "criterion", "criteria")


def of_criteria(part: int, whole: int) -> str:
    """As "two of seven criteria", "24 of 61 criteria"."""
    return out_of(part, whole, "criterion").replace("criterions", "criteria")


@dataclass(frozen=True, slots=True)
class ReadinessPoint:
    """One of the things that matter: a claim, why, and what follows.

    `weight` 0 is the worst; `place` is its section.
    """

    weight: int
    claim: str
    text: str
    act: str
    terms: str
    place: str


class Ready(Sentences):
    """What the report says about a snapshot."""

    @property
    def json(self) -> Json:
        return dict(self.snapshot)

    @cached_property
    def rows(self) -> list[Requirement]:
        return list(requirements(self.snapshot))

    @cached_property
    def by_category(self) -> dict[str, CoveragePosition]:
        """Where each chosen category stands, by its title."""
        under = {f["key"]: list(of_function(f)) for f in self.snapshot["functions"]}
        return {
            each["title"]: standing([row for top in each["series"] for row in under.get(top, ())])
            for each in self.json["categories"]
        }

    @cached_property
    def unanswered(self) -> list[Requirement]:
        return [row for row in self.rows if not row["controls"]]

    @cached_property
    def failing(self) -> list[tuple[Json, list[Requirement]]]:
        """Controls that fail, with the criteria below target that they answer for; what holds most
        first.
        """
        found: dict[str, tuple[Json, list[Requirement]]] = {}
        for row in self.rows:
            for control in row["controls"]:
                if control["status"] == "failing":
                    found.setdefault(control["ref"], (control, []))[1].append(row)
        return sorted(found.values(), key=lambda pair: (-len(pair[1]), pair[0]["ref"]))

    @cached_property
    def states(self) -> Counter[str]:
        """Each piece of evidence once."""
        return Counter(each["state"] for each in self.snapshot["evidence"])

    @cached_property
    def ownerless(self) -> list[Requirement]:
        return [row for row in self.rows if shortfall(row) and not row["owner"]]

    def pieces_of(self, row: Requirement) -> list[tuple[str, int]]:
        """How many pieces of a criterion's evidence are in which state, the best first."""
        seen = {
            piece["ref"]: piece["state"]
            for control in row["controls"]
            for piece in control["evidence"]
        }
        counted: Counter[str] = Counter(seen.values())
        return [(state, counted[state]) for state in STATES if counted[state]]

    # ---- the summary

    @property
    def scope(self) -> str:
        titles = [each["title"] for each in self.json["categories"]]
        return (
            "All five categories"
            if len(titles) == len(CATEGORIES)
            else capital(listed([t if n == 0 else t.lower() for n, t in enumerate(titles)]))
        )

    @property
    def position(self) -> str:
        """The two numbers of the cover, of criteria."""
        return (
            super().position.replace("requirement", "criterion").replace("criterions", "criteria")
        )

    @property
    def summary_title(self) -> str:
        whole, top = self.figures.whole, self.figures.top
        start = (
            f"{self.who} has proven"
            f" {of_criteria(whole.proven, whole.total).replace('criteria', 'SOC 2 criteria')}"
        )
        if not whole.with_target:
            return f"{start}; no target is set"
        if not whole.left:
            return f"{start}; every target is met"
        rest = (
            "the rest"
            if self.figures.top_points == whole.left
            else f"{words(self.figures.top_points)} of {many(whole.left, 'gap point')}"
        )
        title = (
            f"{start}; {many(len(top), 'action')} {'closes' if len(top) == 1 else 'close'} {rest}"
        )
        return title if top and len(title) <= TWO_LINES else start

    @property
    def kpis(self) -> list[tuple[str, str, str, str]]:
        """Label, figure, its unit, its comparison."""
        whole, n = self.figures.whole, self.figures
        wanting = ", ".join(
            f"{self.states[state]} {state}"
            for state in ("overdue", "missing", "due", "in review")
            if self.states[state]
        )
        late = n.findings_late
        return [
            (
                "Criteria proven",
                str(whole.proven),
                f"of {whole.total}",
                f"{capital(many(len(self.unanswered), 'criterion', 'criteria'))} without a control",
            ),
            (
                "Coverage of the target",
                NOTHING if whole.coverage is None else str(whole.coverage),
                "" if whole.coverage is None else "%",
                f"{whole.left} of {whole.points} points missing",
            ),
            (
                "Evidence fresh",
                str(self.states["fresh"]),
                f"of {n.pieces}",
                capital(wanting) or ("Nothing is due" if n.pieces else "None is recorded yet"),
            ),
            (
                "Findings open",
                str(n.findings),
                "",
                (
                    f"{late} past the retest date"
                    if late
                    else (
                        "None past its retest date"
                        if n.findings
                        else "Every retest passed, or nothing failed"
                    )
                ),
            ),
        ]

    @property
    def lede(self) -> str:
        """At most four lines, about 350 characters."""
        full = [
            title for title, each in self.by_category.items() if each.with_target and not each.left
        ]
        short = sorted(
            ((title, each) for title, each in self.by_category.items() if each.left),
            key=lambda pair: -pair[1].left,
        )
        parts = []
        if full:
            parts.append(f"{listed(full)} {'is' if len(full) == 1 else 'are'} ready.")
        if short:
            told = [
                f"{title} is ready on {of_criteria(each.at_target, each.with_target)}"
                for title, each in short[:2]
            ]
            parts.append(f"{' and '.join(told)}.")
        if self.failing:
            parts.append(
                f"{capital(many(len(self.failing), 'control'))}"
                f" {'fails' if len(self.failing) == 1 else 'fail'}."
            )
        if self.unanswered:
            parts.append(
                f"{capital(criteria(len(self.unanswered)))} {has(len(self.unanswered))} no control"
                " that answers."
            )
        return " ".join(parts) or "Nothing is in scope."

    @property
    def matters(self) -> list[ReadinessPoint]:  # type: ignore[override]
        return self.points[:MATTERS]

    @cached_property
    def points(self) -> list[ReadinessPoint]:
        """Everything worth saying, the worst first; there is always something."""
        return sorted(self._points(), key=lambda each: each.weight)

    def _points(self) -> Iterator[ReadinessPoint]:
        yield from self._late()
        yield from self._failing()
        yield from self._unanswered()
        yield from self._unproved()
        yield from self._unowned()
        yield from self._next_action()
        yield ReadinessPoint(
            9,
            (
                "Nothing else needs a decision"
                if self.figures.whole.left or self.figures.findings
                else "Nothing needs a decision"
            ),
            "What is ready stays ready only while its evidence is brought in time: each piece has a"
            " date, and the console asks its owner before it.",
            "Bring evidence in when it falls due.",
            "Its owners.",
            "evidence",
        )

    def _late(self) -> Iterator[ReadinessPoint]:
        today = self.snapshot["as_of"][:10]
        late = [
            each
            for each in self.snapshot["findings"]
            if each["retest_by"] and each["retest_by"] < today
        ]
        for each in sorted(late, key=lambda f: str(f["retest_by"]))[:1]:
            more = (
                f" {capital(many(len(late) - 1, 'other finding'))} {is_(len(late) - 1)} late too."
                if len(late) > 1
                else ""
            )
            yield ReadinessPoint(
                0,
                f"Finding {each['ref']} is past its retest date",
                f"{sentence(clip(each['text'], 120))} It was opened on {day(each['opened_on'])} and"
                f" was to be retested by {day(each['retest_by'])}.{more}",
                "Mend it and retest.",
                f"{clip(each['owner'], 30) if each['owner'] else 'Nobody owns it'}. Holds"
                f" {each['requirement']}.",
                "findings",
            )

    def _failing(self) -> Iterator[ReadinessPoint]:
        for control, rows in self.failing[:2]:
            last = control["last_test"]
            broke = last is not None and last["passed"] < last["sample"]
            said = (
                f"In its last test, on {day(last['at'])}, {last['sample'] - last['passed']} of"
                f" {last['sample']} failed."
                if broke
                else f"It is marked: {control['status_word'].lower()}."
            )
            note = f" {sentence(clip(last['note'], 100))}" if broke and last["note"] else ""
            yield ReadinessPoint(
                1,
                f"{control['ref']} {clip(control['title'], 40)} is failing",
                f"{said}{note} It answers for {criteria(len(rows))}: {self._named(rows)}.",
                (
                    "Mend the cause, then test again."
                    if broke
                    else "Bring in evidence that is accepted."
                ),
                f"{clip(control['owner'], 30) if control['owner'] else 'Nobody owns it'}.",
                "criteria",
            )

    def _unanswered(self) -> Iterator[ReadinessPoint]:
        rows = [row for row in self.unanswered if row["target"]]
        if rows:
            points = sum(map(shortfall, rows))
            yield ReadinessPoint(
                2,
                f"{capital(criteria(len(rows)))} {has(len(rows))} no control",
                f"No control in force answers for {self._named(rows)}. An auditor will ask for one,"
                " or for the reason why none is needed.",
                "Map the controls that exist, and write those that do not.",
                f"Up to {many(points, 'point')}.",
                "criteria",
            )

    def _unproved(self) -> Iterator[ReadinessPoint]:
        late, none = self.states["overdue"], self.states["missing"]
        if late or none:
            said = listed(
                [
                    f"{words(count)} {'is' if count == 1 else 'are'} {word}"
                    for count, word in ((late, "overdue"), (none, "missing"))
                    if count
                ]
            )
            named = [
                f"{each['ref']} {clip(each['title'], 40)}"
                for each in self.snapshot["evidence"]
                if each["state"] in {"overdue", "missing"}
            ]
            yield ReadinessPoint(
                3,
                f"{capital(many(late + none, 'piece'))} of evidence {is_(late + none)} overdue or"
                " missing",
                f"Of {many(self.figures.pieces, 'piece')}, {said}:"
                # two are named
                f" {listed(named[:2])}{f' and {len(named) - 2} more' if len(named) > 2 else ''}.",  # noqa: PLR2004
                "Bring them in, and have them accepted.",
                "Their owners.",
                "evidence",
            )

    def _unowned(self) -> Iterator[ReadinessPoint]:
        if self.ownerless:
            count = len(self.ownerless)
            yield ReadinessPoint(
                4,
                f"{capital(many(count, 'gap'))} {has(count)} no owner",
                f"Nobody is named for {self._named(self.ownerless)}. What nobody owns stays as"
                " it is.",
                "Name an owner for each.",
                f"{criteria(count).capitalize()}.",
                "gaps",
            )

    def _next_action(self) -> Iterator[ReadinessPoint]:
        for action in self.figures.top[:1]:
            owner = clip(action.owner, 30) if action.owner else "Nobody owns it yet"
            yield ReadinessPoint(
                5,
                f"One action moves {words(action.points)} of"
                f" {many(self.figures.whole.left, 'missing point')}",
                f"{sentence(clip(action.text, 150))} It raises"
                f" {self._refs([ref for ref, _ in action.shares])}.",
                f"Do it by {day(action.due)}." if action.due else "Set a date for it.",
                f"{owner}.",
                "gaps",
            )

    def _named(self, rows: list[Requirement]) -> str:
        return self._refs([row["ref"] for row in rows])

    @staticmethod
    def _refs(refs: list[str]) -> str:
        return (
            f"{', '.join(refs[:NAMED])} and {len(refs) - NAMED} more"
            if len(refs) > NAMED
            else listed(refs)
        )

    @property
    def request(self) -> str:
        whole, top = self.figures.whole, self.figures.top
        if not whole.left:
            return (
                "Take note that every criterion in scope is at its target, and keep the evidence"
                " coming when it is due."
            )
        parts = []
        if top:
            parts.append(
                "Approve the"
                f" {'first ' if len(self.figures.actions) > len(top) else ''}{many(len(top), 'action')},"
                f" worth {self._share(self.figures.top_points)}."
            )
        if self.ownerless:
            parts.append(f"Name an owner for {many(len(self.ownerless), 'gap')}.")
        undated = sum(1 for action in self.figures.actions if not action.due)
        if undated:
            parts.append(f"Set a date for {many(undated, 'action')}.")
        return " ".join(parts) or "Decide what closes the gaps, and by when."

    def in_one_line_of(self, title: str) -> str:
        """What holds a category down."""
        series = next(each["series"] for each in self.json["categories"] if each["title"] == title)
        rows = [
            row for f in self.snapshot["functions"] if f["key"] in series for row in of_function(f)
        ]
        short, bare = (
            [row for row in rows if shortfall(row)],
            [row for row in rows if not row["controls"]],
        )
        if not short:
            return "At target throughout" if rows else "Not in scope"
        if len(bare) == len(rows):
            return "No control answers"
        return (
            f"{criteria(len(short)).capitalize()}"
            f" short{f', {words(len(bare))} without a control' if bare else ''}"
        )

    # ---- titles of the sections

    @property
    def levels_title(self) -> str:
        whole = self.figures.whole
        return (
            f"{capital(of_criteria(whole.proven, whole.total))} {is_(whole.proven)} proven"
            if whole.total
            else "No criterion is in scope"
        )

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
        return (
            f"{capital(of_criteria(answered, len(self.rows)))} {has(answered)} a control that"
            " answers"
            if self.rows
            else "No criterion is in scope"
        )

    @property
    def gaps_note(self) -> str:
        whole, rest = self.figures.whole, self.figures.whole.left - self.figures.planned
        if not whole.points:
            return (
                "A point is one level of one criterion, up to its target. No target is set, so no"
                " point is counted."
            )
        start = (
            f"A point is one level of one criterion, up to its target; {words(whole.points)} make"
            " the whole."
        )
        return (
            f"{start} {capital(many(rest, 'point'))} {is_(rest)} not covered by any action."
            if rest
            else start
        )

    @property
    def contents(self) -> list[tuple[str, str, str]]:
        """Anchor, topic and conclusion of each section, numbered."""
        sections = [
            ("levels", "Levels", self.levels_title),
            ("criteria", "Criteria", self.criteria_title),
            ("gaps", "Gaps, ranked", self.gaps_title),
            ("findings", "Open findings", self.findings_title),
            ("evidence", "Evidence index", self.evidence_title),
            ("method", "Method", METHOD_TITLE),
            ("control", "Document control", CONTROL_TITLE),
        ]
        return [
            ("summary", "Executive summary", self.summary_title),
            *((a, f"{n} {t}", title) for n, (a, t, title) in enumerate(sections, 1)),
        ]
