"""Models: those of one system, and when vendors retire those of all systems."""

from governance.kernel import clock
from governance.kernel.pages import page
from governance.kernel.web import ResponseReturnValue
from governance.operations.systems import permissions, ports, queries
from governance.operations.systems.horizon import SOON, models_in_use
from governance.operations.systems.views import feature


@feature.get("/systems/model-retirements", needs=permissions.VIEW)
def model_retirements() -> ResponseReturnValue:
    today = clock.today()
    used = models_in_use(queries.used_models())
    dated = [each for each in used if each.retires_on]
    successors = {each.successor for each in dated if each.successor}
    return page(
        "operations/systems/model_retirements.html",
        dated=dated,
        undated=[each for each in used if not each.retires_on],
        soon=[each for each in dated if each.retires_on and each.retires_on <= today + SOON],
        evaluated=ports.evaluations_of()(successors) if successors else {},
        day=today,
    )


@feature.get("/systems/<key>/models", needs=permissions.VIEW)
def models(key: str) -> ResponseReturnValue:
    """Show the models, data sets and dependencies of one system."""
    found = queries.system(key)
    used = models_in_use([(found.key, found.name, found.models)])
    successors = {each.successor for each in used if each.successor}
    return page(
        "operations/systems/models.html",
        system=found,
        days={(each.provider, each.name): each for each in used},
        evaluated=ports.evaluations_of()(successors) if successors else {},
        day=clock.today(),
    )
