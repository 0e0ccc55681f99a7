"""What the register asks of the features above it."""

from collections.abc import Callable, Collection, Mapping

from governance.kernel.ports import Port


def _none(_models: Collection[str]) -> Mapping[str, str]:
    return {}


# such as "worse on 2 of 4 measures", by the name of the model
evaluations_of: Port[Callable[[Collection[str]], Mapping[str, str]]] = Port(
    "what evaluations say of models that succeed others", default=_none
)
