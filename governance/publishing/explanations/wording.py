"""The wording of the public explanation, and the same as JSON. Pure.

It has nothing of the tenant except the system itself: no people, usage figures, incidents or
internal names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

USER_CONTROLS = ("Memory", "Sources", "Tone", "Verify with search")
VERDICTS = {"pass": "within its limit", "fail": "outside its limit", "undecided": "not decided yet"}
MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class LastEvaluation:
    """The newest evaluations, as (measure, "pass", "fail" or "undecided")."""

    at: datetime
    cases: int
    verdicts: Sequence[tuple[str, str]]

    @property
    def headline(self) -> str:
        passing = sum(verdict == "pass" for _name, verdict in self.verdicts)
        return f"{passing} of {len(self.verdicts)} measures within their limits"


@dataclass(frozen=True, slots=True)
class LastDrill:
    """The last time that people tested whether the system can be stopped."""

    at: datetime
    passed: bool
    slowest_ms: int | None

    @property
    def words(self) -> str:
        if not self.passed:
            return "Not every product stopped. It is being fixed."
        if self.slowest_ms is None:
            return "Every product stopped."
        return f"Every product stopped, the slowest within {self.slowest_ms / MILLISECONDS:.1f} s."


@dataclass(frozen=True, slots=True)
class PublicExplanation:
    """Everything that the page shows. `policy` has questions and answers."""

    name: str
    why: str
    purpose: str
    capabilities: Sequence[str]
    limits: Sequence[str]
    controls: Sequence[tuple[str, str]]
    policy: Sequence[tuple[str, str]]
    evaluation: LastEvaluation | None
    drill: LastDrill | None


def user_controls(*texts: str) -> tuple[tuple[str, str], ...]:
    """Return (control, what people can do with it) for the controls that the system has."""
    named = zip(USER_CONTROLS, texts, strict=True)
    return tuple((name, text) for name, text in named if text)


def as_json(found: PublicExplanation) -> dict[str, Any]:
    """Return the page as data for JSON. The fields are described in docs/api.md."""
    return {
        "name": found.name,
        "why": found.why,
        "purpose": found.purpose,
        "capabilities": list(found.capabilities),
        "limits": list(found.limits),
        "controls": [{"name": name, "text": text} for name, text in found.controls],
        "policy": [{"question": asks, "answer": answer} for asks, answer in found.policy],
        "last_evaluation": _evaluation(found.evaluation),
        "last_stop_drill": _drill(found.drill),
    }


def _evaluation(found: LastEvaluation | None) -> Mapping[str, Any] | None:
    if found is None:
        return None
    return {
        "at": _instant(found.at),
        "cases": found.cases,
        "measures": [{"name": name, "verdict": verdict} for name, verdict in found.verdicts],
    }


def _drill(found: LastDrill | None) -> Mapping[str, Any] | None:
    if found is None:
        return None
    return {"at": _instant(found.at), "passed": found.passed, "slowest_ms": found.slowest_ms}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
