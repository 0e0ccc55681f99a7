"""Gates: what decides whether a rollout may advance, and what halts it.

Features add gates by their manifests (`extensions=(GATES(…),)`), and each reads one kind of figure:

guardrail    a failure halts the rollout or rolls it back, by itself
signal       a failure pauses the rollout
condition    a failure only keeps the rollout from advancing

Missing or undecided data never passes, and never halts or pauses anything.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

from governance.kernel.extension_points import ExtensionPoint
from governance.kernel.safety.access import Permission, allowed
from governance.kernel.safety.visibility_scope import limits
from governance.operations.gates.stage import Stage

type GateKind = Literal["guardrail", "signal", "condition"]
type GateTopic = Literal["service", "quality", "cost", "traffic", "data", "findings", "policy"]
type GateVerdict = Literal["pass", "fail", "undecided", "missing"]

KINDS: Mapping[GateKind, str] = {
    "guardrail": "Guardrails: a failure halts or rolls back",
    "signal": "Signals: a failure only pauses",
    "condition": "Conditions: a failure keeps the rollout from advancing",
}
TOPICS: tuple[GateTopic, ...] = get_args(GateTopic.__value__)
VERDICTS: Mapping[GateVerdict, tuple[str, str]] = {  # kind of c.state, and what people read
    "pass": ("ok", "Pass"),
    "fail": ("bad", "Fails"),
    "undecided": ("due", "Undecided"),
    "missing": ("due", "Missing"),
}


@dataclass(frozen=True, slots=True)
class GateSubject:
    """What a gate reads about. `is_reachable`: the policy lets anybody into this stage."""

    system_id: UUID
    system: str  # its slug
    feature: str  # its slug
    release: str
    previous: str
    stage: Stage | None  # None before the first
    since: datetime | None  # when the rollout came to its stage
    is_reachable: bool


@dataclass(frozen=True, slots=True)
class GateReading:
    """One figure of a gate: what it needs, what it is, from how many, and the verdict.

    An approval binds to `figure`, so it is rounded to what a person would decide by.
    `link` is (endpoint, values) of the page that the figure comes from. With `counts_everything`, no
    auditor whose engagement leaves anything out opens that page, nor does who lacks `link_needs`. Who
    lacks `needs_permission` reads the verdict alone, as the log of each step does.
    """

    name: str
    verdict: GateVerdict
    needs: str
    figure: str
    detail: str = ""
    n: str = ""
    link: tuple[str, Mapping[str, Any]] | None = None
    counts_everything: bool = False
    link_needs: Permission | None = None
    needs_permission: Permission | None = None

    @property
    def is_shown(self) -> bool:
        """Whether the reader may see the figure, beside its verdict."""
        return self.needs_permission is None or allowed(self.needs_permission)

    @property
    def shown_link(self) -> tuple[str, Mapping[str, Any]] | None:
        """The link, where the reader has that page."""
        hidden = not self.is_shown or (self.counts_everything and limits() is not None)
        may_open = self.link_needs is None or allowed(self.link_needs)
        return self.link if may_open and not hidden else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A gate. `read` yields no figure where the system has nothing that it measures.

    Gates of one kind are shown by topic; those of one topic in the order of app/features.py.
    """

    key: str
    kind: GateKind
    topic: GateTopic
    read: Callable[[GateSubject], Iterable[GateReading]]


GATES: ExtensionPoint[Gate] = ExtensionPoint("gate", key=lambda gate: gate.key)


@dataclass(frozen=True, slots=True)
class GateResult:
    """A figure with the gate that it is of."""

    gate: str
    kind: GateKind
    reading: GateReading

    @property
    def verdict(self) -> GateVerdict:
        return self.reading.verdict

    def bound(self) -> dict[str, str]:
        """Return what an approval binds to: all but `detail` and `n`, which grow every minute."""
        read = self.reading
        return {
            "gate": self.gate,
            "name": read.name,
            "verdict": read.verdict,
            "needs": read.needs,
            "figure": read.figure,
        }

    def plain(self) -> dict[str, str]:
        """Return it as a step and the audit log keep it: without what not every reader may see."""
        read = self.reading
        hides = read.needs_permission is not None
        return {
            "gate": self.gate,
            "kind": self.kind,
            "name": read.name,
            "verdict": read.verdict,
            "needs": "" if hides else read.needs,
            "figure": "" if hides else read.figure,
            "detail": "" if hides else read.detail,
            "n": read.n,
        }


def every_gate() -> list[Gate]:
    """Return the gates of all features: guardrails, signals, conditions, each kind by topic."""
    kinds = list(KINDS)
    return sorted(
        GATES.parts(),
        key=lambda each: (kinds.index(each.kind), TOPICS.index(each.topic)),
    )


def read_all(subject: GateSubject) -> list[GateResult]:
    return [
        GateResult(gate.key, gate.kind, reading)
        for gate in every_gate()
        for reading in gate.read(subject)
    ]


def plain(results: Iterable[GateResult]) -> list[dict[str, str]]:
    return [each.plain() for each in results]


def fingerprint(results: Sequence[GateResult]) -> str:
    """Return the SHA-256 of all figures and verdicts."""
    bound = [each.bound() for each in results]
    return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()


def failing(results: Iterable[GateResult], kind: GateKind) -> list[GateResult]:
    return [each for each in results if each.kind == kind and each.verdict == "fail"]


def count(results: Iterable[GateResult], verdict: GateVerdict) -> int:
    return sum(each.verdict == verdict for each in results)
