"""Types and parsers shared by the readers of evaluation files."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

MAX_NAME_LENGTH = 200
MAX_COUNT = 1_000_000_000
VERDICT_LETTERS = {
    "C": 1.0,
    "I": 0.0,
    "P": 0.5,
    "N": 0.0,
}  # Inspect: correct, incorrect, partial, none
SPOKEN_VERDICTS = {"true", "false", "yes", "no"}


class FileRefused(Exception):
    """The reason why a file isn't a valid evaluation, and the place in it."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}" if place else reason)
        self.place = place
        self.reason = reason


class RunOutcome(StrEnum):
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class CaseOutcome(StrEnum):
    """The outcome of a case. Only a scored case counts; a failed or unscored one is not a zero."""

    SCORED = "scored"
    FAILED = "failed"
    UNSCORED = "unscored"


@dataclass(frozen=True, slots=True)
class RunFacts:
    """The facts about a run in its file. Texts are empty if the file lacks them."""

    tool: str
    tool_version: str = ""
    run_id: str = ""
    suite: str = ""
    suite_version: str = ""
    model: str = ""
    outcome: RunOutcome = RunOutcome.COMPLETED
    problem: str = ""  # Reason why it failed
    started_at: str = ""  # ISO 8601, as the file has it
    completed_at: str = ""
    judges: tuple[str, ...] = ()
    cases_planned: int | None = None
    # The meaning of 1, "good" or "bad", as the file states it; None if its format defines it.
    true_is: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """One case of a run: name, repetition and scores by measure; milliseconds and money."""

    case: str
    repetition: int = 1
    outcome: CaseOutcome = CaseOutcome.SCORED
    scores: Mapping[str, float] = field(default_factory=dict)
    source: str = ""  # Source of the case, such as a document; its cases move together
    latency_ms: float | None = None
    cost: float | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ReportedMeasure:
    """A figure that the tool computed itself, with its reported uncertainty."""

    name: str
    value: float
    n: int | None = None
    successes: int | None = None
    deviation: float | None = None  # Standard deviation of the samples
    lower_is_better: bool = False


type EvaluationRecord = RunFacts | CaseRecord | ReportedMeasure


def score_of(value: Any, place: str) -> float | None:
    """Return a score as a number, or None if the tool gave none (null, NaN).

    Raises FileRefused for text that isn't a verdict: the tool must define what "true" means.
    """
    if value is None:
        return None
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        if value in VERDICT_LETTERS:
            return VERDICT_LETTERS[value]
        if value.casefold() in SPOKEN_VERDICTS:
            raise FileRefused(
                place, f"The score is the text “{value}”. Write true or false, without quotes."
            )
        raise FileRefused(place, f"The score is the text “{value[:40]}”, which is no number.")
    if isinstance(value, int | float):
        return float(value) if math.isfinite(value) else None
    raise FileRefused(place, "The score is neither a number nor a verdict.")


def count_of(value: Any, place: str, name: str) -> int:
    """Return a count. Raises FileRefused unless it is an integer of at least 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise FileRefused(place, f"“{name}” isn't a whole number.")
    if value < 0:
        raise FileRefused(place, f"“{name}” is negative.")
    if value > MAX_COUNT:
        raise FileRefused(place, f"“{name}” is more than {MAX_COUNT:,}.")
    return int(value)


def number_of(value: Any) -> float | None:
    """Return a finite number, or None for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def text_of(value: Any) -> str:
    """Return a name or id as text, cut to 200 characters, or empty text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)[:MAX_NAME_LENGTH]


def object_of(value: Any) -> Mapping[str, Any]:
    """Return an object, or an empty one."""
    if type(value) is dict:  # Parsers make dicts; this avoids the slow check for an abstract class.
        return value
    return value if isinstance(value, Mapping) else {}
