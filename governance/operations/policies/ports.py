"""What policies ask of the features above them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from governance.kernel.ports import Port
from governance.operations.policies.effective_policies import Governed
from governance.operations.policies.strictness import Decided


@dataclass(frozen=True, slots=True)
class SettingFigure:
    """What a setting limits, as it is now for one AI system: "41 days", or "never".

    `href` is its page, where the reader may open it. `is_beyond`: the limit in force is exceeded.
    """

    words: str
    href: str | None
    is_beyond: bool


type InForce = Mapping[str, Decided]


def _none(_system: Governed, _in_force: InForce) -> Mapping[str, SettingFigure]:
    return {}


setting_figures: Port[Callable[[Governed, InForce], Mapping[str, SettingFigure]]] = Port(
    "what settings limit, as it is now for an AI system, by the key of the setting", default=_none
)
