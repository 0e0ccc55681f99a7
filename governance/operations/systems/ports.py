"""What the register asks of the features above it.

evaluations_of(…)      by model: the newest run of each of these AI systems on it
data_sets_named(…)     by what a system calls a data set: what is known of it
law_in_force()         the version of the EU AI Act that a class is given under today
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from governance.kernel.ports import Port


@dataclass(frozen=True, slots=True)
class ModelRun:
    """The newest evaluation of an AI system on a model. `state` is a kind of c.state.

    `earlier` is the newest one of the same suite on a model that this one succeeds, if the two can
    be compared.
    """

    system: str  # its slug
    run_id: UUID
    name: str  # "Run 12"
    words: str  # "3 pass, 1 fail"
    state: str
    earlier: UUID | None = None
    earlier_name: str = ""


@dataclass(frozen=True, slots=True)
class NamedDataSet:
    """A data set that an AI system names. `state` is a kind of c.state, `words` say it."""

    data_set_id: UUID
    state: str
    words: str  # "Stale since 15 Nov 2026"


type EvaluationsOf = Callable[
    [Mapping[str, Mapping[str, Collection[str]]]], Mapping[str, Sequence[ModelRun]] | None
]  # models before it by slug of the system, by model; None for who may not see evaluations
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
