"""Pages of alerts: the history, one alert, acknowledging it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import flash, jsonify, redirect, request, url_for

from governance.foundation.people import queries as people
from governance.kernel import formatting
from governance.kernel.errors import Invalid
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.alerts import actions, panels, permissions, queries
from governance.operations.alerts.alert_list import ALERTS
from governance.operations.alerts.alert_words import fired_text, open_text
from governance.operations.alerts.models import Alert, AlertDelivery
from governance.operations.alerts.rule_rows import facts_rows, headline, needs_text, rule_rows
from governance.operations.objectives import queries as objectives
from governance.operations.objectives.figures import unit_of

feature = Feature("alerts", __name__, counts_everything=True)
CHANNELS = {"inbox": "Inbox", "email": "Email", "webhook": "Webhooks"}
STEPS = {
    "fired": "Fired",
    "escalated": "Escalated",
    "acknowledged": "Acknowledged",
    "resolved": "Resolved",
}


@feature.get("/reliability/alerts/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    asked = ALERTS.read()
    found = queries.newest(asked.criteria, asked.after, size=ALERTS.size)
    return page(
        "operations/alerts/index.html",
        asked=asked,
        rows=found.rows,
        next=found.next,
        title=open_text(queries.open_by_state()),
        names=people.names([alert.acknowledged_by for alert, _name in found.rows]),
        total=queries.count({}) if asked.is_filtered and not found.rows else 0,
        near=panels.near,
    )


@feature.get("/reliability/alerts/live", needs=permissions.VIEW, attended=False)
def live() -> ResponseReturnValue:
    """Return how many alerts fired since the page was loaded."""
    count = queries.fired_since(_instant(request.args.get("since", "")))
    return jsonify(count=count, words=formatting.plural(count, "new alert"))


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not 1970 <= at.year <= 9000:  # noqa: PLR2004 - years
        raise Invalid("The live update can't continue from this address. Reload the page.")
    return at


@feature.get("/reliability/alerts/<uuid:alert_id>", needs=permissions.VIEW)
def alert(alert_id: UUID) -> ResponseReturnValue:
    return _page(queries.alert(alert_id))


def _page(found: Alert, *, status: int = 200, problem: str = "") -> ResponseReturnValue:
    objective = objectives.objective(found.objective_id)
    sent = queries.deliveries([found.id]).get(found.id, [])
    unit = unit_of(objectives.indicators_of([objective])[objective.indicator_id])
    return page(
        "operations/alerts/alert.html",
        status=status,
        problem=problem,
        alert=found,
        objective=objective,
        objective_page=panels.objective_page(objective.id),
        says=fired_text(found.rules),
        facts=facts_rows(found.rules, unit),
        row=panels.row_of(found, objective, sent),
        rules_now=_now(found) if found.is_open else None,
        sent=_sent(sent),
        names=people.names([found.acknowledged_by, *(each.person_id for each in sent)]),
        moments=[
            {"kind": m.shape, "text": f"{m.who} {m.says}", "at": m.at}
            for m in people.timeline([found.id])
        ],
        near=panels.near,
    )


def _now(found: Alert) -> dict[str, Any]:
    """Return the current verdict of the objective's rules."""
    reading = objectives.readings([objectives.objective(found.objective_id)])[0]
    verdict = panels.verdict_of(reading)
    unit = reading.indicator.unit
    return {
        "headline": headline(verdict, found),
        "rows": rule_rows(verdict, reading.kind, unit, [found]),
        "needs": needs_text(verdict, reading.kind, unit),
    }


def _sent(sent: list[AlertDelivery]) -> list[dict[str, Any]]:
    """Return the deliveries by step and channel, with their recipients."""
    rows: dict[tuple[datetime, str, str], dict[str, Any]] = {}
    for each in sent:
        row = rows.setdefault(
            (each.at, each.step, each.channel),
            {
                "step": STEPS[each.step],
                "channel": CHANNELS[each.channel],
                "at": each.at,
                "people": [],
                "endpoints": 0,
            },
        )
        row["endpoints"] += each.endpoints
        if each.person_id:
            row["people"].append(each.person_id)
    return list(rows.values())


@feature.post("/reliability/alerts/<uuid:alert_id>/acknowledge", needs=permissions.ACKNOWLEDGE)
def acknowledge(alert_id: UUID) -> ResponseReturnValue:
    """Acknowledge an alert. A second person sees who was first."""
    is_row = request.headers.get("HX-Request") == "true" and "row" in request.form
    try:
        found = actions.acknowledge(alert_id)
    except (actions.AlreadyAcknowledged, actions.AlertIsResolved) as error:
        found = queries.alert(alert_id)
        problem = _who_was_first(found) or str(error)
        return _row(found) if is_row else _page(found, status=409, problem=problem)
    if is_row:
        return _row(found)
    flash(f"You acknowledged {found.ref}.")
    return redirect(url_for("alerts.alert", alert_id=found.id), 303)


def _who_was_first(found: Alert) -> str | None:
    by = people.names([found.acknowledged_by]).get(found.acknowledged_by or UUID(int=0))
    if found.acknowledged_at is None or found.state != "acknowledged":
        return None
    when = panels.near(found.acknowledged_at)
    return f"{by or 'A former member'} acknowledged {found.ref} at {when}, before you did."


def _row(found: Alert) -> ResponseReturnValue:
    objective = objectives.objective(found.objective_id)
    sent = queries.deliveries([found.id]).get(found.id, [])
    return page(
        "operations/alerts/alert_row.html",
        row=panels.row_of(found, objective, sent),
        people=people.names([found.acknowledged_by, *(each.person_id for each in sent)]),
        near=panels.near,
    )
