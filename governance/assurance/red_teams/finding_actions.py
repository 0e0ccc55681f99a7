"""Report findings, and close them when a regression case proves the fix.

report            by the tester
confirm, reject   by the person who decides
pin_case, fix     by the person who fixes it
reopen, close     when the fix failed, or is proved
"""

from typing import Any
from uuid import UUID

from governance.assurance.red_teams import life_cycle, permissions, queries, regression, severity
from governance.assurance.red_teams.actions import (
    LOCK,
    MAX_TITLE_LENGTH,
    check_release,
    check_text,
    check_window,
)
from governance.assurance.red_teams.life_cycle import NotPossible
from governance.assurance.red_teams.models import RedTeam, RedTeamAttempt, RedTeamFinding
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import find, lock_tenant, session
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.safety.access import require
from governance.operations.evaluations import queries as evaluations
from governance.operations.evaluations.models import SuiteVersion
from governance.operations.evaluations.runs.case_digests import case_digest

FIELDS = "ref red_team system release"


def _step(past: str, says: str, more: str, severity_: Any, shape: Any, activity: Any) -> Any:
    return action(
        f"red_team.finding.{past}",
        says,
        target="RedTeamFinding",
        activity=activity,
        severity=severity_,
        fields=f"{FIELDS} {more}",
        shape=shape,
    )


REPORTED = _step(
    "reported",
    "reported a finding of a red team",
    "attempt title reproduction vector score",
    "high",
    "bad",
    "create",
)
CONFIRMED = _step("confirmed", "confirmed a finding of a red team", "", "medium", "bad", "update")
REJECTED = _step("rejected", "rejected a finding of a red team", "", "medium", "stop", "update")
CASE_PINNED = _step(
    "case_pinned",
    "pinned the regression case of a finding",
    "suite suite_version measure case",
    "low",
    "dot",
    "update",
)
FIXED = _step(
    "fixed", "named the release that fixes a finding", "fixed_release", "low", "up", "update"
)
REOPENED = _step(
    "reopened", "reopened a finding of a red team", "fixed_release", "medium", "bad", "update"
)
CLOSED = _step(
    "closed",
    "closed a finding of a red team",
    "fixed_release suite suite_version measure case failed_run passed_run",
    "low",
    "ok",
    "update",
)
STEPS = {
    "confirm": (permissions.DECIDE, CONFIRMED),
    "reject": (permissions.DECIDE, REJECTED),
    "fix": (permissions.FIX, FIXED),
    "reopen": (permissions.FIX, REOPENED),
    "close": (permissions.DECIDE, CLOSED),
}
MAX_CASE_LENGTH = 1000


def report(
    row: RedTeam,
    attempt: RedTeamAttempt,
    *,
    title: str,
    reproduction: str,
    vector: str,
    finding_id: UUID | None = None,
) -> RedTeamFinding:
    """Report a finding of an attempt that broke through. Raise Invalid for any other attempt."""
    require(permissions.ATTACK, on=row)
    lock_tenant(LOCK)
    check_window(row)
    if attempt.red_team_id != row.id:
        raise Invalid("Choose an attempt of this red team.", field="attempt_id")
    if attempt.outcome != "broke":
        raise Invalid("Only an attempt that broke through is a finding.", field="attempt_id")
    check_text(title, "title", "Enter a title.", MAX_TITLE_LENGTH)
    check_text(reproduction, "reproduction", "Enter the steps that show it again.")
    try:
        score = severity.base_score(vector)
    except ValueError as wrong:
        raise Invalid("Choose a value for each input of the severity.") from wrong
    made = RedTeamFinding(
        id=finding_id or uuid7(),
        number=queries.next_number(RedTeamFinding),
        red_team_id=row.id,
        system_id=row.system_id,
        attempt_id=attempt.id,
        title=title.strip(),
        reproduction=reproduction.strip(),
        vector=vector,
        score=score,
        release=attempt.release,
        state="open",
        reported_by=current.person_id(),
        fixed_release=None,
        case_version_id=None,
        case_measure=None,
        case_digest=None,
        failed_run_id=None,
        passed_run_id=None,
        ended_at=None,
        created_at=clock.now(),
    )
    session().add(made)
    session().flush()
    record(
        REPORTED,
        made,
        **_facts(made, row),
        attempt=attempt.number,
        title=made.title,
        reproduction=made.reproduction,
        vector=vector,
        score=str(score),
    )
    return made


def pin_case(found: RedTeamFinding, *, version_id: UUID, measure: str, case: str) -> None:
    """Pin the case that shows the finding, by its id. Meridian stores the digest of the id.

    Raise Invalid for a measure that isn't a rate of cases, and Stale if the finding has ended.
    """
    require(permissions.FIX)
    session().refresh(found, with_for_update=True)
    if not found.is_open:
        raise Stale(f"{found.ref} is {found.shown_state[1].lower()}. Its case stays as it is.")
    version = find(SuiteVersion, version_id, what="suite version")
    if not version.is_published:
        raise Invalid("Choose a published version of a suite.", field="measure")
    known = {each.key for each in evaluations.measures(version.id) if each.kind == "rate"}
    if measure not in known:
        raise Invalid("Choose a measure that each case passes or fails.", field="measure")
    if not 0 < len(case.strip()) <= MAX_CASE_LENGTH:
        raise Invalid("Enter the id of the case, as the runs name it.", field="case")
    pinned = (version.id, measure, case_digest(case.strip()))
    if pinned == (found.case_version_id, found.case_measure, found.case_digest):
        return
    found.case_version_id, found.case_measure, found.case_digest = pinned
    session().flush()
    record(
        CASE_PINNED,
        found,
        **_facts(found, queries.red_team(found.red_team_id)),
        **_case_facts(regression.proof_of(found)),
    )


def take_step(found: RedTeamFinding, step: str, *, reason: str, fixed_release: str = "") -> None:
    """Take one of STEPS on a finding. Idempotent.

    `fixed_release` belongs to the step "fix". Closing needs the proof of the regression case. Raise
    DomainError with what is missing, or Stale if somebody else was faster.
    """
    needs, done = STEPS[step]
    require(needs)
    session().refresh(found, with_for_update=True)
    if step in {"close", "reject"} and found.state == life_cycle.TO[step]:
        return
    try:
        after = life_cycle.state_after(found.state, step)
    except NotPossible as refused:
        raise Stale(str(refused)) from refused
    check_text(reason, "reason", "Enter a reason. It is kept in the audit log.")
    more: dict[str, Any] = {}
    if step == "fix":
        check_release(fixed_release, "fixed_release")
        if fixed_release.strip() == found.release:
            raise Invalid(
                "This is the release that broke. Enter a later one.", field="fixed_release"
            )
        found.fixed_release = fixed_release.strip()
    elif step == "close":
        more = _close(found)
    if step in {"fix", "reopen", "close"}:
        more["fixed_release"] = found.fixed_release
    if step == "reopen":
        found.fixed_release = None
    found.state = after
    if not found.is_open:
        found.ended_at = clock.now()
    session().flush()
    row = queries.red_team(found.red_team_id)
    record(done, found, reason=reason.strip(), **_facts(found, row), **more)


def _close(found: RedTeamFinding) -> dict[str, Any]:
    """Return the two runs that prove the fix, to store them. Raise DomainError without a proof."""
    proof = regression.proof_of(found)
    if not proof.is_proved or proof.old.run is None or proof.new is None or proof.new.run is None:
        raise DomainError(" ".join(proof.reasons))
    found.failed_run_id, found.passed_run_id = proof.old.run.id, proof.new.run.id
    return {
        **_case_facts(proof),
        "failed_run": proof.old.run.number,
        "passed_run": proof.new.run.number,
    }


def _facts(found: RedTeamFinding, row: RedTeam) -> dict[str, Any]:
    return {
        "ref": found.ref,
        "red_team": row.ref,
        "system": queries.system_of(row).key,
        "release": found.release,
    }


def _case_facts(proof: regression.Proof) -> dict[str, Any]:
    if proof.case is None:
        return {}
    return {
        "suite": proof.case.suite.key,
        "suite_version": proof.case.version.number,
        "measure": proof.case.measure.key,
        "case": proof.case.digest,
    }
