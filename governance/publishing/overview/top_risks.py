"""The risks on the first page: the highest residual scores, and those that need attention."""

from collections.abc import Sequence
from dataclasses import dataclass

from governance.assurance.risks import permissions, queries, sentences
from governance.assurance.risks.acceptance_state import RENEW
from governance.assurance.risks.heat_map import shape_of
from governance.assurance.risks.queries import RiskPosture
from governance.kernel import clock
from governance.kernel.safety.access import allowed

MAX_SHOWN = 5


@dataclass(frozen=True, slots=True)
class TopRisk:
    """A risk of the panel. `mark` is (level, shape) of its residual score."""

    posture: RiskPosture
    mark: tuple[int, str]


@dataclass(frozen=True, slots=True)
class TopRisks:
    heading: str
    shown: Sequence[TopRisk]


def top_risks() -> TopRisks | None:
    """Return the panel. None if the reader may see no risks, or the tenant has none."""
    if not allowed(permissions.VIEW):
        return None
    every = queries.by_score(queries.posture())
    if not every:
        return None
    pressing = sorted(every, key=lambda each: each.acceptance.name not in RENEW)
    shown = [each for each in pressing if each.is_above_appetite or each.acceptance.name in RENEW]
    return TopRisks(
        sentences.headline(every, clock.today()),
        [
            TopRisk(each, shape_of(each.scale.band(each.residual.score)))
            for each in (shown or every)[:MAX_SHOWN]
        ],
    )
