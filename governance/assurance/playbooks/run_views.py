"""Pages of a run: start a drill, complete or skip steps, and finish the run."""

from uuid import UUID

from flask import flash, redirect, url_for

from governance.assurance.playbooks import permissions, queries, run_actions
from governance.assurance.playbooks.evidence_of_run import evidence_of
from governance.assurance.playbooks.forms import RunEndForm, StepForm
from governance.assurance.playbooks.views import feature
from governance.foundation.people import queries as people
from governance.kernel.errors import Invalid
from governance.kernel.pages.rendering import page
from governance.kernel.web.forms import Form, accepted, submission
from governance.kernel.web.responses import ResponseReturnValue


@feature.post("/reliability/playbooks/<uuid:playbook_id>/drills", needs=permissions.RUN)
def start_drill(playbook_id: UUID) -> ResponseReturnValue:
    book = queries.playbook(playbook_id)
    made = run_actions.start_run(queries.present_version(book).id, is_drill=True)
    return redirect(url_for("playbooks.run", playbook_run_id=made.id), 303)


@feature.get("/reliability/playbooks/runs/<uuid:playbook_run_id>", needs=permissions.VIEW)
def run(playbook_run_id: UUID) -> ResponseReturnValue:
    return _run_page(playbook_run_id, StepForm())


def _run_page(
    playbook_run_id: UUID, form: Form, *, failed: int | None = None, status: int = 200
) -> ResponseReturnValue:
    found = queries.progress(queries.run(playbook_run_id))
    return page(
        "assurance/playbooks/run.html",
        status=status,
        progress=found,
        form=form,
        failed=failed,
        end_form=form if isinstance(form, RunEndForm) else RunEndForm(),
        evidence=evidence_of(found.run),
        names=people.names(
            [
                found.run.started_by,
                found.run.ended_by,
                *(each.result.recorded_by for each in found.steps if each.result is not None),
            ]
        ),
    )


@feature.post(
    "/reliability/playbooks/runs/<uuid:playbook_run_id>/steps/<int:number>", needs=permissions.RUN
)
def record_step(playbook_run_id: UUID, number: int) -> ResponseReturnValue:
    """Complete a step, or skip it with a reason. Completing an action step runs the action."""
    of, form = queries.run(playbook_run_id, lock=True), StepForm()
    verb, note = submission().fields.get("verb", "done"), form.note.data or ""

    def act() -> None:
        if verb == "skip":
            run_actions.skip_step(of, number, reason=note)
        elif verb == "done":
            run_actions.do_step(of, number, note=note)
        else:
            raise Invalid("Choose to complete or to skip the step.")

    if not accepted(form, act):
        return _run_page(playbook_run_id, form, failed=number, status=form.status)
    return redirect(
        url_for("playbooks.run", playbook_run_id=playbook_run_id, _anchor=f"step-{number + 1}"), 303
    )


@feature.post("/reliability/playbooks/runs/<uuid:playbook_run_id>/end", needs=permissions.RUN)
def end(playbook_run_id: UUID) -> ResponseReturnValue:
    of, form = queries.run(playbook_run_id, lock=True), RunEndForm()
    if not accepted(form, lambda: run_actions.end_run(of, summary=form.summary.data or "")):
        return _run_page(playbook_run_id, form, status=form.status)
    flash(f"{of.ref} finished and filed as evidence. Another person must review that evidence.")
    return redirect(url_for("playbooks.run", playbook_run_id=playbook_run_id), 303)
