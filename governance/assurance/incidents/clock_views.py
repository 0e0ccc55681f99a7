"""Pages for decisions on laws, notices to authorities and pauses of the support clock."""

from uuid import UUID

from flask import Response, flash, redirect, request, url_for

from governance.assurance.incidents import (
    clock_actions,
    deadlines,
    drafts,
    permissions,
    queries,
    statutory_rules,
    timeline,
    update_queries,
)
from governance.assurance.incidents.clocks import Clock
from governance.assurance.incidents.forms import (
    ClassifyForm,
    DeciderForm,
    IncidentReasonForm,
    NoticeForm,
    local,
)
from governance.assurance.incidents.incident_page import clock_line
from governance.assurance.incidents.models import Incident
from governance.assurance.incidents.statutory_rules import Regime, Stage
from governance.assurance.incidents.views import feature
from governance.foundation.people.owners import name_of
from governance.kernel import clock
from governance.kernel.errors import NotFound
from governance.kernel.files.downloads import FILE
from governance.kernel.pages.rendering import page
from governance.kernel.web.forms import Form, accepted, counted, instant_of
from governance.kernel.web.responses import ResponseReturnValue

UNKNOWN_LAW = "This law isn't one of the rules."


def _regime(incident_id: UUID, key: str) -> Regime:
    """Return the law in the version that it was decided under, otherwise the current one."""
    decided = deadlines.classification(incident_id, key)
    version = decided.rules_version if decided else statutory_rules.LATEST
    found = statutory_rules.regime(key, version)
    if found is None:
        raise NotFound(UNKNOWN_LAW)
    return found


@feature.get("/incidents/<uuid:incident_id>/laws/<regime_key>", needs=permissions.VIEW)
def classify(incident_id: UUID, regime_key: str) -> ResponseReturnValue:
    found, law = queries.incident(incident_id), _regime(incident_id, regime_key)
    return _classify(found, law)


def _classify(
    found: Incident,
    law: Regime,
    *,
    form: ClassifyForm | None = None,
    decider: Form | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    decided = deadlines.classification(found.id, law.key)
    if form is None:
        form = ClassifyForm(version=str(decided.version if decided else 0))
        if decided and decided.applies is not None:
            form.applies.data = "yes" if decided.applies else "no"
            form.variant.data, form.reason.data = decided.variant, decided.reason
    form.variant.choices = [(each.key, each.label) for each in law.variants]
    lines = [clock_line(found, each) for each in deadlines.clocks_of(found)]
    return page(
        "assurance/incidents/classify.html",
        incident=found,
        law=law,
        decided=decided,
        decider_name=name_of(decided.decider_id) if decided and decided.decider_id else None,
        form=form,
        decider=decider or DeciderForm(),
        lines=[each for each in lines if each.clock.regime == law.key],
        confirm=statutory_rules.CONFIRM,
        version=statutory_rules.LATEST,
        status=status,
    )


@feature.post("/incidents/<uuid:incident_id>/laws/<regime_key>", needs=permissions.CLASSIFY)
def decide(incident_id: UUID, regime_key: str) -> ResponseReturnValue:
    found, form = queries.incident(incident_id), ClassifyForm()
    law = _regime(incident_id, regime_key)
    form.variant.choices = [(each.key, each.label) for each in law.variants]
    if not accepted(
        form,
        lambda: clock_actions.classify(
            found,
            law.key,
            applies=form.applies.data == "yes",
            variant=form.variant.data or "",
            reason=form.reason.data or "",
            version=counted(form.version.data),
        ),
    ):
        if form.stale:
            there = deadlines.classification(found.id, law.key)
            form.version.data = str(there.version if there else 0)
        return _classify(found, law, form=form, status=form.status)
    return redirect(url_for("incidents.incident", incident_id=incident_id) + "#clocks", 303)


@feature.post("/incidents/<uuid:incident_id>/laws/<regime_key>/decider", needs=permissions.CLASSIFY)
def assign_decider(incident_id: UUID, regime_key: str) -> ResponseReturnValue:
    found, form = queries.incident(incident_id), DeciderForm()
    law = _regime(incident_id, regime_key)
    if not accepted(
        form,
        lambda: clock_actions.assign_decider(
            found,
            law.key,
            decider_id=form.decider_id.data,
            decide_by=instant_of(form.decide_by.data),
        ),
    ):
        return _classify(found, law, decider=form, status=form.status)
    flash(f"{name_of(form.decider_id.data)} finds it in their inbox.")
    return redirect(url_for("incidents.incident", incident_id=incident_id) + "#clocks", 303)


# ---- notices


def _stage(incident_id: UUID, law: Regime, key: str) -> Stage:
    decided = deadlines.classification(incident_id, law.key)
    stages = law.variant(decided.variant if decided else "").stages
    found = next((each for each in stages if each.key == key), None)
    if found is None:
        raise NotFound("This law has no such notice.")
    return found


def _clock(found: Incident, law: Regime, stage: Stage) -> Clock | None:
    every = deadlines.clocks_of(found)
    return next((c for c in every if (c.regime, c.stage) == (law.key, stage.key)), None)


def _draft(found: Incident, law: Regime, stage: Stage) -> str:
    impacts = queries.impacts_of([found.id])[found.id]
    story = timeline.timeline(found, impacts)
    facts = update_queries.draft_facts(found, impacts, story.entries)
    due = _clock(found, law, stage)
    return drafts.notice(facts, law, stage, due.due_at if due else None)


@feature.get("/incidents/<uuid:incident_id>/laws/<regime_key>/<stage_key>", needs=permissions.VIEW)
def notice(incident_id: UUID, regime_key: str, stage_key: str) -> ResponseReturnValue:
    """Show a draft notice, prefilled from the timeline, with unknown facts marked."""
    found, law = queries.incident(incident_id), _regime(incident_id, regime_key)
    return _notice(found, law, _stage(incident_id, law, stage_key))


def _notice(
    found: Incident, law: Regime, stage: Stage, *, form: Form | None = None, status: int = 200
) -> ResponseReturnValue:
    text = _draft(found, law, stage)
    due = _clock(found, law, stage)
    return page(
        "assurance/incidents/notice.html",
        incident=found,
        law=law,
        stage=stage,
        paragraphs=drafts.paragraphs(text),
        unknown=len(drafts.unknown_lines(text)),
        line=clock_line(found, due) if due else None,
        sent=deadlines.notice(found.id, law.key, stage.key),
        form=form or NoticeForm(recipient=law.recipient, sent_at=local(clock.now())),
        confirm=statutory_rules.CONFIRM,
        status=status,
    )


@feature.get(
    "/incidents/<uuid:incident_id>/laws/<regime_key>/<stage_key>/draft.txt",
    needs=permissions.VIEW,
    answers=FILE,
)
def download_notice(incident_id: UUID, regime_key: str, stage_key: str) -> ResponseReturnValue:
    found, law = queries.incident(incident_id), _regime(incident_id, regime_key)
    stage = _stage(incident_id, law, stage_key)
    answer = Response(_draft(found, law, stage), content_type="text/plain; charset=utf-8")
    name = f"{found.ref}-{law.key}-{stage.key}-draft.txt"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@feature.post(
    "/incidents/<uuid:incident_id>/laws/<regime_key>/<stage_key>", needs=permissions.CLASSIFY
)
def record_notice(incident_id: UUID, regime_key: str, stage_key: str) -> ResponseReturnValue:
    found, form = queries.incident(incident_id), NoticeForm()
    law = _regime(incident_id, regime_key)
    stage = _stage(incident_id, law, stage_key)
    if not accepted(form, lambda: _record(found, law, stage, form)):
        return _notice(found, law, stage, form=form, status=form.status)
    flash(f"The {stage.name.lower()} under {law.name} is recorded as sent.")
    return redirect(url_for("incidents.incident", incident_id=incident_id) + "#clocks", 303)


def _record(found: Incident, law: Regime, stage: Stage, form: NoticeForm) -> None:
    sent_at = instant_of(form.sent_at.data)
    assert sent_at is not None
    clock_actions.record_notice(
        found,
        law.key,
        stage.key,
        sent_at=sent_at,
        recipient=form.recipient.data or "",
        reference=form.reference.data or "",
    )


# ---- the support clock


@feature.get("/incidents/<uuid:incident_id>/pause", needs=permissions.MANAGE)
def pausing(incident_id: UUID) -> ResponseReturnValue:
    return page(
        "assurance/incidents/pause.html",
        incident=queries.incident(incident_id),
        form=IncidentReasonForm(),
    )


@feature.post("/incidents/<uuid:incident_id>/pause", needs=permissions.MANAGE)
def pause(incident_id: UUID) -> ResponseReturnValue:
    """Pause the time to resolve, or resume it if the form's `verb` is "resume"."""
    found, form = queries.incident(incident_id), IncidentReasonForm()
    if request.form.get("verb") == "resume":
        clock_actions.resume(found)
    elif not accepted(form, lambda: clock_actions.pause(found, reason=form.reason.data or "")):
        return page("assurance/incidents/pause.html", incident=found, form=form, status=form.status)
    return redirect(url_for("incidents.incident", incident_id=incident_id) + "#clocks", 303)


@feature.post("/incidents/<uuid:incident_id>/response", needs=permissions.MANAGE)
def record_response(incident_id: UUID) -> ResponseReturnValue:
    clock_actions.record_response(queries.incident(incident_id, lock=True))
    return redirect(url_for("incidents.incident", incident_id=incident_id) + "#clocks", 303)
