"""How far a requirement is met: our own scale of five levels, derived from the controls mapped to
it. Pure.

    derive(answers) -> Derived       the level with its reasons, and what raises it to each higher
                                     one
    level_of(answers) -> int         the level alone
    is_proven(level) -> bool         whether everything mapped to the requirement is evidenced
    coverage(standings) -> Share     how many are proven, and points reached over points of the
                                     target
    gaps(standings) -> [Gap]         ordered by what closing them would move

The NIST AI RMF has no scale of maturity; this one is ours: 0 not addressed, 1 partial, 2 addressed,
3 evidenced, 4 evidenced and effective over the period. A level is credit for evidence: a control
that is only designed gives none. Worse controls never give a better level.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from governance.assurance.controls.status import SEVERITIES, ControlFacts, Reason, Status

LEVELS = ("Not addressed", "Partial", "Addressed", "Evidenced", "Effective")
RULE = (
    "no control is mapped, or no evidence of a mapped control is accepted",
    "a control fails: a failed sample, overdue or rejected evidence",
    "evidence is missing or in review, or no control covers it in full",
    "all evidence is accepted and current",
    "all evidence is accepted and current, covers the whole period, and the last tests passed",
)
EVIDENCED, HIGHEST = 3, 4
SHOWN = 3  # refs in a sentence
FIRST_EVIDENCE = "First evidence accepted"
NO_FAILURE = "No control fails"
ALL_EVIDENCE = "All evidence accepted and current"
type Answer = tuple[ControlFacts, str, Status]


@dataclass(frozen=True, slots=True)
class Derived:
    """`ladder` holds, for each level, what lifts to it (empty for those that are reached)."""

    level: int
    reasons: tuple[Reason, ...]
    controls: tuple[Answer, ...]
    ladder: tuple[str, ...]

    @property
    def word(self) -> str:
        return LEVELS[self.level]

    @property
    def is_proven(self) -> bool:
        return is_proven(self.level)

    @property
    def is_red(self) -> bool:
        """A reason forbids signing off: something failed or is overdue."""
        return any(reason.severity == "bad" for reason in self.reasons)


def derive(answers: Sequence[Answer]) -> Derived:
    """The level of one requirement from the controls mapped to it."""
    level = level_of((how_far, status) for _, how_far, status in answers)
    reasons = _reasons(answers, level)
    return Derived(level, reasons, tuple(answers), _ladder(answers, level))


def level_of(answers: Iterable[tuple[str, Status]]) -> int:
    """Our scale, from (full or partial, status) of each mapped control.

    0 no control is mapped, or none has an accepted version of its evidence; 1 a control fails; 2
    evidence is missing, or in review, or no control covers it in full; 3 all evidence is accepted
    and current; 4 and every control that covers it in full worked over the whole period. Evidence
    that falls due soon is current until its deadline.
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
    return HIGHEST if full == {"effective"} else EVIDENCED


def is_proven(level: int) -> bool:
    """Whether a requirement at this level is proven.

    It is when at least one control covers it in full and every control mapped to it has all of its
    evidence accepted by a second person and current, with no failed test, open exception or failed
    drill. That is level 3 and above, so "proven" is read off the level and can never contradict it.

    >>> [is_proven(level) for level in range(5)]
    [False, False, False, True, True]
    """
    return level >= EVIDENCED


def _reasons(answers: Sequence[Answer], level: int) -> tuple[Reason, ...]:
    """What keeps it from the next level, the worst first, each once.

    Open reasons count only where nothing else is left; evidence that is current keeps it from
    nothing.
    """
    if not answers:
        return (
            Reason(
                "bad",
                "No control is mapped to it.",
                "Map a control that covers it.",
                "requirement",
                "",
                None,
            ),
        )
    if level == HIGHEST:
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
            Reason(
                "warn",
                "No control covers it in full.",
                "The mapped controls cover it in part.",
                "requirement",
                "",
                None,
            )
        )
    return tuple(sorted(dict.fromkeys(found), key=lambda reason: SEVERITIES.index(reason.severity)))


def _ladder(answers: Sequence[Answer], level: int) -> tuple[str, ...]:
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
        f"Fix {_listed(failing)}" if failing else NO_FAILURE,
        " and ".join(
            [f"complete the evidence of {_listed(waiting)}"] * bool(waiting)
            + [f"settle what {_listed(resting)} rests on"] * bool(resting)
            + ["map a control in full"] * bool(answers and not full)
        )
        or ALL_EVIDENCE,
        (
            f"Show that {_listed(unproven)} worked all period"
            if unproven
            else "Hold for the whole period"
        ),
    )
    return tuple(
        text[:1].upper() + text[1:] if number > level else "" for number, text in enumerate(steps)
    )


def _listed(refs: Sequence[str]) -> str:
    return ", ".join(refs[:SHOWN]) + (f" and {len(refs) - SHOWN} more" if len(refs) > SHOWN else "")


@dataclass(frozen=True, slots=True)
class RequirementLevel:
    """A requirement's level against its target. `function` is the top of the tree above it."""

    ref: str
    level: int
    target: int
    function: str = ""

    @property
    def short(self) -> int:
        return max(0, self.target - self.level)


@dataclass(frozen=True, slots=True)
class Share:
    """Points reached of the points of the target; a point is one level of one requirement, up to
    its target.

    `met`: how many of `count` requirements reach their target. `levels`: how many are at 0, 1, 2,
    3, 4.
    """

    reached: int
    wanted: int
    met: int
    count: int
    levels: tuple[int, int, int, int, int]

    @property
    def proven(self) -> int:
        """How many of `count` are proven: the number that leads wherever coverage is shown."""
        return sum(count for level, count in enumerate(self.levels) if is_proven(level))

    @property
    def percent(self) -> float:
        return 100 * self.reached / self.wanted if self.wanted else 100.0


def coverage(standings: Iterable[RequirementLevel]) -> Share:
    """The one formula: levels above a target make up for none below another.

    Without any target it is 100 %.

    As an example, levels 3 and 0 against targets of 3 and 3 are 1 of 2 proven, with 50 % coverage.
    """
    rows = list(standings)
    zero, one, two, three, four = (
        sum(row.level == level for row in rows) for level in range(len(LEVELS))
    )
    return Share(
        reached=sum(min(row.level, row.target) for row in rows),
        wanted=sum(row.target for row in rows),
        met=sum(row.short == 0 for row in rows),
        count=len(rows),
        levels=(zero, one, two, three, four),
    )


@dataclass(frozen=True, slots=True)
class Gap:
    """What closing one requirement's gap would move: percentage points overall and in its
    function.
    """

    standing: RequirementLevel
    moves: float
    moves_function: float


def gaps(standings: Sequence[RequirementLevel]) -> list[Gap]:
    """Those below target, the one that moves most first; of equals, the lowest level first."""
    overall = sum(s.target for s in standings) or 1
    wanted: dict[str, int] = {}
    for each in standings:
        wanted[each.function] = wanted.get(each.function, 0) + each.target
    found = [
        Gap(s, 100 * s.short / overall, 100 * s.short / wanted[s.function])
        for s in standings
        if s.short
    ]
    return sorted(found, key=lambda gap: (-gap.moves, gap.standing.level, gap.standing.ref))
