"""Alerts on the pages of objectives: implementations of the objectives' ports.

states          the state of each objective with an open alert
alert_panel     the open alerts above a page, with their verbs
rule_panel      the place of the rules against their limits
backtest_panel  the place of the back-test

Both places load their content after the page, to stay within its statement budget.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import current_app, url_for
from markupsafe import Markup
from sqlalchemy import Select, func, select

from governance.foundation.people.queries import names
from governance.foundation.tenants.time_zones import zone_periods
from governance.kernel import clock, formatting
from governance.kernel.manifest import EntryLink, links
from governance.kernel.safety.access import allowed
from governance.operations.alerts import judging, permissions, queries, watching
from governance.operations.alerts.alert_words import fired_text, pace_text
from governance.operations.alerts.burn_rules import BurnRule, Verdict
from governance.operations.alerts.models import Alert, AlertDelivery
from governance.operations.alerts.rule_rows import headline, needs_text, rule_rows
from governance.operations.objectives import queries as objectives
from governance.operations.objectives.models import Objective
from governance.operations.objectives.ports import AlertState, draw
from governance.operations.objectives.reading import Reading


def states(objective_ids: Collection[UUID]) -> Mapping[UUID, AlertState]:
    """Implement the port alert_states."""
    return {
        each.objective_id: AlertState(
            "acknowledged" if each.state == "acknowledged" else "firing",
            each.id,
            each.ref,
            detail(each),
        )
        for each in queries.open_alerts()
        if each.objective_id in objective_ids
    }


def detail(alert: Alert) -> str:
    """Return the small line below the state: its incident, and since when data is missing."""
    since = unknown_since(alert)
    parts = [alert.incident_ref, f"no data since {near(since)}" if since else None]
    return "; ".join(filter(None, parts))


def near(at: datetime) -> str:
    """Format "08:20" for today, otherwise "24 Nov, 08:20", in the tenant's time zone."""
    local, today = at.astimezone(formatting.zone()), clock.now().astimezone(formatting.zone())
    day = "" if local.date() == today.date() else f"{formatting.day_of_year(local)}, "
    return f"{day}{formatting.hour(local)}"


def day_and_month(at: datetime) -> str:
    """Format "27 November", in the tenant's time zone."""
    local = at.astimezone(formatting.zone())
    return f"{local.day} {local:%B}"


def objective_page(objective_id: UUID) -> str | None:
    """Return the address of an objective's page."""
    link = links().get("Objective")
    if link is None or not link.endpoint:
        return None
    return _address(link, objective_id)


def _address(link: EntryLink, row_id: UUID) -> str:
    values: dict[str, Any] = {link.argument: row_id} if link.argument else {}
    return url_for(link.endpoint, **values)


def unknown_since(alert: Alert) -> datetime | None:
    """Return when the alert's rules stopped having data, or None."""
    raw = (alert.latest or {}).get("unknown_since")
    return datetime.fromisoformat(raw) if raw else None


def firing_count() -> Select[Any]:
    """Implement the port firing_count: the number of firing alerts, for the section's tab."""
    return select(func.count()).select_from(Alert).where(Alert.state == "firing")


def alert_panel(objective_ids: Sequence[UUID]) -> Markup | None:
    """Implement the port alert_panel. Runs at most two statements."""
    found = [row for row in queries.open_with_objectives() if row[1].id in set(objective_ids)]
    sent = queries.deliveries([alert.id for alert, _objective in found])
    return draw(
        "operations/alerts/alert_panel.html",
        rows=[row_of(alert, objective, sent.get(alert.id, ())) for alert, objective in found],
        people=_people(found, sent),
        near=near,
        since=clock.now().isoformat(),
    )


def _people(found: Sequence[Any], sent: Mapping[UUID, Sequence[AlertDelivery]]) -> dict[UUID, str]:
    return names(
        [
            *(alert.acknowledged_by for alert, _ in found),
            *(each.person_id for some in sent.values() for each in some if each.channel == "email"),
        ]
    )


def row_of(alert: Alert, objective: Objective, sent: Sequence[AlertDelivery]) -> dict[str, Any]:
    """Return the data of an open alert's row."""
    latest = alert.latest or {}
    burning, gone_at = latest.get("burning"), latest.get("gone_at")
    return {
        "alert": alert,
        "objective": objective,
        "says": fired_text({"": burning}) if burning else "",
        "pace": pace_text(alert.rules),
        "unknown_since": unknown_since(alert),
        "gone_on": day_and_month(datetime.fromisoformat(gone_at)) if gone_at and burning else None,
        "objective_page": objective_page(objective.id),
        "sent": sent_text(sent),
        "may_acknowledge": alert.state == "firing" and allowed(permissions.ACKNOWLEDGE),
        "incident_page": incident_page(alert),
    }


def sent_text(sent: Sequence[AlertDelivery]) -> list[tuple[str, list[UUID]]]:
    """Return the channels of the newest step, each with the people that got an email."""
    newest = max((each.at for each in sent), default=None)
    channels: dict[str, list[UUID]] = {}
    for each in sent:
        if each.at == newest:
            people = channels.setdefault(each.channel, [])
            if each.person_id and each.channel == "email":
                people.append(each.person_id)
    return list(channels.items())


def incident_page(alert: Alert) -> tuple[str, str] | None:
    """Return the verb and address of the alert's incident, or of declaring one from it."""
    if alert.incident_id:
        link = links().get("Incident")
        if link is None or not link.endpoint:
            return None
        return f"Open {alert.incident_ref}", _address(link, alert.incident_id)
    needed = getattr(current_app.view_functions.get("incidents.new"), "needs", None)
    if needed is None or not alert.is_open or not allowed(needed):
        return None
    return "Declare incident…", url_for("incidents.new", alert=alert.id)


# ---- the rules of one objective


def rule_panel(reading: Reading) -> Markup | None:
    """Implement the port rule_panel. Runs no statement, since the rules load after the page."""
    return draw("operations/alerts/rule_place.html", objective=reading.objective)


def rules_context(objective_id: UUID) -> dict[str, Any]:
    """Return the context of an objective's rules and their current verdicts."""
    objective = objectives.objective(objective_id)
    reading = objectives.readings([objective])[0]
    indicator, verdict = reading.indicator, verdict_of(reading)
    alerts = queries.alerts_of(objective.id)
    opened = next((each for each in alerts if each.is_open), None)
    return {
        "headline": headline(verdict, opened),
        "rows": rule_rows(verdict, reading.kind, indicator.unit, alerts),
        "window": formatting.plural(reading.window.whole.minutes // 1440, "day"),
        "needs": needs_text(verdict, reading.kind, indicator.unit),
        "alert": opened,
        "objective": objective,
        "objective_page": objective_page(objective.id),
        "near": near,
        "may_respond": objective.is_ai and allowed(permissions.RESPOND),
    }


def verdict_of(reading: Reading) -> Verdict:
    """Judge the rules of an objective at the end of its reading's window."""
    watched = watching.watched_of(reading.objective, reading.indicator, reading.window)
    zones = zone_periods() if watched.hours is not None else ()
    moment = watching.moment_of([watched], zones, reading.at)
    return judging.judge_one(watched, moment)


def rules_of(objective: Objective) -> tuple[BurnRule, ...]:
    """Return the current rules of an objective."""
    return watching.rules_of(objective.rules, objective.id)


def backtest_panel(objective: Objective) -> Markup | None:
    """Implement the port backtest_panel. Runs no statement, since the test loads after the page."""
    return draw("operations/alerts/backtest_place.html", objective=objective)
