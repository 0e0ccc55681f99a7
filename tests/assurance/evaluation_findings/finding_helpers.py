"""Runs of this week that pass, miss or decide nothing, and their consequences."""

import threading
from datetime import UTC, datetime

from sqlalchemy import select

from governance.assurance.controls import queries as controls
from governance.assurance.controls.status import status
from governance.assurance.evaluation_findings.models import EvaluationFinding, FollowedRun
from governance.assurance.evidence.models import Evidence, EvidenceVersion
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.operations.evaluations.releases import actions as release_actions
from governance.operations.systems import queries as register
from tests import make
from tests.operations.evaluations.evaluation_helpers import judged, log_of
from tests.waiting import MAX_WAIT_SECONDS

NOW = datetime(2026, 11, 25, 9, 24, tzinfo=UTC)
PASSES, MISSES, UNDECIDED = (1200, 0), (1145, 55), (97, 3)
CONTROL = "EVA-01"


def run(counts, number, *, day=24, hour=10, release="2026.11.2", **changes):
    """Judge a run of that day of November and apply its consequences."""
    stats = {"stats": {"completed_at": f"2026-11-{day:02}T{hour:02}:00:00Z"}}
    log = log_of(*counts, run=f"run-{number}", **(stats | changes))
    return judged(log, release=release)


def serve(release):
    """Record that claims-triage serves the release."""
    with make.acting("admin"):
        system = register.system("claims-triage")
        release_actions.state_release(system, release, reason="The deployment log.")


def findings(slug="acme"):
    with make.acting("admin", slug):
        found = (
            session().scalars(select(EvaluationFinding).order_by(EvaluationFinding.number)).all()
        )
        session().expunge_all()
    return found


def followed(found):
    with make.acting("admin"):
        query = select(FollowedRun).where(FollowedRun.run_id == found.id)
        row = session().scalars(query).one_or_none()
        session().expunge_all()
    return row


def versions():
    """Return (title, number, source) of each evidence version from an evaluation."""
    with make.acting("admin"):
        query = (
            select(Evidence.title, EvidenceVersion.filename, EvidenceVersion.source)
            .join(EvidenceVersion, EvidenceVersion.evidence_id == Evidence.id)
            .where(EvidenceVersion.source == "evaluation")
            .order_by(EvidenceVersion.uploaded_at)
        )
        return [tuple(row) for row in session().execute(query)]


def judged_control(ref=CONTROL):
    """Return the status of a control now."""
    now = clock.now()
    with make.acting("compliance_officer", read_only=True):
        found = next(c for c in controls.posture(now) if c.ref == ref)
        return status(found, today=now.date(), period_from=now.date(), period_to=now.date())


def misses_of(ref=CONTROL):
    return [each.fact for each in judged_control(ref).reasons if each.kind == "evaluation"]


def at_once(*acts, who=None):
    """Run each act in its own thread, as an officer or as `who`, all started at the same time."""
    start, outcomes = threading.Barrier(len(acts)), []

    def run(act):
        with current.acting_as(who or make.actor("admin")), clock.frozen(NOW):
            start.wait(MAX_WAIT_SECONDS)
            outcomes.append(act())

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(MAX_WAIT_SECONDS)
    return outcomes
