"""The data of a red team's report, read from the record as it is now.

content(red_team_id, …)      as JSON can hold it; report_layout.py prints it
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from governance.assurance.engagements import queries as engagements
from governance.assurance.red_teams import (
    catalogue,
    coverage,
    evidence_queries,
    queries,
    regression,
    severity,
)
from governance.assurance.red_teams.evidence_queries import LinkedVersion
from governance.assurance.red_teams.life_cycle import FINDING_STATES
from governance.assurance.red_teams.models import (
    OUTCOMES,
    TEAM_KINDS,
    RedTeam,
    RedTeamAttempt,
    RedTeamFinding,
    RedTeamScenario,
)
from governance.assurance.red_teams.queries import Tried
from governance.foundation.people import queries as people
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.operations.evaluations.models import EvaluationRun

FORMAT = "governance.red-team-report/1"
FORMER = "a former member"


def content(red_team_id: UUID, *, requested_at: datetime, signing_key: str) -> dict[str, Any]:
    """Return the data of the report. An unfinished red team gives a draft."""
    row = queries.red_team(red_team_id)
    system, actor, now = queries.system_of(row), current.actor(), clock.now()
    is_draft = row.finished_at is None
    testers = _testers(row.id)
    names = people.names([row.planned_by, *testers])
    findings = _findings(row.id)
    total, _open = queries.findings_by_red_team([row.id]).get(row.id, (0, 0))
    return {
        "schema": FORMAT,
        "tenant": {"slug": actor.tenant_slug, "name": actor.tenant_name},
        "system": {"slug": system.key, "name": system.name},
        "document": {
            "number": f"{row.ref}-{system.key}",
            "version": f"{'draft-' if is_draft else ''}{now.date().isoformat()}",
        },
        "as_of": now.isoformat(),
        "requested_at": requested_at.isoformat(),
        "signing_key": signing_key,
        "log": None,
        "is_draft": is_draft,
        "ref": row.ref,
        "title": row.title,
        "summary": row.summary,
        "scope": {
            "release": row.release,
            "register_version": row.system_version,
            "rules": row.rules,
            "opens_on": row.opens_on.isoformat(),
            "closes_on": row.closes_on.isoformat(),
            "finished_at": row.finished_at.isoformat() if row.finished_at else None,
            "testers": TEAM_KINDS[row.kind],
            **_engagement(row),
            "tried_by": sorted(names.get(each, FORMER) for each in testers),
            "planned_by": names.get(row.planned_by, FORMER) if row.planned_by else FORMER,
        },
        "scenarios": _scenarios(row.id),
        "coverage": [
            {
                "risk": each.risk,
                "name": each.name,
                "list": each.list_name,
                "outcome": each.state[1],
                "never": list(each.never),
                **_counts(each.tried),
            }
            for each in coverage.covered((row.id,))
        ],
        "runs": [
            {
                "number": each.run.number,
                "tool": each.run.tool,
                "release": each.run.release,
                "measure": each.measure,
                **_counts(each.tried),
            }
            for each in coverage.runs_of(row.id)
        ],
        "method": severity.METHOD,
        "findings": findings,
        "findings_left_out": total - len(findings),
    }


def _engagement(row: RedTeam) -> dict[str, str | None]:
    if row.engagement_id is None:
        return {"firm": None, "engagement": None}
    found = engagements.engagement(row.engagement_id)
    return {"firm": found.firm, "engagement": found.ref}


def _testers(red_team_id: UUID) -> Sequence[UUID]:
    """Return the people who recorded an attempt by hand."""
    a = RedTeamAttempt
    query = select(a.tried_by).where(a.red_team_id == red_team_id, a.tried_by.is_not(None))
    return [each for each in session().scalars(query.distinct()) if each is not None]


def _counts(tried: Tried) -> dict[str, int]:
    return {
        "attempts": tried.total,
        "held": tried.held,
        "broke": tried.broke,
        "unclear": tried.unclear,
    }


def _scenarios(red_team_id: UUID) -> list[dict[str, Any]]:
    """Return every scenario. Those that were never tried come first."""
    counts = queries.scenario_counts((red_team_id,))
    found = [
        {
            "number": each.number,
            "risk": each.risk,
            "name": each.risk_name,
            "list": catalogue.list_of(each.risk),
            "title": each.title,
            "goal": each.goal,
            **_counts(counts.get(each.id, Tried())),
        }
        for each in queries.scenarios((red_team_id,))
    ]
    return sorted(found, key=lambda each: (each["attempts"] > 0, each["number"]))


def _findings(red_team_id: UUID) -> list[dict[str, Any]]:
    rows = queries.findings_of(red_team_id=red_team_id)
    tried = _tried([each.attempt_id for each in rows])
    runs = _runs([run for each in rows for run in (each.failed_run_id, each.passed_run_id)])
    linked = evidence_queries.linked([each.id for each in rows])
    return [
        {
            **_finding(each, *tried[each.attempt_id], runs),
            "evidence": _evidence(linked.get(each.id, ())),
        }
        for each in rows
    ]


def _evidence(linked: Sequence[LinkedVersion]) -> list[dict[str, Any]]:
    return [
        {
            "ref": each.evidence.ref,
            "version": each.version.number,
            "title": each.evidence.title,
            "covers": each.covers,
            "sha256": each.version.sha256,
            "is_usable": each.is_usable,
        }
        for each in linked
    ]


def _tried(
    attempt_ids: Sequence[UUID],
) -> Mapping[UUID, tuple[RedTeamAttempt, RedTeamScenario]]:
    query = (
        select(RedTeamAttempt, RedTeamScenario)
        .join(RedTeamScenario, RedTeamScenario.id == RedTeamAttempt.scenario_id)
        .where(RedTeamAttempt.id.in_(attempt_ids))
    )
    return {attempt.id: (attempt, scenario) for attempt, scenario in session().execute(query)}


def _runs(run_ids: Sequence[UUID | None]) -> Mapping[UUID, EvaluationRun]:
    query = select(EvaluationRun).where(EvaluationRun.id.in_([each for each in run_ids if each]))
    return {each.id: each for each in session().scalars(query)}


def _finding(
    row: RedTeamFinding,
    attempt: RedTeamAttempt,
    scenario: RedTeamScenario,
    runs: Mapping[UUID, EvaluationRun],
) -> dict[str, Any]:
    values, proof = severity.read_vector(row.vector), regression.proof_of(row)
    return {
        "ref": row.ref,
        "title": row.title,
        "state": FINDING_STATES[row.state],
        "is_open": row.is_open,
        "risk": scenario.risk,
        "risk_name": scenario.risk_name,
        "score": str(row.score),
        "band": row.band,
        "vector": row.vector,
        "metrics": [[each.title, each.values[values[each.key]]] for each in severity.METRICS],
        "attempt": {
            "number": attempt.number,
            "at": attempt.created_at.isoformat(),
            "what": attempt.what,
            "outcome": OUTCOMES[attempt.outcome],
        },
        "reproduction": row.reproduction,
        "release": row.release,
        "fixed_release": row.fixed_release,
        "reported_at": row.created_at.isoformat(),
        "ended_at": row.ended_at.isoformat() if row.ended_at else None,
        "case": {"words": proof.case.words, "digest": proof.case.digest} if proof.case else None,
        "missing": list(proof.reasons) if row.is_open else [],
        "runs": [
            {"number": run.number, "release": run.release, "case": word}
            for run_id, word in ((row.failed_run_id, "Fails"), (row.passed_run_id, "Passes"))
            if run_id and (run := runs.get(run_id))
        ],
    }
