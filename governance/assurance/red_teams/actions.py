"""Plan red teams, record what they try, and finish them.

    plan, add_scenario         before anything is tried
    record_attempt, link_run   during the window
    finish, cancel             afterwards

Actions on findings are in finding_actions.py.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from governance.assurance.engagements import actions as engaging
from governance.assurance.engagements import queries as engagements
from governance.assurance.engagements.fieldwork_window import access_window
from governance.assurance.red_teams import catalogue, permissions, queries
from governance.assurance.red_teams.models import (
    OUTCOMES,
    TEAM_KINDS,
    RedTeam,
    RedTeamAttempt,
    RedTeamRun,
    RedTeamScenario,
)
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.formatting import long_day, plural
from governance.kernel.safety.access import require
from governance.operations.evaluations import queries as evaluations
from governance.operations.systems import queries as systems

PLANNED = action(
    "red_team.planned",
    "planned a red team",
    target="RedTeam",
    activity="create",
    severity="low",
    fields="ref system release kind title rules opens_on closes_on engagement",
)
SCENARIO_ADDED = action(
    "red_team.scenario.added",
    "added a scenario to a red team",
    target="RedTeam",
    activity="update",
    severity="informational",
    fields="ref scenario risk title goal",
)
ATTEMPT_RECORDED = action(
    "red_team.attempt.recorded",
    "recorded an attempt of a red team",
    target="RedTeam",
    activity="update",
    severity="informational",
    fields="ref attempt scenario risk release outcome",
)
RUN_LINKED = action(
    "red_team.run.linked",
    "counted an evaluation run as attempts of a red team",
    target="RedTeam",
    activity="update",
    severity="informational",
    fields="ref scenario risk run measure held broke unclear",
)
FINISHED = action(
    "red_team.finished",
    "finished a red team",
    target="RedTeam",
    activity="update",
    severity="low",
    fields="ref system release attempts findings never_tried summary",
    shape="ok",
)
CANCELLED = action(
    "red_team.cancelled",
    "cancelled a red team",
    target="RedTeam",
    activity="update",
    severity="low",
    fields="ref system release",
    shape="stop",
)

LOCK = "red_teams"
MAX_TITLE_LENGTH, MAX_TEXT_LENGTH, MAX_RELEASE_LENGTH = 160, 8000, 80
MAX_SCENARIOS, MAX_DAYS = 100, 92
RELEASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


@dataclass(frozen=True, slots=True)
class RedTeamDraft:
    """The fields of a red team from its form. `firm` is the firm of third-party testers."""

    system_id: UUID
    release: str
    kind: str
    title: str
    rules: str
    opens_on: date
    closes_on: date
    firm: str = ""


# ---- planning


def plan(draft: RedTeamDraft, *, red_team_id: UUID | None = None) -> RedTeam:
    """Plan a red team. Raise Invalid.

    For a third party, it starts an engagement that gives its testers access to nothing else. The
    caller chooses `red_team_id`, so that a form submitted twice plans one red team.
    """
    require(permissions.PLAN)
    lock_tenant(LOCK)
    system = systems.system(draft.system_id)
    _check_draft(draft)
    if system.is_retired:
        raise Invalid("This AI system is retired. Choose another.", field="system_id")
    engagement = None
    if draft.kind == "third_party":
        engagement = engaging.open_engagement(
            draft.firm,
            framework_id=None,
            period_from=draft.opens_on,
            period_to=draft.closes_on,
            fieldwork_from=draft.opens_on,
            fieldwork_to=draft.closes_on,
            is_red_team=True,
        )
    opens_at, closes_at = access_window(draft.opens_on, draft.closes_on, current.actor().time_zone)
    row = RedTeam(
        id=red_team_id or uuid7(),
        number=queries.next_number(RedTeam),
        system_id=system.id,
        system_version=system.version,
        release=draft.release.strip(),
        kind=draft.kind,
        engagement_id=engagement.id if engagement else None,
        title=draft.title.strip(),
        rules=draft.rules.strip(),
        opens_on=draft.opens_on,
        closes_on=draft.closes_on,
        opens_at=opens_at,
        closes_at=closes_at,
        planned_by=current.person_id(),
        finished_at=None,
        cancelled_at=None,
    )
    session().add(row)
    session().flush()
    record(
        PLANNED,
        row,
        ref=row.ref,
        system=system.key,
        release=row.release,
        kind=row.kind,
        title=row.title,
        rules=row.rules,
        opens_on=row.opens_on,
        closes_on=row.closes_on,
        engagement=engagement.ref if engagement else None,
    )
    return row


def _check_draft(draft: RedTeamDraft) -> None:
    if draft.kind not in TEAM_KINDS:
        raise Invalid("Choose who attacks.", field="kind")
    check_text(draft.title, "title", "Enter a title.", MAX_TITLE_LENGTH)
    check_text(draft.rules, "rules", "Enter what the testers may do, and what they must not.")
    check_release(draft.release, "release")
    if draft.closes_on < draft.opens_on:
        raise Invalid("The window ends before it begins.", field="closes_on")
    if (draft.closes_on - draft.opens_on).days >= MAX_DAYS:
        raise Invalid(f"A window lasts {MAX_DAYS} days at most.", field="closes_on")
    if draft.closes_on < clock.today():
        raise Invalid("The window is over already. Choose a later end.", field="closes_on")
    if draft.kind == "third_party" and not draft.firm.strip():
        raise Invalid("Enter the firm that attacks.", field="firm")


def check_text(text: str, field: str, missing: str, longest: int = MAX_TEXT_LENGTH) -> None:
    """Raise Invalid if the text is empty or too long."""
    if not text.strip():
        raise Invalid(missing, field=field)
    if len(text.strip()) > longest:
        raise Invalid(f"Shorten it to {longest:,} characters or fewer.", field=field)


def check_release(release: str, field: str) -> None:
    """Raise Invalid if the text can't be the name of a release."""
    if not RELEASE.fullmatch(release.strip()) or len(release.strip()) > MAX_RELEASE_LENGTH:
        raise Invalid(
            "Enter a release such as 2026.12.0: letters, digits, dots, hyphens and plus signs, up"
            f" to {MAX_RELEASE_LENGTH}.",
            field=field,
        )


def add_scenario(
    row: RedTeam, *, risk: str, title: str, goal: str, scenario_id: UUID | None = None
) -> RedTeamScenario:
    """Add a scenario to try. Raise Invalid for a risk id that no list has."""
    require(permissions.PLAN)
    lock_tenant(LOCK)
    _check_unfinished(row)
    if risk not in catalogue.NAMES:
        raise Invalid("Choose an id of OWASP, with its edition, or of MITRE ATLAS.", field="risk")
    check_text(title, "title", "Enter a title.", MAX_TITLE_LENGTH)
    check_text(goal, "goal", "Enter what counts as breaking through.")
    number = queries.next_number(RedTeamScenario, row.id)
    if number > MAX_SCENARIOS:
        raise Invalid(f"A red team has {MAX_SCENARIOS} scenarios at most. Plan another one.")
    made = RedTeamScenario(
        id=scenario_id or uuid7(),
        red_team_id=row.id,
        number=number,
        risk=risk,
        title=title.strip(),
        goal=goal.strip(),
        added_by=current.person_id(),
    )
    session().add(made)
    session().flush()
    record(
        SCENARIO_ADDED,
        row,
        ref=row.ref,
        scenario=number,
        risk=risk,
        title=made.title,
        goal=made.goal,
    )
    return made


# ---- trying


def record_attempt(
    row: RedTeam,
    scenario: RedTeamScenario,
    *,
    what: str,
    outcome: str,
    release: str,
    attempt_id: UUID | None = None,
) -> RedTeamAttempt:
    """Record an attempt. Raise DomainError outside the window."""
    require(permissions.ATTACK, on=row)
    lock_tenant(LOCK)
    check_window(row)
    if scenario.red_team_id != row.id:
        raise Invalid("Choose a scenario of this red team.", field="scenario_id")
    if outcome not in OUTCOMES:
        raise Invalid("Choose how it ended.", field="outcome")
    check_text(what, "what", "Enter what you tried.")
    check_release(release, "release")
    made = RedTeamAttempt(
        id=attempt_id or uuid7(),
        red_team_id=row.id,
        scenario_id=scenario.id,
        number=queries.next_number(RedTeamAttempt, row.id),
        release=release.strip(),
        what=what.strip(),
        outcome=outcome,
        tried_by=current.person_id(),
        created_at=clock.now(),
    )
    session().add(made)
    session().flush()
    record(
        ATTEMPT_RECORDED,
        row,
        ref=row.ref,
        attempt=made.number,
        scenario=scenario.number,
        risk=scenario.risk,
        release=made.release,
        outcome=outcome,
    )
    return made


def check_window(row: RedTeam) -> None:
    """Raise DomainError unless the testers may attack now."""
    session().refresh(row)
    phase = row.phase
    if phase == "planned":
        raise DomainError(f"The window of {row.ref} opens on {long_day(row.opens_on)}.")
    if phase == "over":
        raise DomainError(
            f"The window of {row.ref} ended on {long_day(row.closes_on)}, and with it the consent"
            " to attack. Plan another red team."
        )
    if phase != "open":
        raise Stale(f"{row.ref} was {phase}. Nothing more is recorded in it.")
    if row.engagement_id is not None:
        engagement = engagements.engagement(row.engagement_id)
        if not engagement.is_open(clock.now()):
            raise DomainError(
                f"{engagement.ref} isn't open, and with it the consent to attack has ended."
            )


def link_run(
    row: RedTeam, scenario: RedTeamScenario, *, run_id: UUID, measure: str
) -> RedTeamRun | None:
    """Count the cases of a completed run as attempts. Return None if they already count.

    Raise Invalid if the run is of another system or has no such rate of cases.
    """
    require(permissions.FIX)
    lock_tenant(LOCK)
    _check_unfinished(row)
    run = evaluations.run(run_id)
    if run.system_id != row.system_id:
        raise Invalid("Choose a run of this AI system.", field="run_id")
    if run.state != "judged" or run.outcome != "completed":
        raise Invalid(f"Run {run.number:,} isn't a completed run.", field="run_id")
    found = next(
        (
            (result, each)
            for result, each in evaluations.results_of([run.id])
            if each.key == measure and each.kind == "rate" and result.n
        ),
        None,
    )
    if found is None:
        raise Invalid("Choose a share of cases that the run measured.", field="measure")
    there = [
        link
        for link, *_others in queries.linked_runs((row.id,))
        if (link.scenario_id, link.run_id, link.measure) == (scenario.id, run.id, measure)
    ]
    if there:
        return None
    link = RedTeamRun(
        scenario_id=scenario.id, run_id=run.id, measure=measure, linked_by=current.person_id()
    )
    session().add(link)
    session().flush()
    counted = queries.counted_attempts(run, *found)
    record(
        RUN_LINKED,
        row,
        ref=row.ref,
        scenario=scenario.number,
        risk=scenario.risk,
        run=run.number,
        measure=measure,
        held=counted.held,
        broke=counted.broke,
        unclear=counted.unclear,
    )
    return link


# ---- the end


def finish(row: RedTeam, *, summary: str) -> None:
    """Finish a red team with at least one attempt. Idempotent.

    Its findings stay open until they are closed. Scenarios that were never tried stay listed.
    """
    require(permissions.PLAN)
    lock_tenant(LOCK)
    session().refresh(row, with_for_update=True)
    if row.finished_at is not None:
        return
    if row.cancelled_at is not None or row.phase == "planned":
        raise Stale(f"{row.ref} is {row.state[1].lower()}, so it can't be finished.")
    check_text(summary, "summary", "Enter a summary of what was found.")
    counts = queries.scenario_counts((row.id,))
    attempts = sum(each.total for each in counts.values())
    if not attempts:
        raise DomainError("Nothing was tried yet. Record an attempt, or cancel the red team.")
    never = [each.number for each in queries.scenarios((row.id,)) if each.id not in counts]
    row.finished_at, row.summary = clock.now(), summary.strip()
    session().flush()
    record(
        FINISHED,
        row,
        **_facts(row),
        attempts=attempts,
        findings=queries.findings_by_red_team([row.id]).get(row.id, (0, 0))[0],
        never_tried=never,
        summary=row.summary,
    )


def cancel(row: RedTeam, *, reason: str) -> None:
    """Cancel a red team that has no attempts. Idempotent."""
    require(permissions.PLAN)
    lock_tenant(LOCK)
    session().refresh(row, with_for_update=True)
    if row.cancelled_at is not None:
        return
    _check_unfinished(row)
    check_text(reason, "reason", "Enter a reason. It is kept in the audit log.")
    tried = sum(each.total for each in queries.scenario_counts((row.id,)).values())
    if tried:
        raise DomainError(f"It has {plural(tried, 'attempt')} already. Finish it instead.")
    row.cancelled_at = clock.now()
    session().flush()
    record(CANCELLED, row, reason=reason.strip(), **_facts(row))


def _check_unfinished(row: RedTeam) -> None:
    if row.finished_at is not None or row.cancelled_at is not None:
        raise Stale(f"{row.ref} was {row.phase}. Nothing in it changes any more.")


def _facts(row: RedTeam) -> dict[str, Any]:
    return {"ref": row.ref, "system": queries.system_of(row).key, "release": row.release}
