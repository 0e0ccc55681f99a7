"""Acme's two playbooks, and the run of one of them in today's incident."""

from uuid import UUID

from governance.assurance.incidents import queries as incidents
from governance.assurance.playbooks import actions, queries, run_actions
from governance.assurance.playbooks.steps import PlaybookStep
from governance.demo.reliability_setting import ReliabilitySetting
from governance.kernel import clock
from governance.kernel.intervals import MINUTE

UNGROUNDED = (
    PlaybookStep("Stop the feature", kind="stop", target="claims-triage/auto-approve"),
    PlaybookStep("Hold payments of affected claims", "The payment run is at 18:00."),
    PlaybookStep("Find the affected decisions", "Filter by release and by the clause they cite."),
    PlaybookStep(
        "Tighten the policy",
        "Sources only, until the fix is verified.",
        kind="tighten",
        target="strict",
    ),
    PlaybookStep("Notify the reinsurer", "Only if a payment was made."),
    PlaybookStep("Draft the customer update", "From the incident's page."),
    PlaybookStep("Re-run the evaluation", "Suite claims-grounding, on the release in use."),
)
OUTAGE = (
    PlaybookStep(
        "Check the model provider's status page", kind="link", target="https://status.helio.example"
    ),
    PlaybookStep("Switch to the second region"),
    PlaybookStep(
        "Tell the leads", "claims-triage is down. We are switching regions.", "notify", "leads"
    ),
)
DONE = (  # minutes ago, person, step, note
    (40, "admin", 1, ""),
    (36, "jun", 2, "231 payments are on hold until a person releases them."),
    (31, "jun", 3, "231 of 318 approvals cite the clause."),
)
SKIPPED_STEP = 5


def write_playbooks(setting: ReliabilitySetting) -> None:
    with setting.acting("officer"):
        actions.create(
            title="Ungrounded output",
            used_for="Answers or approvals cite sources that don't support them.",
            steps=UNGROUNDED,
            owner_id=setting.acme.id("jun"),
            drill_every_days=91,
        )
        actions.create(
            title="Outage of a model provider",
            used_for="Every call to a provider's model fails or times out.",
            steps=OUTAGE,
            owner_id=setting.acme.id("anna"),
            drill_every_days=182,
        )


def start_run(setting: ReliabilitySetting, incident: UUID) -> UUID:
    """Start the playbook for ungrounded output, complete its first steps, and return the run's id."""
    with setting.acting("jun"):
        found = incidents.incident(incident)
        book = next(each for each in queries.live_playbooks() if each.title == "Ungrounded output")
        run = run_actions.start_run(
            queries.present_version(book).id, incident_id=found.id, incident_ref=found.ref
        ).id
    for minutes, part, number, note in DONE:
        with clock.frozen(setting.now - minutes * MINUTE), setting.acting(part):
            run_actions.do_step(queries.run(run, lock=True), number, note=note)
    return run


def skip_reinsurer(setting: ReliabilitySetting, run: UUID) -> None:
    with setting.acting("jun"):
        run_actions.skip_step(
            queries.run(run, lock=True), SKIPPED_STEP, reason="no payment was made"
        )
