"""The pages of webhook endpoints: the list, one endpoint with its deliveries, one delivery.

A secret is shown once, by the request that adds the endpoint or rotates it.
"""

import json
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.foundation.people import queries as people
from governance.foundation.webhooks import (
    actions,
    delivery_actions,
    event_types,
    permissions,
    queries,
    retries,
)
from governance.foundation.webhooks.delivery_list import DELIVERIES
from governance.foundation.webhooks.forms import EndpointForm, SeenForm
from governance.foundation.webhooks.models import WebhookDelivery, WebhookEndpoint
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import NotFound
from governance.kernel.formatting import plural
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.web.step_up import StepUp

feature = Feature("webhooks", __name__)


@feature.get("/settings/webhooks", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    found, types = queries.endpoints(), event_types.known()
    return page(
        "foundation/webhooks/index.html",
        endpoints=found,
        counts=queries.counts([each.id for each in found]),
        types=types,
        examples={each.name: _pretty(each.example) for each in types},
        most=queries.MAX_ENDPOINTS,
    )


def _pretty(data: object) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False, default=str)


# ---- adding and changing


@feature.get("/settings/webhooks/new", needs=permissions.MANAGE)
def new() -> ResponseReturnValue:
    return _form(EndpointForm(once=str(uuid7())), None)


def _form(
    form: EndpointForm, endpoint: WebhookEndpoint | None, *, status: int = 200
) -> ResponseReturnValue:
    return page(
        "foundation/webhooks/form.html",
        status=status,
        form=form,
        endpoint=endpoint,
        types=event_types.known(),
    )


@feature.post(
    "/settings/webhooks/new",
    needs=permissions.MANAGE,
    fresh=StepUp("Add webhook endpoint", EndpointForm),
)
def add() -> ResponseReturnValue:
    form, added = EndpointForm(), list[tuple[WebhookEndpoint, str]]()
    endpoint_id = form.endpoint_id
    if queries.exists(endpoint_id) or not accepted(form, lambda: added.append(_add(form))):
        if queries.exists(endpoint_id):
            flash(
                "This endpoint was added and its secret was shown once. Rotate it to get a new one."
            )
            return redirect(url_for("webhooks.index"), 303)
        return _form(form, None, status=form.status)
    return _secret(*added[0])


def _add(form: EndpointForm) -> tuple[WebhookEndpoint, str]:
    return actions.add(
        name=form.name.data or "",
        url=form.url.data or "",
        events=form.events.data or (),
        endpoint_id=form.endpoint_id,
    )


def _secret(
    endpoint: WebhookEndpoint, secret: str, *, is_rotated: bool = False
) -> ResponseReturnValue:
    return page(
        "foundation/webhooks/secret.html",
        status=201,
        endpoint=endpoint,
        secret=secret,
        is_rotated=is_rotated,
    )


def _which(endpoint_id: UUID) -> list[tuple[str, str]]:
    return [("Webhook endpoint", queries.endpoint(endpoint_id).name)]


def _editing(endpoint_id: UUID) -> EndpointForm:
    found = queries.endpoint(endpoint_id)
    return EndpointForm(
        name=found.name, url=found.url, events=found.event_types, seen=str(found.revision)
    )


EDIT = StepUp("Save webhook endpoint", _editing, facts=_which)


@feature.route(
    "/settings/webhooks/<uuid:endpoint_id>/edit",
    methods=["GET", "POST"],
    needs=permissions.MANAGE,
    fresh=EDIT,
)
def edit(endpoint_id: UUID) -> ResponseReturnValue:
    found, form = queries.endpoint(endpoint_id), _editing(endpoint_id)
    if request.method == "POST" and accepted(form, lambda: _change(found, form)):
        flash("Endpoint saved.")
        return _to(found)
    return _form(form, found, status=form.status if request.method == "POST" else 200)


def _change(found: WebhookEndpoint, form: EndpointForm) -> None:
    actions.change(
        found,
        name=form.name.data or "",
        url=form.url.data or "",
        events=form.events.data or (),
        seen=form.revision,
    )


def _to(endpoint: WebhookEndpoint) -> ResponseReturnValue:
    return redirect(url_for("webhooks.endpoint", endpoint_id=endpoint.id), 303)


@feature.get("/settings/webhooks/<uuid:endpoint_id>/rotate", needs=permissions.MANAGE)
def rotation(endpoint_id: UUID) -> ResponseReturnValue:
    found = queries.endpoint(endpoint_id)
    form = SeenForm(seen=str(found.revision))
    return page("foundation/webhooks/rotate.html", endpoint=found, form=form)


ROTATE = StepUp("Rotate webhook secret", SeenForm, facts=_which)


@feature.post(
    "/settings/webhooks/<uuid:endpoint_id>/rotate", needs=permissions.MANAGE, fresh=ROTATE
)
def rotate(endpoint_id: UUID) -> ResponseReturnValue:
    found, form, made = queries.endpoint(endpoint_id, lock=True), SeenForm(), list[str]()
    if not accepted(form, lambda: made.append(actions.rotate(found, seen=form.revision))):
        flash(form.stale.message if form.stale else "Not rotated. Open the page again.", "warning")
        return _to(found)
    return _secret(found, made[0], is_rotated=True)


@feature.post("/settings/webhooks/<uuid:endpoint_id>/disable", needs=permissions.MANAGE)
def disable(endpoint_id: UUID) -> ResponseReturnValue:
    found = queries.endpoint(endpoint_id, lock=True)
    actions.disable(found)
    flash(f"{found.name} disabled. What was queued is kept as dead letters.")
    return _to(found)


@feature.post("/settings/webhooks/<uuid:endpoint_id>/enable", needs=permissions.MANAGE)
def enable(endpoint_id: UUID) -> ResponseReturnValue:
    found = queries.endpoint(endpoint_id, lock=True)
    actions.enable(found)
    flash(f"{found.name} enabled.")
    return _to(found)


@feature.get("/settings/webhooks/<uuid:endpoint_id>/removal", needs=permissions.MANAGE)
def removal(endpoint_id: UUID) -> ResponseReturnValue:
    found = queries.endpoint(endpoint_id)
    return page(
        "foundation/webhooks/removal.html",
        endpoint=found,
        counts=queries.counts([found.id])[found.id],
    )


REMOVE = StepUp("Remove webhook endpoint", facts=_which, danger="It receives no more events.")


@feature.post(
    "/settings/webhooks/<uuid:endpoint_id>/removal", needs=permissions.MANAGE, fresh=REMOVE
)
def remove(endpoint_id: UUID) -> ResponseReturnValue:
    found = queries.endpoint(endpoint_id, lock=True)
    actions.remove(found)
    flash(f"{found.name} removed.")
    return redirect(url_for("webhooks.index"), 303)


# ---- one endpoint and its deliveries


@feature.get("/settings/webhooks/<uuid:endpoint_id>", needs=permissions.VIEW)
def endpoint(endpoint_id: UUID) -> ResponseReturnValue:
    found = queries.endpoint(endpoint_id)
    asked = DELIVERIES.read(place={"endpoint_id": endpoint_id})
    shown = queries.deliveries(
        found.id, asked.criteria, sort=asked.sort, after=asked.after, size=DELIVERIES.size
    )
    return page(
        "foundation/webhooks/endpoint.html",
        endpoint=found,
        asked=asked,
        rows=shown.rows,
        next=shown.next,
        counts=queries.counts([found.id])[found.id],
        names=people.names([found.created_by, found.disabled_by]),
        most=retries.MAX_ATTEMPTS,
        named=event_types.named,
    )


@feature.post("/settings/webhooks/<uuid:endpoint_id>/test", needs=permissions.REPLAY)
def test(endpoint_id: UUID) -> ResponseReturnValue:
    made = delivery_actions.send_test(queries.endpoint(endpoint_id))
    flash("Test event queued. Its answer appears here within seconds; reload the page.")
    return _to_delivery(made)


def _to_delivery(made: WebhookDelivery) -> ResponseReturnValue:
    address = url_for(
        "webhooks.delivery", endpoint_id=made.endpoint_id, webhook_delivery_id=made.id
    )
    return redirect(address, 303)


@feature.post("/settings/webhooks/<uuid:endpoint_id>/replay", needs=permissions.REPLAY)
def replay_dead(endpoint_id: UUID) -> ResponseReturnValue:
    found = queries.endpoint(endpoint_id)
    count = delivery_actions.replay_dead(found)
    flash(f"{plural(count, 'dead letter')} queued again." if count else "There is no dead letter.")
    return _to(found)


@feature.get(
    "/settings/webhooks/<uuid:endpoint_id>/deliveries/<uuid:webhook_delivery_id>",
    needs=permissions.VIEW,
)
def delivery(endpoint_id: UUID, webhook_delivery_id: UUID) -> ResponseReturnValue:
    found, row = _delivery(endpoint_id, webhook_delivery_id)
    return page(
        "foundation/webhooks/delivery.html",
        endpoint=found,
        delivery=row,
        payload=_pretty(json.loads(row.body)),
        attempts=queries.attempts(row.id),
        names=people.names([row.replayed_by]),
        most=retries.MAX_ATTEMPTS,
        named=event_types.named,
    )


def _delivery(endpoint_id: UUID, delivery_id: UUID) -> tuple[WebhookEndpoint, WebhookDelivery]:
    found, row = queries.endpoint(endpoint_id), queries.delivery(delivery_id)
    if row.endpoint_id != found.id:
        raise NotFound("This delivery doesn't exist, or you don't have access to it.")
    return found, row


@feature.post(
    "/settings/webhooks/<uuid:endpoint_id>/deliveries/<uuid:webhook_delivery_id>/replay",
    needs=permissions.REPLAY,
)
def replay(endpoint_id: UUID, webhook_delivery_id: UUID) -> ResponseReturnValue:
    _found, row = _delivery(endpoint_id, webhook_delivery_id)
    delivery_actions.replay(row)
    flash("Queued again, with the same webhook-id.")
    return _to_delivery(row)
