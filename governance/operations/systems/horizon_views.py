"""Pages of models: those of one system, and the retirement dates for all systems."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from governance.kernel import clock
from governance.kernel.pages.rendering import page
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.systems import permissions, ports, queries
from governance.operations.systems.horizon import SOON, UsedModel, models_in_use
from governance.operations.systems.ports import ModelRun
from governance.operations.systems.views import feature


@feature.get("/systems/model-retirements", needs=permissions.VIEW)
def model_retirements() -> ResponseReturnValue:
    today = clock.today()
    used = models_in_use(queries.used_models())
    dated = [each for each in used if each.retires_on]
    return page(
        "operations/systems/model_retirements.html",
        dated=dated,
        undated=[each for each in used if not each.retires_on],
        soon=[each for each in dated if each.retires_on and each.retires_on <= today + SOON],
        evaluated=_on_successors(dated),
        day=today,
    )


def _on_successors(used: Iterable[UsedModel]) -> Mapping[str, Sequence[ModelRun]] | None:
    """Return evaluations by successor, of the systems that use the model before it."""
    systems = defaultdict[str, dict[str, set[str]]](dict)
    for each in used:
        for slug, _name in each.systems if each.successor else ():
            systems[each.successor].setdefault(slug, set()).add(each.name)
    return ports.evaluations_of()(systems)


@feature.get("/systems/<key>/models", needs=permissions.VIEW)
def models(key: str) -> ResponseReturnValue:
    """Show the models, data sets and dependencies of one system."""
    found = queries.system(key)
    used = models_in_use([(found.key, found.name, found.models)])
    return page(
        "operations/systems/models.html",
        system=found,
        days={(each.provider, each.name): each for each in used},
        evaluated=_on_successors(used),
        known=ports.data_sets_named()(found.data_sets) if found.data_sets else {},
        day=clock.today(),
    )
