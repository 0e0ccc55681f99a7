"""Ports of policies that features above them implement."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from governance.kernel import formatting
from governance.kernel.ports import Port
from governance.operations.policies.effective_policies import Governed
from governance.operations.policies.strictness import Decided


@dataclass(frozen=True, slots=True)
class SettingFigure:
    """The measured figure that a setting limits, for one AI system: "41 days", or "never".

    `href` is its page, if the reader may open it. `is_beyond`: the limit in force is exceeded.
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


@dataclass(frozen=True, slots=True)
class TierNotice:
    """An effect of a tier change apart from settings, in two sentences."""

    lead: str
    text: str


type TierMoves = Callable[[str, str], Sequence[TierNotice]]

tier_moves: Port[TierMoves] = Port(
    "limits and verdicts that move from one tier to another", default=lambda _before, _after: ()
)
gate_moves: Port[TierMoves] = Port(
    "gates of rollouts that move from one tier to another", default=lambda _before, _after: ()
)
open_incidents: Port[Callable[[], Sequence[TierNotice]]] = Port(
    "incidents that are open while the tier changes", default=tuple
)


def tier_notices(before: str, after: str) -> Sequence[TierNotice]:
    """Return what people should know before the tier changes; empty if it stays.

    An approval binds to it, so every reader gets the same words.
    """
    if before == after:
        return ()
    with formatting.as_tenant():
        return (
            *open_incidents()(),
            *tier_moves()(before, after),
            *gate_moves()(before, after),
        )
