"""How far a requirement is met: our own scale of five levels, derived from the controls that answer for it. Pure.

    derive(answers) -> Derived       the level with its reasons, and what lifts it to each higher one
    level_of(answers) -> int         the level alone
    coverage(standings) -> Share     points reached over points of the target
    gaps(standings) -> [Gap]         ordered by what closing them would move

The NIST AI RMF has no scale of maturity; this one is ours: 0 not addressed, 1 partial, 2 addressed, 3 evidenced,
4 evidenced and effective over the period. Worse controls never give a better level.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from governance.controls.status import SEVERITIES, ControlFacts, Reason, Status

LEVELS = ("Not addressed", "Partial", "Addressed", "Evidenced", "Effective")
EVIDENCED, HIGHEST = 3, 4
SHOWN = 3  # refs in a sentence
NO_FAILURE = "No control fails"
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
    def is_red(self) -> bool:
        """A reason forbids signing off: something failed or is overdue."""
        return any(reason.severity == "bad" for reason in self.reasons)


def derive(answers: Sequence[Answer]) -> Derived:
    """The level of one requirement from the controls mapped to it."""
    level = level_of((how_far, status) for _, how_far, status in answers)
    reasons = _reasons(answers, level)
    return Derived(level, reasons, tuple(answers), _ladder(answers, level))


def level_of(answers: Iterable[tuple[str, Status]]) -> int:
    """Our scale, from (full or partial, status) of each control that answers.

    0 nothing answers; 1 something fails; 2 something is missing or due, or nothing covers it in full;
    3 all is proved on the day; 4 and everything that covers it in full worked over the whole period.
    """
    names, full = set(), set()
    for how_far, status in answers:
        names.add(status.name)
        if how_far == "full":
            full.add(status.name)
    if not names:
        return 0
    if "failing" in names:
        return 1
    if "missing" in names or "due" in names or not full:
        return 2
    return HIGHEST if full == {"effective"} else EVIDENCED


def _reasons(answers: Sequence[Answer], level: int) -> tuple[Reason, ...]:
    """What keeps it from the next level, the worst first, each once. What is merely open is said where it is all that is left."""
    if not answers:
        return (Reason("bad", "No control answers for it.", "Map a control that does.", "requirement", "", None),)
    if level == HIGHEST:
        return ()
    found = [reason for _, _, status in answers for reason in status.reasons if reason.severity != "open" or level == EVIDENCED]
    if not any(how_far == "full" for _, how_far, _ in answers):
        found.append(
            Reason("warn", "No control covers it in full.", "What answers for it does so in part.", "requirement", "", None)
        )
    return tuple(sorted(dict.fromkeys(found), key=lambda reason: SEVERITIES.index(reason.severity)))


def _ladder(answers: Sequence[Answer], level: int) -> tuple[str, ...]:
    failing = [control.ref for control, _, status in answers if status.name == "failing"]
    waiting = [control.ref for control, _, status in answers if status.name in {"missing", "due"} and not status.rests]
    resting = [control.ref for control, _, status in answers if status.name == "due" and status.rests]
    unproven = [control.ref for control, how_far, status in answers if status.name != "effective" and how_far == "full"]
    full = any(how_far == "full" for _, how_far, _ in answers)
    steps = (
        "",
        "Map a control",
        f"Mend {_listed(failing)}" if failing else NO_FAILURE,
        " and ".join(
            [f"complete the evidence of {_listed(waiting)}"] * bool(waiting)
            + [f"settle what {_listed(resting)} rests on"] * bool(resting)
            + ["map a control in full"] * bool(answers and not full)
        )
        or "All evidence accepted and fresh",
        f"Show that {_listed(unproven)} worked all period" if unproven else "Hold for the whole period",
    )
    return tuple(text[:1].upper() + text[1:] if number > level else "" for number, text in enumerate(steps))


def _listed(refs: Sequence[str]) -> str:
    return ", ".join(refs[:SHOWN]) + (f" and {len(refs) - SHOWN} more" if len(refs) > SHOWN else "")


@dataclass(frozen=True, slots=True)
class Standing:
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
    """Points reached of the points of the target; a point is one level of one requirement, up to its target.

    `met`: how many of `count` requirements reach their target. `levels`: how many stand at 0, 1, 2, 3, 4.
    """

    reached: int
    wanted: int
    met: int
    count: int
    levels: tuple[int, int, int, int, int]

    @property
    def percent(self) -> float:
        return 100 * self.reached / self.wanted if self.wanted else 100.0


def coverage(standings: Iterable[Standing]) -> Share:
    """The one formula: what stands above its target makes up for nothing that stands below. No target at all is 100 %."""
    rows = list(standings)
    zero, one, two, three, four = (sum(row.level == level for row in rows) for level in range(len(LEVELS)))
    return Share(
        reached=sum(min(row.level, row.target) for row in rows), wanted=sum(row.target for row in rows),
        met=sum(row.short == 0 for row in rows), count=len(rows), levels=(zero, one, two, three, four),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Gap:
    """What closing one requirement's gap would move: percentage points overall and in its function."""

    standing: Standing
    moves: float
    moves_function: float


def gaps(standings: Sequence[Standing]) -> list[Gap]:
    """Those below target, the one that moves most first; of equals, the lowest level first."""
    overall = sum(s.target for s in standings) or 1
    wanted: dict[str, int] = {}
    for each in standings:
        wanted[each.function] = wanted.get(each.function, 0) + each.target
    found = [Gap(s, 100 * s.short / overall, 100 * s.short / wanted[s.function]) for s in standings if s.short]
    return sorted(found, key=lambda gap: (-gap.moves, gap.standing.level, gap.standing.ref))
