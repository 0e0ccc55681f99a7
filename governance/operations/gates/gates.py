"""Gates: the figures that decide if a rollout may advance, and that halt it.

Features add gates in their manifests (`extensions=(GATES(…),)`). Each gate reads one kind of
figure:

guardrail    a failure halts the rollout or rolls it back automatically
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
VERDICTS: Mapping[GateVerdict, tuple[str, str]] = {  # Kind of c.state, and label
    "pass": ("ok", "Pass"),
    "fail": ("bad", "Fails"),
    "undecided": ("due", "Undecided"),
    "missing": ("due", "Missing"),
}


@dataclass(frozen=True, slots=True)
class GateSubject:
    """The subject of a gate. `is_reachable`: the policy allows this stage."""

    system_id: UUID
    system: str  # slug
    feature: str  # slug
    release: str
    previous: str
    stage: Stage | None  # None before the first
    since: datetime | None  # Time when the rollout entered its stage
    is_reachable: bool


@dataclass(frozen=True, slots=True)
class GateReading:
    """One figure of a gate: the requirement, the value, its sample size and the verdict.

    An approval binds to `figure`, so it is rounded to the precision of a human decision. `link` is
    (endpoint, values) of the figure's source page. Readers without `link_needs` can't open that
    page; with `counts_everything`, neither can auditors with a limited scope. Readers without
    `needs_permission` see only the verdict, as in the log of each step.
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
        """True if the reader may see the figure in addition to its verdict."""
        return self.needs_permission is None or allowed(self.needs_permission)

    @property
    def shown_link(self) -> tuple[str, Mapping[str, Any]] | None:
        """The link, if the reader may open that page."""
        hidden = not self.is_shown or (self.counts_everything and limits() is not None)
        may_open = self.link_needs is None or allowed(self.link_needs)
        return self.link if may_open and not hidden else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A gate. `read` yields no figure if the system has nothing to measure.

    Gates of one kind are shown by topic, and within a topic in the order of app/features.py.
    """

    key: str
    kind: GateKind
    topic: GateTopic
    read: Callable[[GateSubject], Iterable[GateReading]]


GATES: ExtensionPoint[Gate] = ExtensionPoint("gate", key=lambda gate: gate.key)


@dataclass(frozen=True, slots=True)
class GateResult:
    """A figure with its gate."""

    gate: str
    kind: GateKind
    reading: GateReading

    @property
    def verdict(self) -> GateVerdict:
        return self.reading.verdict

    def bound(self) -> dict[str, str]:
        """Return what an approval binds to: all except `detail` and `n`, which grow constantly."""
        read = self.reading
        return {
            "gate": self.gate,
            "name": read.name,
            "verdict": read.verdict,
            "needs": read.needs,
            "figure": read.figure,
        }

    def plain(self) -> dict[str, str]:
        """Return the result for a step and the audit log, without restricted figures."""
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
