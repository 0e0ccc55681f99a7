"""The section sentences of an AI RMF report: conclusions as titles, and the texts below them."""

import re
from collections.abc import Iterator, Sequence

from governance.publishing.reports.ai_rmf.counted_sentences import CountedSentences, are_proven
from governance.publishing.reports.ai_rmf.figures import proven_at
from governance.publishing.reports.ai_rmf.ranking import by_severity
from governance.publishing.reports.ai_rmf.snapshot import (
    LEVELS,
    Evidence,
    Requirement,
    of_function,
    shortfall,
)
from governance.publishing.reports.wording import (
    capital,
    clip,
    day,
    digits,
    first_of,
    is_,
    its,
    many,
    many_digits,
    out_of,
    per_cent,
    sentence,
    sentences,
    verb,
    words,
)

MAX_REASONS = 3  # Printed after a level.
MAX_NAMED = 3
METHOD_TITLE = "How levels are derived, and their limits"
CONTROL_TITLE = "Version, sign-off, distribution and verification"


class SectionSentences(CountedSentences):
    """The sentences of the sections about a snapshot."""

    @property
    def heat_title(self) -> str:
        whole = self.figures.whole
        if not whole.with_target:
            return "No target is set, so the heat map shows levels only"
        if not whole.left:
            if whole.with_target == 1:
                return "The one requirement meets its target"
            return f"All {many(whole.with_target, 'requirement')} meet their target"
        key, each = max(self.figures.by_function.items(), key=lambda pair: pair[1].left)
        category, left = self.furthest_category(key)
        start = f"{key} has {self.share_of_missing(each.left)}"
        if left == each.left:
            return f"{start}, all in {category['ref']}"
        # Digits with digits, words with words.
        number = digits(left) if len(digits(whole.left)) > 1 else words(left)
        return f"{start}, {number} of them in {category['ref']}"

    def function_position(self, key: str) -> str:
        """Return "12 of 19 requirements proven, 13 at target, 88% coverage"."""
        each = self.figures.by_function[key]
        start = f"{each.proven} of {many_digits(each.total, 'requirement')} proven"
        if not each.with_target:
            return f"{start}, no target"
        return f"{start}, {each.at_target} at target, {each.coverage}% coverage"

    def holds_down(self, rows: Sequence[Requirement]) -> str:
        """Return what keeps these requirements of a category below target, in two short lines."""
        below = [row for row in rows if shortfall(row)]
        if not below:
            return ""
        row = max(below, key=shortfall)
        reasons = by_severity(row, self.failed_refs)
        if reasons:
            fact = reasons[0]["fact"]
        else:
            fact = f"{LEVELS[row['level']].lower()} only" if row["controls"] else "no control"
        if _starts_with_a_word(fact):
            fact = fact[:1].lower() + fact[1:]
        return f"{row['ref'].rsplit(' ', 1)[-1]}: {clip(fact, 44).rstrip('.')}"

    @property
    def movement_title(self) -> str:
        points = self.snapshot["movement"]
        if not points:
            return "Progress appears once a quarter has evidence"
        start = are_proven(proven_at(points[-1]), sum(points[-1]["levels"]))
        if len(points) == 1:
            return f"{start}; no earlier quarter has evidence"
        return f"{start}, {self._compared(-2)}"

    @property
    def quarters_heading(self) -> str:
        points = self.snapshot["movement"]
        proven = proven_at(points[-1])
        start = f"{capital(many(proven, 'requirement'))} {is_(proven)} proven"
        return start if len(points) == 1 else f"{start}, {self._compared(0)}"

    def _compared(self, place: int) -> str:
        """Return "nine more than in Q3 2026": now compared with the period at that place."""
        points = self.snapshot["movement"]
        change = proven_at(points[-1]) - proven_at(points[place])
        label = points[place]["label"]
        if not change:
            return f"as many as in {label}"
        return f"{words(abs(change))} {'more' if change > 0 else 'fewer'} than in {label}"

    @property
    def functions_heading(self) -> str:
        graded = self.graded_functions()
        if not graded:
            return "No function has a target"
        (best, high), (worst, low) = graded[0], graded[-1]
        if high == low:
            return f"{best if len(graded) == 1 else 'Every function'} is at {high}% coverage"
        return f"{worst} is furthest from its target, at {low}% coverage"

    @property
    def gaps_title(self) -> str:
        whole, top = self.figures.whole, self.figures.top
        if not whole.with_target:
            return "No target is set, so there are no gaps to rank"
        if not whole.left:
            return "No gaps remain"
        if not top:
            return f"No action is planned for the {many(whole.left, 'missing point')}"
        return (
            f"{capital(many(len(top), 'action'))} {verb(len(top), 'close')}"
            f" {self.share_of_missing(self.figures.top_points)}"
        )

    @property
    def steps_heading(self) -> str:
        whole, top = self.figures.whole, self.figures.top
        after = per_cent(whole.reached + self.figures.top_points, whole.points)
        first = "first " if len(self.figures.actions) > len(top) else ""
        return (
            f"The {first}{many(len(top), 'action')} {verb(len(top), 'raise')} coverage from"
            f" {whole.coverage}% to {after}%"
        )

    @property
    def gaps_note(self) -> str:
        return self._points_note("requirement", "The target profile has")

    def _points_note(self, noun: str, start: str) -> str:
        """Return what a point is, how many there are, and how many no action covers."""
        whole = self.figures.whole
        rest = whole.left - self.figures.planned
        point = f"A point is one level of one {noun}, up to its target."
        if not whole.points:
            return f"{point} No target is set, so there are no points."
        uncovered = f" {capital(many(rest, 'point'))} {is_(rest)} not covered by any action."
        return f"{point} {start} {many(whole.points, 'point')}.{uncovered if rest else ''}"

    def function_title(self, key: str) -> str:
        each = self.figures.by_function[key]
        if not each.with_target:
            return f"{key} has {many(each.total, 'requirement')} and no target yet"
        short = f"{many(each.left, 'point')} short of target" if each.left else "target met"
        if each.total == 1:
            return f"{key}: the one requirement is {'' if each.proven else 'not '}proven, {short}"
        return f"{key} has proven {out_of(each.proven, each.total, 'requirement')}, {short}"

    def function_lede(self, key: str) -> str:
        """Return which requirements fall short, the furthest first."""
        each = self.figures.by_function[key]
        if each.total == 1:
            level = each.levels.index(1)
            return f"Its one requirement is at level {level}, {LEVELS[level].lower()}."
        if not each.with_target:
            return "No target is set."
        start = sentence(_meet(each.at_target, each.with_target))
        rows = sorted(self._below_target(key), key=shortfall, reverse=True)
        if not rows:
            return start
        named = [f"{row['ref']} ({many_digits(shortfall(row), 'level')})" for row in rows]
        return f"{start} Below target: {first_of(named, MAX_NAMED)}."

    def _below_target(self, key: str) -> Iterator[Requirement]:
        function = next(each for each in self.snapshot["functions"] if each["key"] == key)
        return (row for row in of_function(function) if shortfall(row))

    def category_note(self, ref: str) -> str:
        each = self.figures.by_category[ref]
        if not each.with_target:
            return f"{many(each.total, 'requirement')}, no target set"
        return (
            f"{each.proven} of {many_digits(each.total, 'requirement')} proven, {each.coverage}%"
            " coverage"
        )

    def reason_text(self, row: Requirement) -> str:
        """Return why the level is what it is: the worst facts first, without repetition."""
        reasons = by_severity(row, self.failed_refs)
        facts = dict.fromkeys(sentences(each["fact"], each["consequence"]) for each in reasons)
        text = " ".join([*facts][:MAX_REASONS]) or sentence(row["derived_text"])
        if text:
            return text
        if not row["controls"]:
            return "No control covers this requirement."
        return "No reason is recorded for this level."

    def later_evidence(self, row: Requirement) -> str:
        """Return a note on evidence collected after the conclusion was written, or nothing.

        A conclusion is a person's text of its day. The table beside it is the record of today. The
        report states when they can differ.
        """
        if row["conclusion"] is None:
            return ""
        written = row["conclusion"]["at"][:10]
        later = {
            item["ref"]: item
            for control in row["controls"]
            for item in control["evidence"]
            if item["collected_on"] and item["collected_on"] > written
        }
        if not later:
            return ""
        named = first_of([_collected(item) for item in later.values()], MAX_NAMED)
        return f"Written before {named}; the table shows the current record."

    @property
    def findings_title(self) -> str:
        count, late = self.figures.findings, self.figures.findings_late
        if not count:
            return "No findings are open"
        start = f"{capital(many(count, 'finding'))} {is_(count)} open"
        if not late:
            return f"{start}, none past {its(count)} retest date"
        if count == 1:
            return f"{start} and past its retest date"
        return f"{start}, {words(late)} of them past the retest date"

    @property
    def register_title(self) -> str:
        total = self.figures.whole.total
        start = f"{'All ' if total > 1 else ''}{many(total, 'requirement')}"
        return f"{capital(start)} at a glance"

    @property
    def evidence_title(self) -> str:
        count, attention = self.figures.evidence_items, self.figures.needing_attention
        if not count:
            return "No evidence is recorded yet"
        start = f"{capital(many(count, 'evidence item'))} {verb(count, 'support')} this report"
        if attention:
            return f"{start}; {words(attention)} {verb(attention, 'need')} attention"
        return f"{start}; {'it is' if count == 1 else 'all are'} fresh"


def anchor(ref: str) -> str:
    """Return the id of a function, category or requirement in the document."""
    return "r-" + re.sub(r"[^a-z0-9]+", "-", ref.lower())


def _collected(item: Evidence) -> str:
    return f"{clip(item['title'], 50)} was collected ({day(item['collected_on'], short=True)})"


def _meet(part: int, whole: int) -> str:
    """Return "45 of 72 requirements meet their target"."""
    if whole == 1:
        return f"The one requirement {'meets' if part else 'is below'} its target"
    return f"{capital(out_of(part, whole, 'requirement'))} {verb(part, 'meet')} {its(part)} target"


def _starts_with_a_word(text: str) -> bool:
    """Return whether the first word is an ordinary one, so that it may start in lower case."""
    first = text.split(" ", 1)[0]
    return first.isalpha() and first[1:].islower()


__all__ = ["CONTROL_TITLE", "METHOD_TITLE", "SectionSentences", "anchor"]
