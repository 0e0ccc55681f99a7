"""The page to confirm that an outdated record of a system is still valid."""

from flask import redirect, request, url_for

from governance.kernel.pages.rendering import page
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.systems import outdated_actions, parts, permissions, queries
from governance.operations.systems.forms import StillValidForm
from governance.operations.systems.views import feature


@feature.route("/systems/<key>/still-valid", methods=["GET", "POST"], needs=permissions.CHANGE)
def still_valid(key: str) -> ResponseReturnValue:
    """Confirm one of the records that this person may confirm."""
    is_sent = request.method == "POST"
    found, form = queries.system(key, lock=is_sent), StillValidForm()
    outdated = parts.outdated_of(found) if queries.last_substantial(found.id) else []
    offered = [each for each in outdated if each.may_be_confirmed]
    form.record.choices = [(each.id, each.name) for each in offered]

    def act() -> None:
        outdated_actions.confirm(found, form.record.data or "", reason=form.reason.data or "")

    if is_sent and accepted(form, act):
        return redirect(url_for("systems.system", system_id=found.key), 303)
    if not is_sent and request.args.get("record") in {each.id for each in offered}:
        form.record.data = request.args["record"]
    return page(
        "operations/systems/still_valid.html",
        status=form.status if is_sent else 200,
        system=found,
        form=form,
        offered={each.id: each for each in offered},
    )
