"""Switches: what is stopped, stopping, restarting by two, drills; and the operators' switch for every tenant."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from markupsafe import Markup

from governance.foundation.people import permissions as people_permissions
from governance.foundation.people import queries as people
from governance.foundation.people.queries import Moment
from governance.kernel import clock, current, formatting
from governance.kernel.access import allowed
from governance.kernel.errors import Invalid
from governance.kernel.feature import Feature
from governance.kernel.forms import accepted, uuid_or_none
from governance.kernel.pages import page
from governance.kernel.step_up import StepUp
from governance.kernel.web import ResponseReturnValue
from governance.operations.decision_counts import queries as decisions
from governance.operations.policies import queries as policies
from governance.operations.switches import actions, permissions, queries
from governance.operations.switches.active_stops import ActiveStop
from governance.operations.switches.forms import DecideForm, DrillForm, RestartForm, StopAllForm, StopForm, instant
from governance.operations.switches.models import Drill, PlatformStop, Stop
from governance.operations.switches.obedience_chart import Region, obedience_chart
from governance.operations.switches.queries import Board, Row, Scope
from governance.operations.switches.stop_propagation import PROMISE, Obedience
from governance.operations.systems import queries as systems
from governance.operations.systems.models import AISystem, SystemFeature

feature = Feature("switches", __name__)
operator_feature = Feature("operator_switches", __name__, scope="operator")

RATE_OVER = timedelta(minutes=10)  # requests a minute are an average over these
LIVE_FOR = timedelta(minutes=1)  # after a stop the page asks again by itself
SHOWN = ("human_review", "grounding", "tool_use", "memory")  # of the policy, beside the switches
EVERY_TENANT = "every tenant"
WHOLE = "all"


# ---- words


def planes(found: Stop | PlatformStop) -> str:
    said = [text for text, on in (("no new model calls", found.generate), ("no cached answers", found.serve)) if on]
    return ", ".join(said)


def moment(at: datetime) -> str:
    """25 November 2026, 09:42:17 Berlin."""
    local = at.astimezone(formatting.zone())
    return f"{formatting.long_day(local.date())}, {local:%H:%M:%S} {formatting.zone().key.rpartition('/')[2].replace('_', ' ')}"


def _exact(at: datetime) -> str:
    return f"{at.astimezone(formatting.zone()):%H:%M:%S}.{at.microsecond // 1000:03}"


def _names(*ids: UUID | None) -> dict[UUID, str]:
    """As the reader may see them: who reads pseudonyms in the log is told no name here either."""
    return people.names(ids) if allowed(people_permissions.NAMES) else {}


# ---- every switch of the tenant


@feature.get("/switches/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    board = queries.board()
    past = queries.stops_past()
    names = _names(
        *(i for s in (*board.stops, *past, *(r.last for r in board.rows if r.last)) for i in (s.stopped_by, s.restarted_by))
    )
    return page(
        "operations/switches/index.html", board=board, names=names, past=past, past_names=queries.names_of(past), rates=_rates(board.rows),
        headline=_headline(board, queries.names_of(board.stops)),
    )  # fmt: skip


def _headline(board: Board, names: Mapping[UUID, str]) -> str:
    if board.platform:
        return "The operator has stopped everything"
    if not board.stops:
        switches = len(board.rows) - 1
        return (
            f"Nothing is stopped: {formatting.plural(switches, 'switch', 'switches')} live"
            if switches
            else "There is nothing to stop yet"
        )
    if len(board.stops) == 1:
        name = names[board.stops[0].id]
        return f"{name[:1].upper() if board.stops[0].scope == 'tenant' else name[:1]}{name[1:]} is stopped"
    return f"{len(board.stops)} stops stand"


def _rates(rows: Sequence[Row]) -> Mapping[tuple[UUID | None, UUID | None], float]:
    """Requests a minute of each switch; of a system: whatever was asked in its name."""
    counted = decisions.per_minute(clock.now() - RATE_OVER)
    found: dict[tuple[UUID | None, UUID | None], float] = {}
    for row in rows:
        system, flag = row.scope.system, row.scope.flag
        if row.scope.kind == "feature":
            found[row.scope.key] = sum(rate for (_, asked), rate in counted.items() if asked == flag)
        elif system is not None:
            found[row.scope.key] = sum(r for (key, asked), r in counted.items() if key == system.key or _is_of(asked, flag))
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
    board = queries.board(found)
    rates, shown = _rates(board.rows), _newest_stop(board)
    return {
        **_stopping(found, board, rates, form), **_told(shown, board.obeyed.get(shown.id) if shown else None), "system": found,
        "board": board, "policy": _policy(found), "last": _last_drills(found),
        "names": _names(found.owner_id, *(i for s in (*board.stops, *(r.last for r in board.rows if r.last)) for i in (s.stopped_by, s.restarted_by))),
        "rate": rates.get((found.id, None), 0), "rates": rates, "row": board.row(shown) if shown else None,
        "second": found.lane == "high_risk",
    }  # fmt: skip


def _newest_stop(board: Board) -> Stop | None:
    """The one that the page tells of: the newest, a drill only when nothing else stands."""
    return min(board.stops, key=lambda s: s.drill_id is not None, default=None)


def _last_drills(found: AISystem) -> Sequence[Drill]:
    return queries.drills(limit=5, system_id=found.id)


def _policy(found: AISystem) -> dict[str, Any]:
    """What holds for this system now, as far as it bears on what it may do by itself."""
    standing = policies.standing()
    governed = next((s for s in standing.systems if s.id == found.id), None)
    decided = standing.effective(governed)
    return {
        "tier": standing.tier.name, "number": standing.number, "decided": [decided[key] for key in SHOWN if key in decided],
    }  # fmt: skip


def _told(shown: Stop | None, obeyed: Obedience | None) -> dict[str, Any]:
    """The headline of a stop, its chart and its first second."""
    if shown is None:
        return {"shown": None, "live": False}
    told = obeyed or Obedience()
    return {
        "shown": shown, "obeyed": told, "headline": _obeyed_by(told), "planes": planes(shown), "when": moment(shown.created_at),
        "chart": _chart(shown, told) if told.expected else None, "what": queries.names_of([shown])[shown.id],
        "live": shown.restarted_at is None and clock.now() - shown.created_at < LIVE_FOR, "stopper": _names(shown.stopped_by).get(shown.stopped_by)
        if shown.stopped_by else None, "first": _first_second(shown, told),
    }  # fmt: skip


def _obeyed_by(told: Obedience) -> str:
    if not told.expected:
        return "No consumer was heard in the day before it, so nobody has obeyed yet"
    line = f"Obeyed by {told.obeyed} of {formatting.plural(told.expected, 'consumer')}"
    return f"{line}, slowest {_seconds(told.slowest)}" if told.slowest is not None else line


def _seconds(value: float | None) -> str:
    """0.8 s, 12 s, 4 minutes: as it is said in a sentence."""
    if value is None:
        return ""
    if value < 10:  # noqa: PLR2004 - tenths still tell something
        return f"{value:.1f} s"
    return f"{value:.0f} s" if value < 120 else formatting.plural(round(value / 60), "minute")  # noqa: PLR2004 - two minutes


def _chart(shown: Stop, told: Obedience) -> Markup:
    regions = [Region(name, [o.seconds for o in each if o.seconds is not None], len(each)) for name, each in told.regions.items()]
    return obedience_chart(
        regions, _obeyed_by(told), promise=PROMISE, median=told.median, clicked=f"click, {_exact(shown.created_at)}",
        until=f"seconds until each consumer acknowledged version {formatting.thousands(shown.version)}",
    )  # fmt: skip


def _first_second(shown: Stop, told: Obedience) -> list[dict[str, Any]]:
    """From the log what was done to the stop, from the acknowledgements who obeyed."""
    on = " and ".join(word for word, is_on in (("generate", shown.generate), ("serve", shown.serve)) if is_on)
    reached = [one for one in told.each if one.seconds is not None]
    action_name = "switch.drill.begun" if shown.drill_id else f"switch.{shown.scope}.stopped"
    lines: list[tuple[float, dict[str, Any]]] = [
        (0.0, _line("stop", action_name, f"version {formatting.thousands(shown.version)}, {on}", _exact(shown.created_at))),
    ]
    if reached and not (len(reached) == 1 and told.is_whole):
        lines.append(
            (
                reached[0].seconds or 0,
                _line("dot", "First consumer obeyed", reached[0].listener.name, f"+{reached[0].seconds:.2f} s"),
            )
        )
    if told.is_whole:
        lines.append((told.slowest or 0, _line("ok", f"{'The one consumer' if told.expected == 1 else f'All {told.expected} consumers'} obeyed",
                                               f"last: {reached[-1].listener.name}", f"+{told.slowest:.2f} s")))  # fmt: skip
    for each in people.timeline([shown.id]):
        if each.action != action_name:
            after = (each.at - shown.created_at).total_seconds()
            lines.append((after, _line("dot", each.action, each.because or "", f"+{_seconds(after)}")))
    return [line for _, line in sorted(lines, key=lambda pair: pair[0])]


def _line(kind: str, lead: str, meta: str, at: str) -> dict[str, Any]:
    return {"kind": kind, "text": Markup("<b>{}</b>").format(lead), "meta": meta, "at": at}


# ---- stopping


def _stopping(found: AISystem, board: Board, rates: Mapping[Any, float], form: StopForm) -> dict[str, Any]:
    """What the dialog and its page need: the choices with their rates, and who notices."""
    form.what.choices = [
        (_choice(row.scope), row.scope.own.capitalize() if row.scope.kind == "system" else row.scope.own) for row in board.rows
    ]
    if form.what.data is None:
        form.what.data = form.what.choices[0][0]
    heard = [one for one in board.listeners.values() if one.is_under(found.id) and one.is_heard(clock.now())]
    regions = {one.region for one in heard if one.region}
    where = f" in {formatting.plural(len(regions), 'region')}" if regions else ""
    return {
        "form": form, "choices": {_choice(row.scope): (_instead(row.scope), _per_minute(rates.get(row.scope.key, 0))) for row in board.rows},
        "notices": [
            (formatting.thousands(len(heard)), f"consumer{'' if len(heard) == 1 else 's'}{where}"),
            (_rounded(rates.get((found.id, None), 0)), "requests a minute"),
            (str(len(board.rows) - 1), "features"),
            ("0", "requests lost, each is answered"),
        ],
    }  # fmt: skip


def _choice(scope: Scope) -> str:
    return str(scope.feature.id) if scope.feature else WHOLE


def _instead(scope: Scope) -> str:
    return scope.feature.fallback if scope.feature else "Every feature, and whatever else it is asked"


def _rounded(rate: float) -> str:
    return formatting.thousands(round(rate)) if rate >= 1 or not rate else f"{rate:.1f}"


def _per_minute(rate: float) -> str:
    return f"{_rounded(rate)} req/min"


@feature.route("/systems/<system_key>/stop", methods=["GET", "POST"], needs=permissions.STOP, urgent=True)
def stop_system(system_key: str) -> ResponseReturnValue:
    """The dialog's form, on a page of its own."""
    found, form = systems.system(system_key), StopForm()
    context = _of_system(found, form)
    if request.args.get("what") in context["choices"] and request.method == "GET":
        form.what.data = request.args["what"]
    if request.method == "POST" and accepted(form, lambda: _stop(found, form)):
        return redirect(url_for("switches.system", system_key=found.key), 303)
    return page("operations/switches/stop.html", status=form.status if request.method == "POST" else 200, **context)


def _stop(found: AISystem, form: StopForm) -> Stop:
    part = _part(found, form.what.data)
    return actions.stop(
        "feature" if part else "system", found, part, generate=bool(form.generate.data), serve=bool(form.serve.data),
        reason=form.because.data or "", look_again_at=instant(form.look_again_at.data),
    )  # fmt: skip


def _part(found: AISystem, what: object) -> SystemFeature | None:
    """The chosen feature; None for the whole system."""
    if what == WHOLE:
        return None
    part = systems.feature(uuid_or_none(what) or UUID(int=0))
    if part.system_id != found.id:
        raise Invalid("That feature is another system's.", field="what")
    return part


@feature.route("/switches/stop", methods=["GET", "POST"], needs=permissions.STOP, urgent=True)
def stop_everything() -> ResponseReturnValue:
    form, name = StopAllForm(), current.actor().tenant_name
    if request.method == "POST" and accepted(form, lambda: _stop_all(form, name)):
        return redirect(url_for("switches.index"), 303)
    board = queries.board()
    rates = _rates(board.rows)
    heard = [one for one in board.listeners.values() if one.is_heard(clock.now())]
    notices = [
        (formatting.thousands(len(heard)), f"consumer{'' if len(heard) == 1 else 's'}"), (_rounded(rates.get((None, None), 0)), "requests a minute"),
        (str(sum(r.scope.kind == "system" for r in board.rows)), "AI systems"), (str(sum(r.scope.kind == "feature" for r in board.rows)), "features"),
    ]  # fmt: skip
    second = any(r.scope.system is not None and r.scope.system.lane == "high_risk" for r in board.rows)
    return page("operations/switches/stop_everything.html", status=form.status if request.method == "POST" else 200, form=form, name=name, notices=notices,
                second=second, stop=next((s for s in board.stops if s.scope == "tenant"), None))  # fmt: skip


def _stop_all(form: StopAllForm, name: str) -> Stop:
    if _plain(form.typed.data) != _plain(name):
        raise Invalid(f"Type {name} exactly to stop everything.", field="typed")
    return actions.stop(
        "tenant", None, None, generate=bool(form.generate.data), serve=bool(form.serve.data), reason=form.because.data or ""
    )


def _plain(text: str | None) -> str:
    return " ".join((text or "").split()).casefold()


# ---- one stop


@feature.get("/switches/stops/<uuid:stop_id>", needs=permissions.VIEW)
def stop(stop_id: UUID) -> ResponseReturnValue:
    """What stands, or stood, by itself: also of everything, and of what was retired."""
    found = queries.stop(stop_id)
    return page("operations/switches/one.html", **_of_stop(found))


def _of_stop(found: Stop) -> dict[str, Any]:
    told = _told(found, queries.obediences([found])[found.id])
    under = systems.system(found.system_id) if found.system_id else None
    names = _names(found.stopped_by, found.restarted_by, found.restart_asked_by)
    return {
        **told, "system": under, "names": names, "second": queries.needs_second(found), "me": current.actor().person_id,
        "wider": [s for s in queries.active_stops() if _is_wider(s, found)],
    }  # fmt: skip


def _is_wider(other: ActiveStop, found: Stop) -> bool:
    """Whether another stop covers all that this one does: then restarting this one alone lets nothing answer again."""
    same = (other.scope, other.system_id, other.feature_id) == (found.scope, found.system_id, found.feature_id)
    covers = other.covers(found.system_id, found.feature_id) and (other.scope != "feature" or found.scope == "feature")
    return covers and not (same and not other.is_drill)


@feature.get("/switches/stops/<uuid:stop_id>/obeyed", needs=permissions.VIEW, attended=False)
def obeyed(stop_id: UUID) -> ResponseReturnValue:
    """The part of a page that changes in the first minute, asked for by that page."""
    found = queries.stop(stop_id)
    return page("operations/switches/obeyed.html", **_told(found, queries.obediences([found])[found.id]))


def _stopped(stop_id: UUID) -> list[tuple[str, str]]:
    found = queries.stop(stop_id)
    return [("Stopped", queries.names_of([found])[found.id])]


ANSWERS = {"restart": "Products answer again within a second."}
RESTART = StepUp(
    {"ask": "Request restart", "keep": "Keep stopped", "restart": "Restart"}, RestartForm, facts=_stopped, danger=ANSWERS
)


@feature.route(
    "/switches/stops/<uuid:stop_id>/restart", methods=["GET", "POST"], needs=permissions.RESTART, fresh=RESTART, urgent=True
)
def restart(stop_id: UUID) -> ResponseReturnValue:
    """Asked for by one, decided by another on the high-risk lane; by one on the standard lane. Both have just signed in."""
    found, form = queries.stop(stop_id), RestartForm()
    if request.method == "POST":
        verbs = {
            "ask": lambda: actions.ask_restart(found, seen=form.seen.data or "", because=form.because.data or ""),
            "keep": lambda: actions.keep_stopped(found, because=form.because.data or ""),
            "restart": lambda: actions.restart(found, seen=form.seen.data or "", because=form.because.data or ""),
        }
        verb = verbs.get(form.verb.data or "")
        if verb is None:
            raise Invalid("Decide: ask, restart, or keep it stopped.")
        if accepted(form, verb):
            flash(_decided(form.verb.data or ""))
            return _back_to(found)
    return page(
        "operations/switches/restart.html",
        status=form.status if request.method == "POST" else 200,
        form=form,
        seen=actions.seen(found),
        why_not=actions.approval_of_restart(found).why_not() if found.restart_asked_at and not found.restarted_at else None,
        **_of_stop(found),
    )


def _decided(verb: str) -> str:
    return {
        "ask": "Restart requested. Another person decides.",
        "keep": "It stays stopped.",
        "restart": "Restarted. It answers again.",
    }[verb]


def _back_to(found: Stop) -> ResponseReturnValue:
    if found.system_id is None:
        return redirect(url_for("switches.stop", stop_id=found.id), 303)
    return redirect(url_for("switches.system", system_key=systems.system(found.system_id).key), 303)


# ---- drills


def _drill_form(system_key: str) -> DrillForm:
    found = systems.system(system_key)
    soon = (clock.now() + timedelta(minutes=5)).astimezone(formatting.zone()).replace(tzinfo=None, second=0, microsecond=0)
    form = DrillForm(due_at=soon)
    scopes = [*((str(f.id), f.key) for f in systems.features(found.id)), (WHOLE, f"All of {found.key}")]
    form.what.choices = scopes
    if form.what.data is None:
        form.what.data = request.args.get("what") if request.args.get("what") in dict(scopes) else scopes[0][0]
    return form


PLAN_DRILL = StepUp("Plan drill", _drill_form, facts=lambda system_key: [("AI system", systems.system(system_key).name)])


@feature.route("/systems/<system_key>/drills/new", methods=["GET", "POST"], needs=permissions.DRILL, fresh=PLAN_DRILL)
def plan_drill(system_key: str) -> ResponseReturnValue:
    found, form = systems.system(system_key), _drill_form(system_key)
    made: list[Drill] = []
    if request.method == "POST" and accepted(form, lambda: made.append(_plan(found, form))):
        flash(
            "Asked. Another person has to agree before it takes place." if made[0].state == "asked" else "The drill is planned."
        )
        return redirect(url_for("switches.drill", drill_id=made[0].id), 303)
    return page("operations/switches/plan.html", status=form.status if request.method == "POST" else 200, form=form, system=found)


def _plan(found: AISystem, form: DrillForm) -> Drill:
    due = instant(form.due_at.data)
    if due is None:
        raise Invalid("When does it begin?", field="due_at")
    return actions.plan(
        found, _part(found, form.what.data), due_at=due, seconds=form.seconds.data or 0, repeat_days=form.repeat_days.data
    )


@feature.get("/switches/drills/<uuid:drill_id>", needs=permissions.VIEW)
def drill(drill_id: UUID) -> ResponseReturnValue:
    return _drill(queries.drill(drill_id), DecideForm())


def _drill(found: Drill, form: DecideForm, *, status: int = 200) -> ResponseReturnValue:
    of = queries.stop_of_drill(found.id)
    under = systems.system(found.system_id)
    part = systems.feature(found.feature_id) if found.feature_id else None
    scope = Scope("feature" if part else "system", under, part)
    return page(
        "operations/switches/drill.html", status=status, drill=found, form=form, system=under, scope=scope,
        names=_names(found.planned_by, found.agreed_by), me=current.actor().person_id, why_not=actions.approval_of_drill(found).why_not() if found.state == "asked" else None, late=found.state == "asked" and found.due_at <= clock.now(),
        title=_drill_title(found, scope.name), **_told(of, queries.obediences([of])[of.id] if of else None),
        moments=[_moment(each) for each in people.timeline([found.id])],
    )  # fmt: skip


def _drill_title(found: Drill, of: str) -> str:
    if found.state == "failed":
        return f"The drill of {of} failed: {found.found.get('why', '') or 'not every consumer obeyed'}"
    said = {"passed": "passed", "asked": "waits for a second person", "planned": "is planned", "running": "is under way"}
    return f"The drill of {of} {said.get(found.state, 'was cancelled')}"


def _moment(each: Moment) -> dict[str, Any]:
    kind = {"switch.drill.passed": "ok", "switch.drill.failed": "bad", "switch.drill.begun": "stop"}.get(each.action, "dot")
    return {"kind": kind, "text": f"{each.who} {each.says}", "meta": each.because, "at": each.at}


def _drilled(drill_id: UUID) -> list[tuple[str, str]]:
    found = queries.drill(drill_id)
    part = systems.feature(found.feature_id) if found.feature_id else None
    name = Scope("feature" if part else "system", systems.system(found.system_id), part).name
    return [("Drill of", name), ("Starts", moment(found.due_at))]


DECIDE_DRILL = StepUp({"agree": "Approve drill", "cancel": "Cancel drill"}, DecideForm, facts=_drilled)


@feature.post("/switches/drills/<uuid:drill_id>/decision", needs=permissions.DRILL, fresh=DECIDE_DRILL)
def decide_drill(drill_id: UUID) -> ResponseReturnValue:
    found, form = queries.drill(drill_id, lock=True), DecideForm()
    verbs = {"agree": lambda: actions.agree(found), "cancel": lambda: actions.cancel(found, because=form.because.data or "")}
    verb = verbs.get(form.verb.data or "")
    if verb is None:
        raise Invalid("Decide: agree, or cancel.")
    if not accepted(form, verb):
        return _drill(found, form, status=form.status)
    flash("Agreed. It takes place at its time." if form.verb.data == "agree" else "The drill is cancelled.")
    return redirect(url_for("switches.drill", drill_id=found.id), 303)


# ---- the operators


@operator_feature.route("/switch", methods=["GET", "POST"], needs=permissions.PLATFORM, urgent=True)
def switch() -> ResponseReturnValue:
    """Everything, for every tenant: stopping it takes one operator."""
    form = StopAllForm()
    if request.method == "POST" and accepted(form, lambda: _stop_platform(form)):
        return redirect(url_for("operator_switches.switch"), 303)
    return _switch(form, RestartForm(), status=form.status if request.method == "POST" else 200)


def _stop_platform(form: StopAllForm) -> PlatformStop:
    if _plain(form.typed.data) != EVERY_TENANT:
        raise Invalid(f"Type {EVERY_TENANT} to stop everything.", field="typed")
    return actions.stop_platform(generate=bool(form.generate.data), serve=bool(form.serve.data), reason=form.because.data or "")


def _switch(form: StopAllForm, decision: RestartForm, *, status: int = 200) -> ResponseReturnValue:
    held, past = queries.platform_stop(), queries.platform_stops_past()
    ids = (i for s in (*past, *((held,) if held else ())) for i in (s.stopped_by, s.restart_asked_by, s.restarted_by))
    return page(
        "operations/switches/platform.html", status=status, form=form, decision=decision, held=held, past=past, names=people.names(ids),
        planes=planes(held) if held else "", seen=actions.platform_mark(held) if held else "", me=current.person_id(), words_to_type=EVERY_TENANT,
        why_not=actions.approval_of_restart(held).why_not() if held and held.restart_asked_at else None,
    )  # fmt: skip


RESTART_PLATFORM = StepUp(
    {"ask": "Request restart of everything", "keep": "Keep everything stopped", "restart": "Restart everything"},
    RestartForm,
    danger={"restart": "Products of every tenant answer again within a second."},
)


@operator_feature.post("/switch/restart", needs=permissions.PLATFORM, fresh=RESTART_PLATFORM, urgent=True)
def restart_platform() -> ResponseReturnValue:
    form = RestartForm()
    seen = form.seen.data or ""
    verbs = {
        "ask": lambda: actions.ask_platform_restart(seen=seen, because=form.because.data or ""),
        "keep": lambda: actions.keep_platform_stopped(seen=seen),
        "restart": lambda: actions.restart_platform(seen=seen),
    }
    verb = verbs.get(form.verb.data or "")
    if verb is None:
        raise Invalid("Decide: ask, restart, or keep everything stopped.")
    if not accepted(form, verb):
        return _switch(StopAllForm(), form, status=form.status)
    flash(
        {
            "ask": "Asked. Another operator decides.",
            "keep": "Everything stays stopped.",
            "restart": "Restarted, for every tenant.",
        }[form.verb.data or ""]
    )
    return redirect(url_for("operator_switches.switch"), 303)
