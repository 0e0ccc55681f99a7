"""What the readers of evaluation files agree on."""

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
    """Why a file isn't an evaluation that counts, and where in it."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}" if place else reason)
        self.place = place
        self.reason = reason


class RunOutcome(StrEnum):
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class CaseOutcome(StrEnum):
    """Only a scored case counts; one that failed or has no score is not a zero."""

    SCORED = "scored"
    FAILED = "failed"
    UNSCORED = "unscored"


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a file says about its run; texts are empty where it says nothing."""

    tool: str
    tool_version: str = ""
    run_id: str = ""
    suite: str = ""
    suite_version: str = ""
    model: str = ""
    outcome: RunOutcome = RunOutcome.COMPLETED
    problem: str = ""  # why it failed
    started_at: str = ""  # ISO 8601, as the file has it
    completed_at: str = ""
    judges: tuple[str, ...] = ()
    cases_planned: int | None = None
    # what 1 means by name, "good" or "bad", as the file states it; None where its format defines it
    true_is: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """One case of a run: its name, repetition and scores by measure; milliseconds and money."""

    case: str
    repetition: int = 1
    outcome: CaseOutcome = CaseOutcome.SCORED
    scores: Mapping[str, float] = field(default_factory=dict)
    source: str = ""  # of the case, such as a document; cases of one source move together
    latency_ms: float | None = None
    cost: float | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ReportedMeasure:
    """A figure that the tool computed itself, with what it says about how certain it is."""

    name: str
    value: float
    n: int | None = None
    successes: int | None = None
    deviation: float | None = None  # standard deviation of the samples
    lower_is_better: bool = False


type EvaluationRecord = RunFacts | CaseRecord | ReportedMeasure


def score_of(value: Any, place: str) -> float | None:
    """Return a score as a number; None where the tool gave none (null, NaN).

    Raises FileRefused for text that is no verdict: what "true" means is for the tool to say.
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
    """Return a count. Raises FileRefused where it isn't a whole number of at least 0."""
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
    """Return a name or id as text, cut to 200 characters; empty where there is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)[:MAX_NAME_LENGTH]


def object_of(value: Any) -> Mapping[str, Any]:
    """Return an object, empty where there is none."""
    if type(value) is dict:  # what parsers make, without the slow question of an abstract class
        return value
    return value if isinstance(value, Mapping) else {}
