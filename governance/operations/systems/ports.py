"""Ports of the register that features above it implement.

evaluations_of(…)      the newest run of each of these AI systems, by model
data_sets_named(…)     known data sets, by the names that systems use
law_in_force()         the version of the EU AI Act that a class is given under today
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from governance.kernel.ports import Port


@dataclass(frozen=True, slots=True)
class ModelRun:
    """The newest evaluation of an AI system on a model. `state` is a kind of c.state.

    `earlier` is the newest one of the same suite on a model that this one succeeds, if they can be
    compared.
    """

    system: str  # slug
    run_id: UUID
    name: str  # "Run 12"
    words: str  # "3 pass, 1 fail"
    state: str
    earlier: UUID | None = None
    earlier_name: str = ""


@dataclass(frozen=True, slots=True)
class NamedDataSet:
    """A data set that an AI system names. `state` is a kind of c.state, `words` its text."""

    data_set_id: UUID
    state: str
    words: str  # "Stale since 15 Nov 2026"


type EvaluationsOf = Callable[
    [Mapping[str, Mapping[str, Collection[str]]]], Mapping[str, Sequence[ModelRun]] | None
]  # Earlier models by system slug, by model; None if evaluations aren't visible
type DataSetsNamed = Callable[[Collection[str]], Mapping[str, NamedDataSet]]

evaluations_of: Port[EvaluationsOf] = Port(
    "evaluations of models that succeed others", default=lambda _systems: None
)
data_sets_named: Port[DataSetsNamed] = Port(
    "what is known of data sets that AI systems name", default=lambda _names: {}
)
law_in_force: Port[Callable[[], str]] = Port(
    "the version of the EU AI Act that classes are given under", default=lambda: ""
)
