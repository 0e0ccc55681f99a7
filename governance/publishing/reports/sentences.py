"""What an AI RMF report says: titles, ledes and matters, made from the numbers of snapshot.py and
nothing else.

    Sentences(snapshot)                 each property is one title or paragraph
    words, many, out_of, day, clip, …   how numbers, dates and long texts are written

Titles are conclusions. A number in a sentence is the number in the table beside it; the tests
compare them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from governance.publishing.reports.snapshot import (
    LEVELS,
    NEEDS_ATTENTION,
    Action,
    Category,
    Function,
    IndexedEvidence,
    Reason,
    Requirement,
    Snapshot,
    figures,
    of_function,
    per_cent,
    proven_at,
    requirements,
    shortfall,
)

SEVERITIES = {"bad": 0, "warn": 1, "open": 2}
MATTERS = 3
SHORT_NAME = 24  # characters
SOON = 10  # rows of what falls due next
ONE_LINE, TWO_LINES = 44, 84  # characters of a section title
NB = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"  # where a table has no value
WORDS = (
    "none",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)


# --- Small words ----------------------------------------------------------------------------------


def words(count: int) -> str:
    """Numbers up to twelve in words, larger ones as "1,200", with a true minus."""
    if 0 <= count < len(WORDS):
        return WORDS[count]
    return f"{count:,}".replace("-", MINUS)


def many(count: int, noun: str, plural: str = "") -> str:
    return f"{words(count) if count else 'no'} {noun if count == 1 else plural or noun + 's'}"


def out_of(part: int, whole: int, noun: str) -> str:
    """As "two of seven requirements", but "8 of 13 requirements": one sentence, one way to write
    numbers.
    """
    if whole < len(WORDS):
        return f"{words(part)} of {many(whole, noun)}"
    return f"{part or 'none'} of {whole:,} {noun}s"


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """The text with a capital and a full stop, once; nothing stays nothing."""
    text = " ".join(text.split())
    return capital(text) + ("" if text[-1:] in {".", "!", "?"} else ".") if text else ""


def clip(text: str, length: int) -> str:
    """At most `length` characters, cut between words, with an ellipsis where something is
    missing.
    """
    text = " ".join(text.split())
    if len(text) <= length:
        return text
    cut = text[: length - 1]
    head = cut.rsplit(" ", 1)[0] if " " in cut else cut
    return head.rstrip(f" ,;:.{NOTHING}") + "…"


def hold(title: str) -> str:
    """Ties the last three words of a title together, so that its last line is never one lonely
    word.
    """
    words_ = title.split(" ")
    tail = words_[-3:]
    # the number is plain from its line
    if len(title) <= ONE_LINE or len(words_) < 5 or sum(map(len, tail)) > ONE_LINE // 2:  # noqa: PLR2004
        return title
    return " ".join([*words_[:-3], NB.join(tail)])


def day(value: str | None, *, short: bool = False, missing: str = NOTHING) -> str:
    """As "9 October 2026", or "9 Oct 2026" for tables."""
    if not value:
        return missing
    at = date.fromisoformat(value[:10])
    return f"{at.day}{NB}{at:{'%b' if short else '%B'} %Y}"


def instant(value: str) -> str:
    """As "9 October 2026, 17:00 UTC"."""
    at = datetime.fromisoformat(value)
    return f"{day(value)}, {at:%H:%M} UTC"


def listed(parts: Sequence[str]) -> str:
    return (
        parts[0]
        if len(parts) == 1
        else ", ".join(parts[:-1]) + " and " + parts[-1]
        if parts
        else ""
    )


def worst_reason(requirement: Requirement) -> Reason | None:
    return min(
        requirement["reasons"], key=lambda reason: SEVERITIES[reason["severity"]], default=None
    )


# --- The sentences --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Matter:
    """One of the things that matter: a claim, why, and the act with its date, owner and effect."""

    claim: str
    text: str
    act: str
    terms: str
    ref: str | None


class Sentences:
    """What the report says about a snapshot; each property is one title or paragraph."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.figures = figures(snapshot)
        self.by_ref = {row["ref"]: row for row in requirements(snapshot)}

    @property
    def who(self) -> str:
        """The tenant's name where it fits into a title."""
        name = self.snapshot["tenant"]["name"]
        return name if len(name) <= SHORT_NAME else "The organisation"

    @property
    def draft(self) -> str | None:
        """Why this is a draft, or None when it is final."""
        facts = []
        if self.figures.unconcluded:
            facts.append(
                f"{many(self.figures.unconcluded, 'requirement')} {_has(self.figures.unconcluded)}"
                " no conclusion"
            )
        if self.figures.unsigned:
            facts.append(
                f"{many(self.figures.unsigned, 'conclusion')} {_is(self.figures.unsigned)} not"
                " signed off"
            )
        if self.snapshot["assessment"]["status"] == "open":
            facts.append("the assessment is open")
        return f"Draft: {listed(facts)}." if facts else None

    # Executive summary

    @property
    def summary_title(self) -> str:
        whole, actions = self.figures.whole, self.figures.top
        if not whole.total:
            return "The framework has no requirement, so there is nothing to report"
        if not whole.with_target:
            rest = "no target is set"
        elif not whole.left:
            rest = "every target is met"
        elif actions:
            rest = (
                f"{many(len(actions), 'action')} {_verb(len(actions), 'close')}"
                f" {self._share(self.figures.top_points)}"
            )
        else:
            rest = "no action is recorded for what is left"
        named = f"{self.who} has proven {out_of(whole.proven, whole.total, 'requirement')}; {rest}"
        if len(named) <= TWO_LINES and whole.proven and whole.total > 1:
            return named
        return f"{_are_proven(whole.proven, whole.total)}; {rest}"

    @property
    def position(self) -> str:
        """The two numbers of the cover:

        45 of 72 requirements proven, 82% coverage of the target.
        """
        whole = self.figures.whole
        covered = (
            "no target set"
            if whole.coverage is None
            else f"{whole.coverage}% coverage of the target"
        )
        return f"{whole.proven} of {many_digits(whole.total, 'requirement')} proven, {covered}"

    def _share(self, points: int) -> str:
        left = self.figures.whole.left
        if points != left:
            return out_of(points, left, "missing point").replace(" of ", " of the ", 1)
        return "the one missing point" if left == 1 else f"all {many(left, 'missing point')}"

    @property
    def kpis(self) -> list[tuple[str, str, str, str]]:
        """Label, figure, its unit, its comparison."""
        whole, numbers = self.figures.whole, self.figures
        cover = whole.coverage
        return [
            ("Requirements proven", str(whole.proven), f"of {whole.total}", self._earlier),
            (
                "Coverage of the target",
                NOTHING if cover is None else str(cover),
                "" if cover is None else "%",
                self._of_points,
            ),
            (
                "Evidence fresh",
                str(numbers.evidence.get("fresh", 0)),
                f"of {numbers.pieces}",
                self._not_fresh,
            ),
            (
                "Left to reach the target",
                str(whole.left),
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
        return f"{whole.reached} of {whole.points} points" if whole.points else "No target is set"

    @property
    def _not_fresh(self) -> str:
        parts = [
            f"{self.figures.evidence[state]} {state}"
            for state in NEEDS_ATTENTION
            if self.figures.evidence.get(state)
        ]
        if parts:
            return ", ".join(parts)
        return (
            "Nothing due, overdue or missing" if self.figures.pieces else "No evidence is recorded"
        )

    @property
    def _in_actions(self) -> str:
        actions = self.figures.top
        if not self.figures.whole.left:
            return "Every target is met" if self.figures.whole.points else "No target is set"
        if not actions:
            return "No action is recorded for them"
        return f"{self.figures.top_points} of them in {many(len(actions), 'action')}"

    @property
    def lede(self) -> str:
        """At most four lines of the summary, about 350 characters."""
        whole = self.figures.whole
        if not whole.with_target:
            return (
                "The profile sets no target yet, so nothing can be short of it."
                f" {self.levels_in_words} Set the target of each requirement, and the next report"
                " says what is missing."
            )
        if not whole.left:
            return (
                f"Nothing is short of the target: {out_of(whole.reached, whole.points, 'point')}"
                f" are reached. {self._strength} {self._proof}"
            )
        if whole.levels[0] == whole.total:
            return (
                "No evidence has been accepted yet."
                f" {capital(many(self.figures.controls, 'control'))} and"
                f" {many(self.figures.pieces, 'evidence item')} are recorded for"
                f" {many(whole.total, 'requirement')}. {capital(many(whole.left, 'point'))}"
                f" {_is(whole.left)} missing to the target."
            )
        return f"{self._best_and_worst} {self._where_it_lies} {self._proof}"

    @property
    def levels_in_words(self) -> str:
        levels = self.figures.whole.levels
        parts = [
            f"{words(count)} {_is(count)} at level {level}"
            for level, count in enumerate(levels)
            if count
        ]
        return sentence(listed(parts))

    @property
    def _strength(self) -> str:
        return sentence(
            f"{many(self.figures.whole.levels[-1], 'requirement')}"
            f" {_is(self.figures.whole.levels[-1])} at the highest level"
        )

    def _graded(self) -> list[tuple[str, int]]:
        """Functions with a target, the best covered first."""
        graded = [
            (key, each.coverage)
            for key, each in self.figures.by_function.items()
            if each.coverage is not None
        ]
        return sorted(graded, key=lambda pair: -pair[1])

    @property
    def _best_and_worst(self) -> str:
        graded = self._graded()
        (best, high), (worst, low) = graded[0], graded[-1]
        if high == low:
            return (
                f"{best} is at {high}% of its target."
                if len(graded) == 1
                else f"All functions are at {high}% of their target."
            )
        return (
            f"{best} is closest to its target with {high}%, {worst} is furthest from it with"
            f" {low}%."
        )

    def _heaviest(self) -> tuple[Category, int]:
        pairs = [
            (each, self.figures.by_category[each["ref"]].left)
            for function in self.snapshot["functions"]
            for each in function["categories"]
        ]
        return max(pairs, key=lambda pair: pair[1])

    @property
    def _where_it_lies(self) -> str:
        category, left = self._heaviest()
        return (
            f"Most is missing in {category['ref']}, {clip(category['title'], 60)}:"
            f" {self._share(left)}."
        )

    @property
    def _proof(self) -> str:
        numbers = self.figures
        if not numbers.pieces:
            return "No evidence is recorded."
        if not numbers.attention:
            return (
                f"All {many(numbers.pieces, 'piece')} of evidence are fresh."
                if numbers.pieces > 1
                else "The one piece of evidence is fresh."
            )
        needs = "needs" if numbers.attention == 1 else "need"
        return sentence(
            f"{out_of(numbers.attention, numbers.pieces, 'piece')} of evidence {needs} attention"
        )

    @cached_property
    def matters(self) -> list[Matter]:
        """The three actions that move most, each with the fact behind it; fewer when fewer are
        recorded.
        """
        planned = [self._matter(action) for action in self.figures.top[:MATTERS]]
        return planned or self._unplanned()

    def _matter(self, action: Action) -> Matter:
        ref = max(action.shares, key=lambda share: share[1])[0]
        row = self.by_ref[ref]
        date_ = f" by {day(action.due)}" if action.due else ", no date yet"
        effect = f"Moves {many(action.points, 'point')}."
        owner = sentence(action.owner) if action.owner else "No owner yet."
        return Matter(
            _claim(row),
            _why(row),
            f"{clip(action.text.rstrip('.'), 84)}{date_}.",
            f"{owner} {effect}",
            ref,
        )

    def _unplanned(self) -> list[Matter]:
        rows = sorted(
            (row for row in self.by_ref.values() if shortfall(row)), key=shortfall, reverse=True
        )[:MATTERS]
        return [
            Matter(
                _claim(row),
                _why(row),
                "No action is recorded.",
                f"Closing it moves {many(shortfall(row), 'point')}.",
                row["ref"],
            )
            for row in rows
        ]

    def in_one_line(self, key: str) -> str:
        """What a reader should know of a function, in a table cell."""
        each = self.figures.by_function[key]
        if not each.with_target:
            return "No target is set"
        if not each.left:
            return "Every target is met"
        category = max(
            self._categories(key), key=lambda one: self.figures.by_category[one["ref"]].left
        )
        left = self.figures.by_category[category["ref"]].left
        return (
            f"{capital(many(left, 'point'))} missing in {clip(category['title'], 38)}"
            if left != each.left
            else f"All of it in {clip(category['title'], 38)}"
        )

    def _categories(self, key: str) -> list[Category]:
        return next(each["categories"] for each in self.snapshot["functions"] if each["key"] == key)

    @property
    def upcoming(self) -> list[IndexedEvidence]:
        """The evidence that falls due next, for a summary that has room."""
        today = self.snapshot["as_of"][:10]
        rows = [
            each for each in self.snapshot["evidence"] if each["due_on"] and each["due_on"] >= today
        ]
        return (
            sorted(rows, key=lambda each: (each["due_on"] or "", each["ref"]))[:SOON]
            if len(self.matters) < 2  # noqa: PLR2004
            else []
        )

    @property
    def request(self) -> str:
        """What is asked of the reader."""
        asks = []
        if top := self.figures.top:
            asks.append(
                f"approve the {many(len(top), 'action')} and"
                f" {'its date' if len(top) == 1 else 'their dates'}"
            )
        if ownerless := sum(not action.owner for action in self.figures.actions):
            asks.append(f"name an owner for {many(ownerless, 'action')}")
        if rest := self.figures.whole.left - self.figures.planned:
            asks.append(f"decide on the {many(rest, 'point')} that no action covers")
        if self.figures.unsigned:
            asks.append(f"sign off {many(self.figures.unsigned, 'conclusion')}")
        if not self.figures.whole.with_target:
            asks.append("set a target profile")
        return (
            sentence(listed(asks))
            if asks
            else "Take note. Nothing has to be decided on this report."
        )

    # Sections

    @property
    def heat_title(self) -> str:
        whole = self.figures.whole
        if not whole.with_target:
            return "No target is set; the levels stand alone"
        if not whole.left:
            return (
                f"No requirement of {words(whole.with_target)} is below its target"
                if whole.with_target > 1
                else "The one requirement meets its target"
            )
        key, each = max(self.figures.by_function.items(), key=lambda pair: pair[1].left)
        category = max(
            self._categories(key), key=lambda one: self.figures.by_category[one["ref"]].left
        )
        alone = self.figures.by_category[category["ref"]].left
        holds = f"{key} has {self._share(each.left)}"
        number = str(alone) if whole.left >= len(WORDS) else words(alone)
        return (
            f"{holds}, all in {category['ref']}"
            if alone == each.left
            else f"{holds}, and {category['ref']} alone {number}"
        )

    @property
    def movement_title(self) -> str:
        points = self.snapshot["movement"]
        if not points:
            return "No assessment is frozen yet, so no movement shows"
        now = points[-1]
        at = _are_proven(proven_at(now), sum(now["levels"]))
        if len(points) == 1:
            return f"{at}; no earlier quarter has evidence"
        change = proven_at(now) - proven_at(points[-2])
        if not change:
            return f"{at}, as many as in {points[-2]['label']}"
        return (
            f"{at}, {words(abs(change))} {'more' if change > 0 else 'fewer'} than in"
            f" {points[-2]['label']}"
        )

    @property
    def quarters_heading(self) -> str:
        points = self.snapshot["movement"]
        first, last = points[0], points[-1]
        proven = proven_at(last)
        change = proven - proven_at(first)
        base = f"{capital(many(proven, 'requirement'))} {_is(proven)} proven"
        if len(points) == 1:
            return base
        if not change:
            return f"{base}, as many as in {first['label']}"
        return (
            f"{base}, {words(abs(change))} {'more' if change > 0 else 'fewer'} than in"
            f" {first['label']}"
        )

    @property
    def functions_heading(self) -> str:
        graded = self._graded()
        if not graded:
            return "No function has a target"
        if graded[0][1] == graded[-1][1]:
            return (
                f"All functions are at {graded[0][1]}% of their target"
                if len(graded) > 1
                else f"{graded[0][0]} is at {graded[0][1]}%"
            )
        return f"{graded[-1][0]} is the function furthest from its target, at {graded[-1][1]}%"

    @property
    def gaps_title(self) -> str:
        whole, top = self.figures.whole, self.figures.top
        if not whole.left:
            return (
                "Nothing is left to close"
                if whole.with_target
                else "Without a target there is no gap to rank"
            )
        if not top:
            return f"No action is recorded for the {many(whole.left, 'missing point')}"
        return (
            f"{capital(many(len(top), 'action'))} {_is_worth(len(top))}"
            f" {self._share(self.figures.top_points)}"
        )

    @property
    def steps_heading(self) -> str:
        whole, top = self.figures.whole, self.figures.top
        after = per_cent(whole.reached + self.figures.top_points, whole.points)
        who = (
            f"The first {many(len(top), 'action')}"
            if len(self.figures.actions) > len(top)
            else f"The {many(len(top), 'action')}"
        )
        return f"{who} {_verb(len(top), 'raise')} coverage from {whole.coverage} to {after}%"

    @property
    def gaps_note(self) -> str:
        whole, rest = self.figures.whole, self.figures.whole.left - self.figures.planned
        if not whole.points:
            return (
                "A point is one level of one requirement, up to its target. No target is set, so no"
                " point is counted."
            )
        start = (
            f"A point is one level of one requirement, up to its target; {words(whole.points)} make"
            " the target profile."
        )
        return (
            f"{start} {capital(many(rest, 'point'))} {_is(rest)} not covered by any action."
            if rest
            else start
        )

    def function_position(self, key: str) -> str:
        """As "12 of 19 requirements proven, 13 at target, 88% coverage", for a line of the heat
        map.
        """
        each = self.figures.by_function[key]
        start = f"{each.proven} of {many_digits(each.total, 'requirement')} proven"
        return (
            f"{start}, {each.at_target} at target, {each.coverage}% coverage"
            if each.with_target
            else f"{start}, no target"
        )

    def function_title(self, key: str) -> str:
        each = self.figures.by_function[key]
        if not each.with_target:
            return f"{key} has {many(each.total, 'requirement')} and no target yet"
        if each.total == 1:
            proven = "is" if each.proven else "is not"
            short = (
                f"{many(each.left, 'point')} short of its target" if each.left else "at its target"
            )
            return f"{key}: its one requirement {proven} proven and {short}"
        start = f"{key} has {out_of(each.proven, each.total, 'requirement')} proven"
        return (
            f"{start} and is {many(each.left, 'point')} short of its target"
            if each.left
            else f"{start} and meets its target"
        )

    def function_lede(self, key: str) -> str:
        """Which requirements fall short, the largest first, and how the function is proved."""
        each, function = self.figures.by_function[key], self._function(key)
        rows = sorted(
            (row for row in of_function(function) if shortfall(row)), key=shortfall, reverse=True
        )
        if each.total == 1:
            level = each.levels.index(1)
            return f"Its one requirement is at level {level}, {LEVELS[level].lower()}."
        text = (
            f"{_meet(each.at_target, each.with_target)}."
            if each.with_target
            else "No target is set."
        )
        if not rows:
            return text
        named = [f"{row['ref']} by {words(shortfall(row))}" for row in rows[:3]]
        rest = len(rows) - len(named)
        most = (
            "Furthest from target:"
            f" {listed(named)}{' levels' if shortfall(rows[0]) > 1 or len(named) > 1 else ' level'}"
        )
        return (
            f"{text} {most}; {many(rest, 'other')} {_verb(rest, 'fall')} short too."
            if rest
            else f"{text} {most}."
        )

    def _function(self, key: str) -> Function:
        return next(each for each in self.snapshot["functions"] if each["key"] == key)

    def category_note(self, ref: str) -> str:
        each = self.figures.by_category[ref]
        if not each.with_target:
            return f"{many(each.total, 'requirement')}, no target set"
        return (
            f"{each.proven} of {many_digits(each.total, 'requirement')} proven, {each.coverage}%"
            " coverage"
        )

    def holds_down(self, rows: Sequence[Requirement]) -> str:
        """What keeps these requirements of a category below target, in two short lines."""
        below = sorted((row for row in rows if shortfall(row)), key=shortfall, reverse=True)
        parts = []
        for row in below[:1]:
            reason = worst_reason(row)
            fact = (
                reason["fact"]
                if reason
                else "no control"
                if not row["controls"]
                else f"{LEVELS[row['level']].lower()} only"
            )
            parts.append(
                f"{row['ref'].rsplit(' ', 1)[-1]}:"
                f" {clip(fact[:1].lower() + fact[1:] if _is_word(fact) else fact, 50).rstrip('.')}"
            )
        return "; ".join(parts)

    @property
    def findings_title(self) -> str:
        count, late = self.figures.findings, self.figures.findings_late
        if not count:
            return "No finding is open"
        start = f"{capital(many(count, 'finding'))} {_is(count)} open"
        if not late:
            return f"{start}, none past {'its' if count == 1 else 'their'} retest date"
        return (
            f"{start}, {words(late)} of them past the retest date"
            if count > 1
            else f"{start} and past its retest date"
        )

    @property
    def register_title(self) -> str:
        total = self.figures.whole.total
        return (
            f"All {many(total, 'requirement')} and what carries them"
            if total > 1
            else f"{capital(many(total, 'requirement'))} and what carries it"
        )

    @property
    def evidence_title(self) -> str:
        count, attention = self.figures.pieces, self.figures.attention
        if not count:
            return "No evidence is recorded yet"
        start = (
            f"{capital(many(count, 'piece'))} of evidence {'supports' if count == 1 else 'support'}"
            " this report"
        )
        return (
            f"{start}; {words(attention)} {'needs' if attention == 1 else 'need'} attention"
            if attention
            else f"{start}; {'it is' if count == 1 else 'all are'} fresh"
        )

    def reason_text(self, row: Requirement) -> str:
        """Why the level is what it is: what was derived, then up to two facts that the derivation
        does not name.
        """
        text = sentence(row["derived_text"])
        facts = sorted(row["reasons"], key=lambda reason: SEVERITIES[reason["severity"]])
        if shortfall(row) or not text:
            fresh = [
                each for each in facts if each["fact"].rstrip(".").lower() not in text.lower()
            ][:2]
            text = " ".join(
                [
                    text,
                    *(
                        f"{sentence(each['fact'])} {sentence(each['consequence'])}".strip()
                        for each in fresh
                    ),
                ]
            ).strip()
        return text or (
            "No control covers this requirement."
            if not row["controls"]
            else "No reason is recorded for this level."
        )

    @property
    def contents(self) -> list[tuple[str, str, str]]:
        """Anchor, topic and conclusion of each section, in order; topics are numbered."""
        sections = [
            ("heat", "Heat map", self.heat_title),
            ("movement", "Movement", self.movement_title),
            ("gaps", "Gaps, ranked", self.gaps_title),
        ]
        sections += [
            (anchor(each["key"]), each["key"], self.function_title(each["key"]))
            for each in self.snapshot["functions"]
        ]
        sections += [
            ("findings", "Open findings", self.findings_title),
            ("register", "Register", self.register_title),
            ("evidence", "Evidence index", self.evidence_title),
            ("method", "Method", METHOD_TITLE),
            ("control", "Document control", CONTROL_TITLE),
        ]
        numbered = [
            (place, f"{number} {topic}", title)
            for number, (place, topic, title) in enumerate(sections, start=1)
        ]
        return [("summary", "Executive summary", self.summary_title), *numbered]


METHOD_TITLE = "How the levels were reached, and what they do not say"
CONTROL_TITLE = "Version, sign-off, distribution and verification"


def _meet(part: int, whole: int) -> str:
    """As "45 of 72 requirements meet their target", as a sentence without its stop."""
    if whole == 1:
        return f"The one requirement {'meets' if part else 'is below'} its target"
    return (
        f"{capital(out_of(part, whole, 'requirement'))} {_verb(part, 'meet')} {_its(part)} target"
    )


def _are_proven(part: int, whole: int) -> str:
    """As "45 of 72 requirements are proven", as a sentence without its stop."""
    if whole == 1:
        return f"The one requirement is {'' if part else 'not '}proven"
    return f"{capital(out_of(part, whole, 'requirement'))} {_is(part)} proven"


def _claim(row: Requirement) -> str:
    return (
        f"{clip(row['title'], 42)}: level {row['level']}, {LEVELS[row['level']].lower()}, against a"
        f" target of {row['target']}"
    )


def _why(row: Requirement) -> str:
    """The worst fact behind a level, with its consequence, in about two lines."""
    reason = worst_reason(row)
    if reason is None:
        return (
            clip(sentence(row["derived_text"]), 215)
            or f"No control and no evidence support {row['ref']}."
        )
    return clip(
        f"{row['ref']}: {sentence(reason['fact'])} {sentence(reason['consequence'])}".strip(), 215
    )


def anchor(ref: str) -> str:
    """The place in the document where a function, category or requirement stands."""
    return "r-" + re.sub(r"[^a-z0-9]+", "-", ref.lower())


def many_digits(count: int, noun: str) -> str:
    """For labels and tables, where numbers stay digits."""
    return f"{count} {noun if count == 1 else noun + 's'}"


def _is_word(text: str) -> bool:
    """The first word is an ordinary word, so that its capital may be lowered inside a sentence."""
    first = text.split(" ", 1)[0]
    return first.isalpha() and first[1:].islower()


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _has(count: int) -> str:
    return "has" if count == 1 else "have"


def _its(count: int) -> str:
    return "its" if count == 1 else "their"


def _verb(count: int, verb: str) -> str:
    return f"{verb}s" if count == 1 else verb


def _is_worth(count: int) -> str:
    return "is worth" if count == 1 else "are worth"
