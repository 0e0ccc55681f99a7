"""Derive how far a requirement is met, on Meridian's scale of five levels. Pure.

    derive_level(answers)      the level with its reasons, and what raises it to each higher level
    level_of(answers)          the level alone
    is_proven(level)           whether everything mapped to the requirement is evidenced
    coverage(requirements)     how many are proven, and points reached over points of the targets
    gaps(requirements)         the gaps, largest gain first

The NIST AI RMF has no maturity scale, so this one is Meridian's: 0 not addressed, 1 partial, 2
addressed, 3 evidenced, 4 effective over the period. A level is credit for evidence: a control that
is only designed gives none. Worse controls never give a better level.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from governance.assurance.controls.status import (
    SEVERITIES,
    ControlFacts,
    CurrentStatus,
    Status,
    StatusReason,
)

LEVELS = ("Not addressed", "Partial", "Addressed", "Evidenced", "Effective")
RULE = (
    "no control is mapped, or no evidence of a mapped control is accepted",
    "a control fails: a failed sample, overdue or rejected evidence",
    "evidence is missing or in review, or no control fully covers it",
    "all evidence is accepted and current",
    "all evidence is accepted and current, covers the whole period, and the last tests passed",
)
EVIDENCED, HIGHEST_LEVEL = 3, 4
MAX_REFS_SHOWN = 3  # Refs in a sentence
FIRST_EVIDENCE = "First evidence accepted"
NO_FAILURE = "No control fails"
ALL_EVIDENCE = "All evidence accepted and current"
KEEP_UP = "Stay at this level for the whole period"
type MappedControl = tuple[ControlFacts, str, Status]


@dataclass(frozen=True, slots=True)
class DerivedLevel:
    """A derived level. `ladder` describes what raises it to each higher level; "" for reached ones."""

    level: int
    reasons: tuple[StatusReason, ...]
    controls: tuple[MappedControl, ...]
    ladder: tuple[str, ...]

    @property
    def word(self) -> str:
        return LEVELS[self.level]

    @property
    def is_proven(self) -> bool:
        return is_proven(self.level)

    @property
    def is_red(self) -> bool:
        """True if something failed or is overdue, which prevents signing off."""
        return any(reason.severity == "bad" for reason in self.reasons)


def derive_level(answers: Sequence[MappedControl]) -> DerivedLevel:
    """Return the level of a requirement from the controls mapped to it."""
    level = level_of((how_far, status) for _, how_far, status in answers)
    reasons = _reasons(answers, level)
    return DerivedLevel(level, reasons, tuple(answers), _ladder(answers, level))


def level_of(answers: Iterable[tuple[str, CurrentStatus]]) -> int:
    """Return the level from (full or partial, status) of each mapped control.

    0: no control is mapped, or none has accepted evidence. 1: a control fails. 2: evidence is
    missing or in review, or no control covers the requirement in full. 3: all evidence is accepted
    and current. 4: in addition, every control that covers it in full worked over the whole period.
    Evidence that falls due soon is current until its deadline.
    """
    names, full, has_evidence = set(), set(), False
    for how_far, status in answers:
        names.add(status.current)
        has_evidence = has_evidence or status.has_evidence
        if how_far == "full":
            full.add(status.current)
    if not has_evidence:
        return 0
    if "failing" in names:
        return 1
    if "missing" in names or "due" in names or not full:
        return 2
    return HIGHEST_LEVEL if full == {"effective"} else EVIDENCED


def is_proven(level: int) -> bool:
    """Return whether a requirement at this level is proven.

    That is level 3 and above: at least one control covers it in full, and every mapped control has
    all of its evidence accepted by a second person and current, with no failed test, open exception
    or failed drill. It follows from the level, so it can't contradict it.

        >>> [is_proven(level) for level in range(5)]
        [False, False, False, True, True]
    """
    return level >= EVIDENCED


def _reasons(answers: Sequence[MappedControl], level: int) -> tuple[StatusReason, ...]:
    """Return what prevents the next level, the worst first, each once.

    Open reasons count only where no worse ones are left.
    """
    if not answers:
        return (
            StatusReason(
                "bad",
                "No control is mapped.",
                "Map a control that covers the requirement.",
                "requirement",
                "",
                None,
            ),
        )
    if level == HIGHEST_LEVEL:
        return ()
    counted = {"bad", "warn", "open"} if level == EVIDENCED else {"bad", "warn"}
    found = [
        reason
        for _, _, status in answers
        for reason in status.reasons
        if reason.severity in counted
    ]
    if not any(how_far == "full" for _, how_far, _ in answers):
        found.append(
            StatusReason(
                "warn",
                "No control fully covers the requirement.",
                "The mapped controls cover only part of it.",
                "requirement",
                "",
                None,
            )
        )
    return tuple(sorted(dict.fromkeys(found), key=lambda reason: SEVERITIES.index(reason.severity)))


def _ladder(answers: Sequence[MappedControl], level: int) -> tuple[str, ...]:
    failing = [control.ref for control, _, status in answers if status.current == "failing"]
    waiting = [
        control.ref
        for control, _, status in answers
        if status.current in {"missing", "due"} and not status.rests
    ]
    resting = [
        control.ref for control, _, status in answers if status.current == "due" and status.rests
    ]
    unproven = [
        control.ref
        for control, how_far, status in answers
        if status.current != "effective" and how_far == "full"
    ]
    full = any(how_far == "full" for _, how_far, _ in answers)
    steps = (
        "",
        FIRST_EVIDENCE if answers else "Map a control",
        f"Fix {_enumerate(failing)}" if failing else NO_FAILURE,
        " and ".join(
            [f"complete the evidence for {_enumerate(waiting)}"] * bool(waiting)
            + [f"resolve the drills, policy or waivers behind {_enumerate(resting)}"]
            * bool(resting)
            + ["map a control that fully covers it"] * bool(answers and not full)
        )
        or ALL_EVIDENCE,
        (f"Show that {_enumerate(unproven)} worked for the whole period" if unproven else KEEP_UP),
    )
    return tuple(
        text[:1].upper() + text[1:] if number > level else "" for number, text in enumerate(steps)
    )


NEXT_LEVEL_NEEDS = {
    2: "Level 3 needs all evidence accepted and current",
    3: "Level 4 needs passed tests and evidence for the whole period",
}


def explain_fall(derived: DerivedLevel) -> str:
    """Return why a level fell, even if nothing is late yet, or "" if no reason is known."""
    if not derived.reasons:
        return ""
    worst = derived.reasons[0]
    if worst.severity == "bad" or derived.level not in NEXT_LEVEL_NEEDS:
        return worst.fact
    return f"Nothing is overdue. {NEXT_LEVEL_NEEDS[derived.level]}: {worst.fact}"


def _enumerate(refs: Sequence[str]) -> str:
    return ", ".join(refs[:MAX_REFS_SHOWN]) + (
        f" and {len(refs) - MAX_REFS_SHOWN} more" if len(refs) > MAX_REFS_SHOWN else ""
    )


@dataclass(frozen=True, slots=True)
class RequirementLevel:
    """A requirement's level and target. `function` is the top node above it."""

    ref: str
    level: int
    target: int
    function: str = ""

    @property
    def short(self) -> int:
        return max(0, self.target - self.level)


@dataclass(frozen=True, slots=True)
class Share:
    """Points reached out of the points of the targets; a point is one level of one requirement.

    `met` of `count` requirements reach their target. `levels` counts those at 0, 1, 2, 3 and 4.
    """

    reached: int
    wanted: int
    met: int
    count: int
    levels: tuple[int, int, int, int, int]

    @property
    def proven(self) -> int:
        """The number of proven requirements out of `count`."""
        return sum(count for level, count in enumerate(self.levels) if is_proven(level))

    @property
    def percent(self) -> float:
        return 100 * self.reached / self.wanted if self.wanted else 100.0


def coverage(requirements: Iterable[RequirementLevel]) -> Share:
    """Return the coverage of requirements; without any target it is 100%.

    A level above one target doesn't make up for another below. Levels 3 and 0 with targets 3 and 3,
    for example, are 1 of 2 proven and 50% coverage.
    """
    rows = list(requirements)
    counts = Counter(row.level for row in rows)
    zero, one, two, three, four = (counts[level] for level in range(len(LEVELS)))
    return Share(
        reached=sum(min(row.level, row.target) for row in rows),
        wanted=sum(row.target for row in rows),
        met=sum(row.level >= row.target for row in rows),
        count=len(rows),
        levels=(zero, one, two, three, four),
    )


@dataclass(frozen=True, slots=True)
class CoverageGap:
    """The gain from closing a gap, in percentage points of total coverage and of its function's."""

    requirement: RequirementLevel
    moves: float
    moves_function: float


def gaps(requirements: Sequence[RequirementLevel]) -> list[CoverageGap]:
    """Return the requirements below target, largest gain first, then lowest level."""
    overall = sum(s.target for s in requirements) or 1
    function_target: dict[str, int] = {}
    for each in requirements:
        function_target[each.function] = function_target.get(each.function, 0) + each.target
    found = [
        CoverageGap(s, 100 * s.short / overall, 100 * s.short / function_target[s.function])
        for s in requirements
        if s.short
    ]
    return sorted(found, key=lambda gap: (-gap.moves, gap.requirement.level, gap.requirement.ref))
