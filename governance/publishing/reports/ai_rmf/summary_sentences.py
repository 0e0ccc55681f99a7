"""The sentences on the cover and in the executive summary of an AI RMF report."""

from dataclasses import dataclass
from functools import cached_property

from governance.publishing.reports.ai_rmf.counted_sentences import CountedSentences, are_proven
from governance.publishing.reports.ai_rmf.figures import proven_at
from governance.publishing.reports.ai_rmf.ranking import Action, by_severity, severity_of
from governance.publishing.reports.ai_rmf.snapshot import (
    LEVELS,
    NEEDS_ATTENTION,
    Category,
    IndexedEvidence,
    Requirement,
    shortfall,
)
from governance.publishing.reports.wording import (
    MAX_NAME_LENGTH,
    NO_VALUE,
    TWO_LINES,
    capital,
    clip,
    day,
    digits,
    has,
    is_,
    its,
    listed,
    many,
    many_digits,
    out_of,
    person,
    sentence,
    sentences,
    verb,
    words,
)

MAX_KEY_FINDINGS = 3
MAX_UPCOMING = 10  # Rows of the evidence that is due next.
MAX_REASON_LENGTH = 215  # Characters, about two lines.


@dataclass(frozen=True, slots=True)
class KeyFinding:
    """A key finding: a claim, its reason, and the action with date, owner and effect.

    `ref` is the requirement that has the details.
    """

    claim: str
    text: str
    act: str
    terms: str
    ref: str | None


class SummarySentences(CountedSentences):
    """The sentences of the cover and the summary about a snapshot."""

    @property
    def who(self) -> str:
        """The tenant's name, if it fits into a title."""
        name = self.snapshot["tenant"]["name"]
        return name if len(name) <= MAX_NAME_LENGTH else "The organization"

    @property
    def draft(self) -> str | None:
        """The reason why this is a draft, or None when it is final."""
        unconcluded, unsigned = self.figures.unconcluded, self.figures.unsigned
        facts = []
        if unconcluded:
            facts.append(f"{many(unconcluded, 'requirement')} {has(unconcluded)} no conclusion")
        if unsigned:
            facts.append(f"{many(unsigned, 'conclusion')} {is_(unsigned)} not signed off")
        if self.snapshot["assessment"]["status"] == "open":
            facts.append("the assessment is open")
        return f"Draft: {listed(facts)}." if facts else None

    @property
    def summary_title(self) -> str:
        whole, actions = self.figures.whole, self.figures.top
        if not whole.total:
            return "The framework has no requirements, so there is nothing to report"
        if not whole.with_target:
            rest = "no target is set"
        elif not whole.left:
            rest = "every target is met"
        elif actions:
            rest = (
                f"{many(len(actions), 'action')} {verb(len(actions), 'close')}"
                f" {self.share_of_missing(self.figures.top_points)}"
            )
        else:
            rest = "no action is planned for the gaps"
        named = f"{self.who} has proven {out_of(whole.proven, whole.total, 'requirement')}; {rest}"
        if len(named) <= TWO_LINES and whole.proven and whole.total > 1:
            return named
        return f"{are_proven(whole.proven, whole.total)}; {rest}"

    @property
    def position(self) -> str:
        """Return "45 of 72 requirements proven, 82% coverage of the target", for the cover."""
        whole = self.figures.whole
        covered = (
            "no target set"
            if whole.coverage is None
            else f"{whole.coverage}% coverage of the target"
        )
        return f"{digits(whole.proven)} of {self._whole_in_digits} proven, {covered}"

    @property
    def _whole_in_digits(self) -> str:
        return many_digits(self.figures.whole.total, "requirement")

    @property
    def kpis(self) -> list[tuple[str, str, str, str]]:
        """The key figures: label, figure, its unit, its comparison."""
        whole, numbers = self.figures.whole, self.figures
        cover = whole.coverage
        return [
            (
                "Requirements proven",
                digits(whole.proven),
                f"of {digits(whole.total)}",
                self._earlier,
            ),
            (
                "Coverage of the target",
                NO_VALUE if cover is None else str(cover),
                "" if cover is None else "%",
                self._of_points,
            ),
            (
                "Fresh evidence",
                digits(numbers.evidence.get("fresh", 0)),
                f"of {digits(numbers.evidence_items)}",
                self._not_fresh,
            ),
            (
                "Points to the target",
                digits(whole.left),
                "point" if whole.left == 1 else "points",
                self._in_actions,
            ),
        ]

    @property
    def _earlier(self) -> str:
        before = self.snapshot["movement"][:-1]
        if not before:
            return "No earlier quarter to compare with"
        picks = [before[-1]] if len(before) == 1 else [before[-1], before[0]]
        return ", ".join(f"{proven_at(each)} in {each['label']}" for each in picks)

    @property
    def _of_points(self) -> str:
        whole = self.figures.whole
        if not whole.points:
            return "No target is set"
        return f"{digits(whole.reached)} of {digits(whole.points)} points"

    @property
    def _not_fresh(self) -> str:
        parts = [
            f"{digits(self.figures.evidence[state])} {state}"
            for state in NEEDS_ATTENTION
            if self.figures.evidence.get(state)
        ]
        if parts:
            return ", ".join(parts)
        return "Nothing due, overdue or missing" if self.figures.evidence_items else "None recorded"

    @property
    def _in_actions(self) -> str:
        actions = self.figures.top
        if not self.figures.whole.left:
            return "Every target is met" if self.figures.whole.points else "No target is set"
        if not actions:
            return "No action is planned"
        return (
            f"{capital(many(len(actions), 'action'))} {verb(len(actions), 'close')}"
            f" {digits(self.figures.top_points)}"
        )

    @property
    def lede(self) -> str:
        """The lede of at most four lines of the summary, about 350 characters."""
        whole = self.figures.whole
        if not whole.with_target:
            return (
                "No target is set yet, so this report shows levels but no gaps."
                f" {self.levels_in_words} Set a target for each requirement to see the gaps in the"
                " next report."
            )
        if not whole.left:
            return (
                f"Every target is met: {out_of(whole.reached, whole.points, 'point')}."
                f" {self._at_highest_level} {self._evidence_state}"
            )
        if whole.levels[0] == whole.total:
            return (
                "No evidence has been accepted yet."
                f" {capital(many(self.figures.controls, 'control'))} and"
                f" {many(self.figures.evidence_items, 'evidence item')} are recorded for"
                f" {many(whole.total, 'requirement')}. The target is"
                f" {many(whole.left, 'point')} away."
            )
        return f"{self._best_and_worst} {self._largest_gap} {self._evidence_state}"

    @property
    def levels_in_words(self) -> str:
        """Return "Two requirements are at level 0 and 42 at level 3."."""
        found = [(count, level) for level, count in enumerate(self.figures.whole.levels) if count]
        if not found:
            return ""
        (count, level), *rest = found
        start = f"{many(count, 'requirement')} {is_(count)} at level {level}"
        return sentence(listed([start, *(f"{words(n)} at level {at}" for n, at in rest)]))

    @property
    def _at_highest_level(self) -> str:
        highest = self.figures.whole.levels[-1]
        return sentence(f"{many(highest, 'requirement')} {is_(highest)} at the highest level")

    @property
    def _best_and_worst(self) -> str:
        graded = self.graded_functions()
        (best, high), (worst, low) = graded[0], graded[-1]
        if high == low:
            who = best if len(graded) == 1 else "Every function"
            return f"{who} is at {high}% coverage."
        return (
            f"{best} is closest to its target at {high}% coverage; {worst} is furthest from it at"
            f" {low}%."
        )

    def _furthest(self) -> tuple[Category, int]:
        pairs = [self.furthest_category(function["key"]) for function in self.snapshot["functions"]]
        return max(pairs, key=lambda pair: pair[1])

    @property
    def _largest_gap(self) -> str:
        category, left = self._furthest()
        return (
            f"The largest gap is {category['ref']}, {clip(category['title'], 60)}, with"
            f" {self.share_of_missing(left)}."
        )

    @property
    def _evidence_state(self) -> str:
        items, attention = self.figures.evidence_items, self.figures.needing_attention
        if not items:
            return "No evidence is recorded."
        if not attention:
            if items == 1:
                return "The one evidence item is fresh."
            return f"All {many(items, 'evidence item')} are fresh."
        return sentence(
            f"{out_of(attention, items, 'evidence item')} {verb(attention, 'need')} attention"
        )

    @cached_property
    def key_findings(self) -> list[KeyFinding]:
        """The first actions of the ranking, each with the fact behind it. There may be fewer."""
        planned = [self._key_finding(action) for action in self.figures.top[:MAX_KEY_FINDINGS]]
        return planned or self._unplanned()

    def _key_finding(self, action: Action) -> KeyFinding:
        rows = [(self.by_ref[ref], gained) for ref, gained in action.shares if gained]
        row, _ = min(rows, key=lambda pair: (severity_of(pair[0], self.failed_refs), -pair[1]))
        due = f" by {day(action.due)}." if action.due else ". No due date yet."
        return KeyFinding(
            _claim(row),
            self._why(row),
            f"{clip(action.text.rstrip('.'), 84)}{due}",
            f"{person(action.owner)} Closes {many(action.points, 'point')}.",
            row["ref"],
        )

    def _unplanned(self) -> list[KeyFinding]:
        rows = sorted(
            (row for row in self.by_ref.values() if shortfall(row)),
            key=lambda row: (severity_of(row, self.failed_refs), -shortfall(row)),
        )[:MAX_KEY_FINDINGS]
        return [
            KeyFinding(
                _claim(row),
                self._why(row),
                "No action is planned.",
                f"Closing this gap is worth {many(shortfall(row), 'point')}.",
                row["ref"],
            )
            for row in rows
        ]

    def _why(self, row: Requirement) -> str:
        """Return the worst fact behind a level, with its consequence, in about two lines."""
        reasons = by_severity(row, self.failed_refs)
        if reasons:
            facts = sentences(reasons[0]["fact"], reasons[0]["consequence"])
            return clip(f"{row['ref']}: {facts}", MAX_REASON_LENGTH)
        return (
            clip(sentence(row["derived_text"]), MAX_REASON_LENGTH)
            or f"No control and no evidence support {row['ref']}."
        )

    def in_one_line(self, key: str) -> str:
        """Return the summary of a function for a table cell."""
        each = self.figures.by_function[key]
        if not each.with_target:
            return "No target is set"
        if not each.left:
            return "Every target is met"
        category, left = self.furthest_category(key)
        where = clip(category["title"], 34)
        if left == each.left:
            return f"{capital(many(left, 'point'))} short, in {where}"
        return f"{capital(many(each.left, 'point'))} short, {words(left)} in {where}"

    @property
    def upcoming(self) -> list[IndexedEvidence]:
        """The evidence that is due next, if the summary has room."""
        today = self.snapshot["as_of"][:10]
        rows = [
            each for each in self.snapshot["evidence"] if each["due_on"] and each["due_on"] >= today
        ]
        if len(self.key_findings) > 1:
            return []
        return sorted(rows, key=lambda each: (each["due_on"] or "", each["ref"]))[:MAX_UPCOMING]

    @property
    def request(self) -> str:
        """The decisions that management has to make. A report requests nothing of its auditors."""
        requests = []
        if top := self.figures.top:
            requests.append(
                f"approve the {many(len(top), 'action')} and {its(len(top))} due"
                f" {'date' if len(top) == 1 else 'dates'}"
            )
        if ownerless := sum(not action.owner for action in self.figures.actions):
            requests.append(f"name an owner for {many(ownerless, 'action')}")
        if rest := self.figures.whole.left - self.figures.planned:
            requests.append(f"decide how to close the {many(rest, 'point')} that no action covers")
        if self.figures.unsigned:
            requests.append(f"sign off {many(self.figures.unsigned, 'conclusion')}")
        if not self.figures.whole.with_target:
            requests.append("set a target profile")
        return sentences(*requests) or "This report needs no decision."


def _claim(row: Requirement) -> str:
    return (
        f"{clip(row['title'], 42)}: level {row['level']} ({LEVELS[row['level']].lower()}), target"
        f" {row['target']}"
    )
