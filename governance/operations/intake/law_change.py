"""Compare two law versions for a system classified under the earlier one. Pure.

    compare(given, before=…, after=…, on=…) -> LawChange

A class stays until a person confirms it. If triage gives another class than before, or the answers
lack something that the new version asks, the system needs a new classification instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from governance.operations.intake.law import Law, Practice
from governance.operations.intake.questions import ANNEX_III, NONE, SAFEGUARDS
from governance.operations.intake.triage import (
    EU_CLASSES,
    LegalDuty,
    TriageReason,
    legal_duties,
    triage,
)

COVERED = ("high_risk", "transparency", "minimal")  # Classes that practices could still change


@dataclass(frozen=True, slots=True)
class Classified:
    """A classified system by its record.

    `answers` are those of its proposal, or None if a person entered the class without one.
    """

    eu_class: str
    role: str = ""
    placed_on: date | None = None
    answers: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ChangedDuty:
    """A tenant's duty that begins, ends or moves to another day under the new version."""

    text: str
    source: str
    before: date | None
    after: date | None


@dataclass(frozen=True, slots=True)
class LawChange:
    """The differences for one system.

    `class_after` and `reasons` come from triage of its answers; they are empty without answers.
    `unasked` are practices that the version before didn't prohibit.
    """

    before: Law
    after: Law
    eu_class: str
    class_before: str
    class_after: str
    reasons: tuple[TriageReason, ...]
    duties: tuple[ChangedDuty, ...]
    unasked: tuple[Practice, ...]
    lacks_safeguards: bool

    @property
    def why_not_confirmed(self) -> str | None:
        """The reason why it needs a new classification, or None if the class can be confirmed."""
        if self.class_after not in {self.class_before, self.eu_class}:
            return (
                f"Its answers lead to “{EU_CLASSES[self.class_after]}” under the law as amended, and"
                f" the register says “{EU_CLASSES[self.eu_class]}”. Classify it again."
            )
        if self.lacks_safeguards:
            practices = " and ".join(each.ref for each in self.unasked)
            return (
                "It creates content, and nobody was asked yet whether safeguards keep it from what"
                f" {practices} prohibit. Classify it again."
            )
        return None


def compare(given: Classified, *, before: Law, after: Law, on: date) -> LawChange:
    """Compare two versions of the law for a system, as of a day."""
    answers = given.answers
    asked = {} if answers is None else answers
    found = [triage(asked, act=each, on=on, placed_on=given.placed_on) for each in (before, after)]
    unasked = tuple(each for key, each in after.practices.items() if _is_new(key, each, before))
    has_answers = answers is not None
    return LawChange(
        before,
        after,
        given.eu_class,
        found[0].eu_class if has_answers else "",
        found[1].eu_class if has_answers else "",
        found[1].eu_reasons if has_answers else (),
        _changed(duties_of(given, before), duties_of(given, after)),
        unasked,
        bool(unasked) and found[1].eu_class in COVERED and SAFEGUARDS in found[1].open,
    )


def _is_new(key: str, practice: Practice, before: Law) -> bool:
    """Return True if no practice of the version before covers it; (b) was part of (a, b)."""
    letter = practice.ref.rpartition("(")[2].rstrip(")")
    covered = {
        part.strip(" )")
        for each in before.practices.values()
        for part in each.ref.rpartition("(")[2].split(",")
    }
    return key not in before.practices and letter not in covered


def duties_of(given: Classified, act: Law) -> tuple[LegalDuty, ...]:
    """Return the duties of a classified system under a version of the law.

    Without answers, duties that depend on one are listed too, and a person checks which apply.
    """
    answers = dict(ASSUMED.get(given.eu_class, {}) if given.answers is None else given.answers)
    if given.role:
        answers["role"] = given.role
    return legal_duties(answers, given.eu_class, act=act, placed_on=given.placed_on)


# Assumed answers of a class without answers.
ASSUMED: Mapping[str, Mapping[str, Any]] = {
    "high_risk": {"area": next(iter(ANNEX_III)), "task": NONE, "service": "public"},
    "transparency": {"contact": ["creates", "deepfake", "senses", "talks"]},
}


def _changed(
    before: tuple[LegalDuty, ...], after: tuple[LegalDuty, ...]
) -> tuple[ChangedDuty, ...]:
    days = [
        {each.source: each.applies_from for each in duties if each.is_ours}
        for duties in (before, after)
    ]
    titles = {each.source: each.text for each in (*before, *after)}
    return tuple(
        ChangedDuty(title, source, days[0].get(source), days[1].get(source))
        for source, title in titles.items()
        if days[0].get(source) != days[1].get(source)
    )
