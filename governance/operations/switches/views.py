"""Pages of the kill switch: every switch, one system, stopping and restarting."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.foundation.approvals.models import Approval
from governance.kernel import clock, current, formatting
from governance.kernel.errors import Invalid
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted, instant_of, uuid_or_none
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.web.step_up import StepUp
from governance.operations.decision_counts import queries as decisions
from governance.operations.policies import queries as policies
from governance.operations.switches import actions, permissions, ports, queries
from governance.operations.switches.board import Board, SwitchScope, SwitchStatus, newest_stop
from governance.operations.switches.board import board as switch_board
from governance.operations.switches.forms import (
    WHOLE,
    RestartForm,
    StopAllForm,
    StopForm,
    normalized,
)
from governance.operations.switches.models import Stop
from governance.operations.switches.stop_summary import names_shown, summary
from governance.operations.systems import queries as systems
from governance.operations.systems.models import AISystem, SystemFeature

feature = Feature("switches", __name__)

MAX_DRILLS = 5  # Drills on a system's page
RATE_PERIOD = timedelta(minutes=10)  # Period over which request rates are averaged
SHOWN_SETTINGS = ("human_review", "grounding", "tool_use", "memory")


# ---- every switch of the tenant


@feature.get("/switches/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    board = switch_board()
    past = queries.stops_past()
    names = names_shown(
        *(
            i
            for s in (*board.stops, *past, *(r.last for r in board.rows if r.last))
            for i in (s.stopped_by, s.restarted_by)
        )
    )
    return page(
        "operations/switches/index.html",
        board=board,
        names=names,
        past=past,
        past_names=queries.names_of(past),
        rates=_rates(board.rows),
        headline=_headline(board, queries.names_of(board.stops)),
    )


def _headline(board: Board, names: Mapping[UUID, str]) -> str:
    if board.platform:
        return "The operator has stopped everything"
    if not board.stops:
        switches = len(board.rows) - 1
        return (
            f"Nothing is stopped: {formatting.plural(switches, 'switch', 'switches')} live"
            if switches
            else "No switches yet"
        )
    if len(board.stops) == 1:
        name = names[board.stops[0].id]
        return (
            f"{name[:1].upper() if board.stops[0].scope == 'tenant' else name[:1]}{name[1:]} is"
            " stopped"
        )
    return f"{len(board.stops)} stops are active"


def _rates(rows: Sequence[SwitchStatus]) -> Mapping[tuple[UUID | None, UUID | None], float]:
    """Return the requests per minute of each switch."""
    counted = decisions.per_minute(clock.now() - RATE_PERIOD)
    found: dict[tuple[UUID | None, UUID | None], float] = {}
    for row in rows:
        system, flag = row.scope.system, row.scope.flag
        if row.scope.kind == "feature":
            found[row.scope.key] = sum(
                rate for (_, asked), rate in counted.items() if asked == flag
            )
        elif system is not None:
            found[row.scope.key] = sum(
                r for (key, asked), r in counted.items() if key == system.key or _is_of(asked, flag)
            )
        else:
            found[row.scope.key] = sum(counted.values())
    return found


def _is_of(asked: str, flag: str) -> bool:
    return asked == flag or asked.startswith(f"{flag}.")


# ---- one system


@feature.get("/systems/<system_key>/switches", needs=permissions.VIEW)
def system(system_key: str) -> ResponseReturnValue:
    found = systems.system(system_key)
    if found.key != system_key:
        return redirect(url_for("switches.system", system_key=found.key), 302)
    return page("operations/switches/system.html", **_of_system(found, StopForm()))


def _of_system(found: AISystem, form: StopForm) -> dict[str, Any]:
    board = switch_board(found)
    rates, shown = _rates(board.rows), newest_stop(board.stops)
    return {
        **_stopping(found, board, rates, form),
        **summary(shown, board.obeyed.get(shown.id) if shown else None),
        "system": found,
        "board": board,
        "policy": _policy(found),
        "last": queries.drills(limit=MAX_DRILLS, system_id=found.id),
        "names": names_shown(
            found.owner_id,
            *(
                i
                for s in (*board.stops, *(r.last for r in board.rows if r.last))
                for i in (s.stopped_by, s.restarted_by)
            ),
        ),
        "rate": rates.get((found.id, None), 0),
        "rates": rates,
        "row": board.row(shown) if shown else None,
        "second": found.lane == "high_risk",
        "requested": board.requests.get(shown.id) if shown else None,
        "incident_page": ports.incident_of()(shown) if shown else None,
    }


def _policy(found: AISystem) -> dict[str, Any]:
    """Return the system's current policy settings that limit its autonomy."""
    policy = policies.current_policy()
    governed = next((s for s in policy.systems if s.id == found.id), None)
    decided = policy.effective(governed)
    return {
        "tier": policy.tier.name,
        "number": policy.number,
        "decided": [decided[key] for key in SHOWN_SETTINGS if key in decided],
    }


# ---- stopping


def _stopping(
    found: AISystem, board: Board, rates: Mapping[Any, float], form: StopForm
) -> dict[str, Any]:
    """Return the context of the stop form: choices with rates, and affected consumers."""
    form.what.choices = [
        (
            _choice(row.scope),
            row.scope.own.capitalize() if row.scope.kind == "system" else row.scope.own,
        )
        for row in board.rows
    ]
    if form.what.data is None:
        form.what.data = form.what.choices[0][0]
    heard = [
        one
        for one in board.listeners.values()
        if one.is_under(found.id) and one.is_heard(clock.now())
    ]
    regions = {one.region for one in heard if one.region}
    where = f" in {formatting.plural(len(regions), 'region')}" if regions else ""
    return {
        "form": form,
        "choices": {
            _choice(row.scope): (_fallback(row.scope), _per_minute(rates.get(row.scope.key, 0)))
            for row in board.rows
        },
        "notices": [
            (formatting.thousands(len(heard)), f"consumer{'' if len(heard) == 1 else 's'}{where}"),
            (_rounded(rates.get((found.id, None), 0)), "requests/min"),
            (str(len(board.rows) - 1), "features"),
            ("0", "requests lost, because each gets an answer"),
        ],
    }


def _choice(scope: SwitchScope) -> str:
    return str(scope.feature.id) if scope.feature else WHOLE


def _fallback(scope: SwitchScope) -> str:
    return scope.feature.fallback if scope.feature else "Every feature, and every other request"


def _rounded(rate: float) -> str:
    return formatting.thousands(round(rate)) if rate >= 1 or not rate else f"{rate:.1f}"


def _per_minute(rate: float) -> str:
    return f"{_rounded(rate)} requests/min"


@feature.route(
    "/systems/<system_key>/stop", methods=["GET", "POST"], needs=permissions.STOP, urgent=True
)
def stop_system(system_key: str) -> ResponseReturnValue:
    """Show the stop form as a separate page; it is also a dialog."""
    found, form = systems.system(system_key), StopForm()
    context = _of_system(found, form)
    if request.args.get("what") in context["choices"] and request.method == "GET":
        form.what.data = request.args["what"]
    if request.method == "POST" and accepted(form, lambda: _stop(found, form)):
        return redirect(url_for("switches.system", system_key=found.key), 303)
    return page(
        "operations/switches/stop.html",
        status=form.status if request.method == "POST" else 200,
        **context,
    )


def _stop(found: AISystem, form: StopForm) -> Stop:
    part = chosen_feature(found, form.what.data)
    return actions.stop(
        "feature" if part else "system",
        found,
        part,
        generate=bool(form.generate.data),
        serve=bool(form.serve.data),
        reason=form.reason.data or "",
        remind_at=instant_of(form.remind_at.data),
    )


def chosen_feature(found: AISystem, what: object) -> SystemFeature | None:
    """Return the chosen feature, or None for the system with all features."""
    if what == WHOLE:
        return None
    part = systems.feature(uuid_or_none(what) or UUID(int=0))
    if part.system_id != found.id:
        raise Invalid(
            "This feature belongs to another AI system. Choose a feature of this one.", field="what"
        )
    return part


@feature.route("/switches/stop", methods=["GET", "POST"], needs=permissions.STOP, urgent=True)
def stop_everything() -> ResponseReturnValue:
    form, name = StopAllForm(), current.actor().tenant_name
    if request.method == "POST" and accepted(form, lambda: _stop_all(form, name)):
        return redirect(url_for("switches.index"), 303)
    board = switch_board()
    rates = _rates(board.rows)
    heard = [one for one in board.listeners.values() if one.is_heard(clock.now())]
    notices = [
        (formatting.thousands(len(heard)), f"consumer{'' if len(heard) == 1 else 's'}"),
        (_rounded(rates.get((None, None), 0)), "requests/min"),
        (str(sum(r.scope.kind == "system" for r in board.rows)), "AI systems"),
        (str(sum(r.scope.kind == "feature" for r in board.rows)), "features"),
    ]
    second = any(
        r.scope.system is not None and r.scope.system.lane == "high_risk" for r in board.rows
    )
    return page(
        "operations/switches/stop_everything.html",
        status=form.status if request.method == "POST" else 200,
        form=form,
        name=name,
        notices=notices,
        second=second,
        stop=next((s for s in board.stops if s.scope == "tenant"), None),
    )


def _stop_all(form: StopAllForm, name: str) -> Stop:
    if normalized(form.typed.data) != normalized(name):
        raise Invalid(f"Type {name} exactly to stop everything.", field="typed")
    return actions.stop(
        "tenant",
        None,
        None,
        generate=bool(form.generate.data),
        serve=bool(form.serve.data),
        reason=form.reason.data or "",
    )


# ---- one stop


@feature.get("/switches/stops/<uuid:stop_id>", needs=permissions.VIEW)
def stop(stop_id: UUID) -> ResponseReturnValue:
    """Show one stop, active or past."""
    found = queries.stop(stop_id)
    return page(
        "operations/switches/stop_record.html",
        requested=queries.restart_request(found),
        incident_page=ports.incident_of()(found),
        **_of_stop(found),
    )


def _of_stop(found: Stop) -> dict[str, Any]:
    under = systems.system(found.system_id) if found.system_id else None
    return {
        **summary(found, queries.obediences([found])[found.id]),
        "system": under,
        "second": queries.needs_second(found),
        "names": names_shown(found.stopped_by, found.restarted_by, found.restart_requested_by),
    }


@feature.get("/switches/stops/<uuid:stop_id>/obeyed", needs=permissions.VIEW, attended=False)
def obeyed(stop_id: UUID) -> ResponseReturnValue:
    """Return the part of a page that changes in the first minute of a stop."""
    found = queries.stop(stop_id)
    return page(
        "operations/switches/obeyed.html", **summary(found, queries.obediences([found])[found.id])
    )


def _stopped(stop_id: UUID) -> list[tuple[str, str]]:
    found = queries.stop(stop_id)
    return [("Stopped", queries.names_of([found])[found.id])]


RESTART = StepUp(
    {"request": "Request restart", "restart": "Restart"},
    RestartForm,
    facts=_stopped,
    danger={"restart": "Products answer again within a second."},
)


@feature.route(
    "/switches/stops/<uuid:stop_id>/restart",
    methods=["GET", "POST"],
    needs=permissions.RESTART,
    fresh=RESTART,
    urgent=True,
)
def restart(stop_id: UUID) -> ResponseReturnValue:
    """Restart, or request it if that needs two people."""
    found, form, made = queries.stop(stop_id), RestartForm(), list[Approval]()
    if request.method == "POST":
        seen, reason = form.seen.data or "", form.reason.data or ""
        verbs = {
            "request": lambda: made.append(
                actions.request_restart(found, seen=seen, reason=reason)
            ),
            "restart": lambda: actions.restart(found, seen=seen, reason=reason),
        }
        verb = verbs.get(form.verb.data or "")
        if verb is None:
            raise Invalid("Choose to restart or to request a restart.")
        if accepted(form, verb):
            return _to_approval(made[0]) if made else _restarted(found)
    elif (requested := queries.restart_request(found)) is not None:
        return _to_approval(requested)
    return page(
        "operations/switches/restart.html",
        status=form.status if request.method == "POST" else 200,
        form=form,
        seen=actions.seen(found),
        wider=queries.overlapping_stops(found)[0],
        **_of_stop(found),
    )


def _to_approval(requested: Approval) -> ResponseReturnValue:
    return redirect(url_for("approvals.approval", approval_id=requested.id), 303)


def _restarted(found: Stop) -> ResponseReturnValue:
    flash("Restarted. It answers again within a second.")
    if found.system_id is None:
        return redirect(url_for("switches.stop", stop_id=found.id), 303)
    return redirect(url_for("switches.system", system_key=systems.system(found.system_id).key), 303)
