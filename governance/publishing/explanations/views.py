"""The pages of an AI system's explanation for its team: a preview, and the sites that may embed it."""

from flask import flash, redirect, request, url_for

from governance.kernel.config import public_address
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.systems import queries as systems
from governance.operations.systems.models import AISystem
from governance.publishing.explanations import actions, permissions, queries
from governance.publishing.explanations.forms import OriginsForm
from governance.publishing.explanations.wording import VERDICTS

feature = Feature("explanations", __name__)
HOME = "/systems/<system_key>/explanation"


@feature.get(HOME, needs=permissions.VIEW)
def explanation(system_key: str) -> ResponseReturnValue:
    return _page(systems.system(system_key))


def _page(
    system: AISystem, *, form: OriginsForm | None = None, status: int = 200
) -> ResponseReturnValue:
    found = queries.explanation(system.id)
    return page(
        "publishing/explanations/explanation.html",
        status=status,
        system=system,
        found=found,
        address=f"{public_address()}/public/systems/{found.token}" if found else "",
        content=queries.content(system),
        VERDICTS=VERDICTS,
        form=form or OriginsForm(origins="\n".join(found.origins) if found else ""),
    )


@feature.post(f"{HOME}/switch", needs=permissions.OPEN)
def switch(system_key: str) -> ResponseReturnValue:
    system = systems.system(system_key)
    if request.form.get("step") == "off":
        actions.switch_off(system)
        flash("The public page is off.")
    else:
        actions.switch_on(system)
        flash("The public page is on.")
    return _to(system)


@feature.post(f"{HOME}/address", needs=permissions.OPEN)
def replace_address(system_key: str) -> ResponseReturnValue:
    system = systems.system(system_key)
    actions.renew_address(system)
    flash("The page has a new address. The old one leads nowhere any more.")
    return _to(system)


@feature.post(f"{HOME}/origins", needs=permissions.OPEN)
def choose_origins(system_key: str) -> ResponseReturnValue:
    system, form = systems.system(system_key), OriginsForm()
    if not accepted(form, lambda: actions.choose_origins(system, form.origins.data or "")):
        return _page(system, form=form, status=form.status)
    flash("Saved.")
    return _to(system)


def _to(system: AISystem) -> ResponseReturnValue:
    return redirect(url_for("explanations.explanation", system_key=system.key), 303)
