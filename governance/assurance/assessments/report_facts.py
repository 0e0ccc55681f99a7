"""The contents of an assessment as plain JSON: the facts of a report, and what closing freezes.

snapshot(assessment_id, as_of)     everything that the AI RMF report shows (schema:
                                   governance/publishing/reports/ai_rmf/snapshot.py)
readiness(key, tops, as_of)        a framework's requirements under some of its top nodes,
                                   assessed or not
closes(row)                        the action that closes a gap
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from governance.assurance.assessments import assessment_queries, board_queries, level_history
from governance.assurance.assessments.coverage import (
    ALL_EVIDENCE,
    FIRST_EVIDENCE,
    KEEP_UP,
    NO_FAILURE,
)
from governance.assurance.assessments.framework_board import AssessedRequirement, FrameworkBoard
from governance.assurance.assessments.models import Assessment
from governance.assurance.controls.ports import (
    EvaluationBehind,
    evaluations_behind,
    reported_risks,
)
from governance.assurance.controls.status import ControlFacts, Status, SupportingEvidence, last_test
from governance.assurance.evidence.freshness import accepted_version, freshness
from governance.assurance.frameworks import queries as frameworks
from governance.assurance.frameworks.queries import RequirementView
from governance.foundation.people import aliases
from governance.foundation.people.aliases import FORMER_MEMBER, MERIDIAN, who_did
from governance.foundation.people.queries import names
from governance.operations.systems import queries as systems

# Parts of the frozen facts that a report doesn't contain.
OF_THE_FREEZE = frozenset({"discussion", "without_names_of"})


def snapshot(assessment_id: UUID, as_of: datetime) -> dict[str, Any]:
    """Return everything that the AI RMF report shows of an assessment, as plain JSON.

    The schema is in governance/publishing/reports/ai_rmf/snapshot.py. A closed assessment gives the
    facts that were frozen when it was closed.
    """
    assessment = assessment_queries.assessment(assessment_id)
    frozen, digest = frozen_for_reader(assessment)
    if assessment.closed_at is not None and frozen is not None and as_of >= assessment.closed_at:
        facts = {name: value for name, value in frozen.items() if name not in OF_THE_FREEZE}
        return facts | {
            "profile": _profile_of_today(facts["profile"]),
            "assessment": (
                facts["assessment"]
                | {
                    "status": "closed",
                    "closed_at": assessment_queries.iso(assessment.closed_at),
                    "digest": digest,
                }
            ),
        }
    framework = frameworks.framework_by_id(assessment.framework_id)
    board = board_queries.board(framework, as_of, assessment)
    return {
        "framework": {
            "key": framework.key,
            "title": framework.title,
            "version": framework.version,
            "digest": framework.digest,
        },
        "assessment": {
            "title": assessment.title,
            "revision": str(assessment.revision),
            "scope": assessment.scope,
            "scope_text": _scope_text(assessment),
            "period": {
                "from": assessment.period_from.isoformat(),
                "to": assessment.period_to.isoformat(),
            },
            "status": "closed" if assessment.closed_at else "open",
            "closed_at": assessment_queries.iso(assessment.closed_at),
            "digest": assessment.digest,
        },
        "profile": {
            "name": f"Target profile {assessment.period_to.year}",
            **_targets_set(assessment, as_of),
        },
        "functions": _with_evaluations(
            board, [_function(board, node) for node in board.functions] or [_flat(board)]
        ),
        "movement": _movement(board),
        "gaps": _actions(board),
        "evidence": _evidence_index(board),
        "findings": _findings(board),
        "revisions": _revisions(assessment),
        **_risks(assessment),
    }


def frozen_for_reader(assessment: Assessment) -> tuple[dict[str, Any] | None, str | None]:
    """Return the frozen facts and their digest, without names for a reader who may not see them.

    Return None for that reader if the assessment was closed before such results existed.
    """
    if aliases.may_see_names():
        return assessment.frozen, assessment.digest
    return assessment.frozen_without_names, assessment.digest_without_names


def has_names_only(assessment_id: UUID, as_of: datetime) -> bool:
    """Check whether a report of that moment shows facts that were frozen only with names."""
    assessment = assessment_queries.assessment(assessment_id)
    is_frozen = assessment.closed_at is not None and as_of >= assessment.closed_at
    return is_frozen and assessment.digest_without_names is None


def _targets_set(assessment: Assessment, as_of: datetime) -> dict[str, str]:
    """Return who set the targets, and when.

    It is the last person who changed any target, or who started the assessment. Nobody approves
    targets.
    """
    last = assessment_queries.last_target_entry(assessment.id, as_of)
    if last is None:
        who = who_did(names([assessment.started_by]), assessment.started_by)
        return {"set_on": assessment.created_at.date().isoformat(), "set_by": who}
    called = aliases.names_by_pseudonym([last.actor])
    who = MERIDIAN if last.actor_kind == "job" else called.get(last.actor, FORMER_MEMBER)
    return {"set_on": last.at.date().isoformat(), "set_by": who}


def _profile_of_today(profile: dict[str, Any]) -> dict[str, Any]:
    """Return a frozen profile in the current format.

    Until 0.1.0 its day was labeled as an approval day, although nobody approves it.
    """
    kept = {name: value for name, value in profile.items() if name != "approved_on"}
    return {"set_on": profile.get("approved_on"), "set_by": None} | kept


def readiness(key: str, tops: Collection[str], as_of: datetime) -> dict[str, Any]:
    """Return the requirements under these top nodes as plain JSON, with what closes each gap.

    Targets and conclusions are those of the current assessment, if there is one.
    """
    framework = frameworks.framework(key)
    whole = board_queries.board(framework, as_of)
    board, assessment = (
        replace(whole, rows=tuple(row for row in whole.rows if row.function in tops), token=None),
        whole.assessment,
    )
    return {
        "framework": {
            "key": framework.key,
            "title": framework.title,
            "version": framework.version,
            "digest": framework.digest,
        },
        "period": {"from": board.period[0].isoformat(), "to": board.period[1].isoformat()},
        "assessment": (
            assessment
            and {
                "title": assessment.title,
                "revision": str(assessment.revision),
                "status": "closed" if assessment.closed_at else "open",
            }
        ),
        "functions": [_ready(board, node) for node in board.functions if node.ref in tops],
        "gaps": _actions(board),
        "evidence": _evidence_index(board),
        "findings": _findings(board),
    }


def _ready(board: FrameworkBoard, node: RequirementView) -> dict[str, Any]:
    """Return a top node with its requirements, and the action that closes each gap."""
    rows = [
        _requirement(board, row) | {"closes": closes(row) if row.requirement_level.short else ""}
        for row in board.of(node.ref)
    ]
    return {
        "key": node.ref,
        "title": node.title,
        "categories": [{"ref": node.ref, "title": node.title, "requirements": rows}],
    }


def _revisions(assessment: Assessment) -> list[dict[str, Any]]:
    """Return the revisions up to and including this one, and the people who started them."""
    known = [
        each
        for each in assessment_queries.revisions(assessment)
        if each.revision <= assessment.revision
    ]
    people = names(each.started_by for each in known)
    return [
        _revision(
            each, people.get(each.started_by, FORMER_MEMBER) if each.started_by else FORMER_MEMBER
        )
        for each in known
    ]


def _revision(each: Assessment, started_by: str) -> dict[str, Any]:
    text = (
        "First revision for the period"
        if each.revision == 1
        else f"Reopened after revision {each.revision - 1} was closed"
    )
    return {
        "version": f"{each.revision}.0",
        "date": each.created_at.date().isoformat(),
        "text": text,
        "by": started_by,
    }


def _function(board: FrameworkBoard, node: RequirementView) -> dict[str, Any]:
    categories = [r for r in board.tree if r.parent_ref == node.ref]
    return {
        "key": node.ref,
        "title": node.title,
        "categories": [
            {
                "ref": c.ref,
                "title": c.title,
                "requirements": [_requirement(board, row) for row in board.of(c.ref)],
            }
            for c in categories
        ],
    }


def _flat(board: FrameworkBoard) -> dict[str, Any]:
    """Return a framework without functions as one function with one category."""
    key, title = board.framework.key, board.framework.title
    return {
        "key": key,
        "title": title,
        "categories": [
            {
                "ref": key,
                "title": title,
                "requirements": [_requirement(board, row) for row in board.rows],
            }
        ],
    }


def _with_evaluations(
    board: FrameworkBoard, functions: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Add to each control the newest results of the measures that it depends on."""
    refs = {
        control.control_id: control.ref
        for row in board.rows
        for control, *_ in row.derived.controls
    }
    by_ref: dict[str, list[dict[str, Any]]] = {}
    for each in evaluations_behind()(list(refs), board.as_of):
        for control_id in each.controls:
            by_ref.setdefault(refs[control_id], []).append(_evaluation(each))
    requirements = (
        row
        for function in functions
        for category in function["categories"]
        for row in category["requirements"]
    )
    for row in requirements:
        for control in row["controls"]:
            if control["ref"] in by_ref:
                control["evaluations"] = by_ref[control["ref"]]
    return functions


def _evaluation(each: EvaluationBehind) -> dict[str, Any]:
    return {
        "measure": each.measure,
        "system": each.system,
        "suite": f"{each.suite}, version {each.version}",
        "figure": each.figure,
        "interval": each.interval,
        "cases": each.cases,
        "limit": each.limit,
        "verdict": each.verdict,
        "week": each.week.isoformat(),
        "sha256": each.sha256,
    } | ({"why": each.why} if each.why else {})


def _risks(assessment: Assessment) -> dict[str, Any]:
    """Return the open risks in the assessment's scope, as they are now."""
    found = reported_risks()(assessment.system_id)
    return {"risks": found} if found else {}


def _scope_text(assessment: Assessment) -> str:
    if assessment.system_id is None:
        return "Whole organization"
    return systems.names([assessment.system_id]).get(assessment.system_id, "One AI system")


def _requirement(board: FrameworkBoard, row: AssessedRequirement) -> dict[str, Any]:
    judged = row.item.judgement if row.item else None
    conclusion = judged and {
        "level": judged.level,
        "text": judged.rationale,
        "assessor": judged.assessor,
        "at": assessment_queries.iso(judged.at),
    }
    signed = (
        judged
        and judged.signer
        and {
            "by": judged.signer,
            "at": assessment_queries.iso(judged.signed_at),
            "entry": str(judged.entry_id)[:8] if judged.entry_id else None,
        }
    )
    return {
        "ref": row.ref,
        "title": row.requirement.title,
        "outcome": row.requirement.outcome,
        "level": row.derived.level,
        "target": row.target,
        "reasons": [
            {"severity": r.severity, "fact": r.fact, "consequence": r.consequence, "ref": r.ref}
            for r in row.derived.reasons
        ],
        "derived_text": _derived_text(row),
        "conclusion": conclusion,
        "sign_off": signed or None,
        "owner": row.owner,
        "controls": [
            _control(board, control, how_far, judged_as)
            for control, how_far, judged_as in row.derived.controls
        ],
    }


def _derived_text(row: AssessedRequirement) -> str:
    if row.derived.level == 4:  # noqa: PLR2004 - the highest
        return "Every control that fully covers it worked for the whole period."
    return (
        " ".join(f"{r.fact} {r.consequence}".strip() for r in row.derived.reasons[:2])
        or "Covered and proven on this date."
    )


def _control(
    board: FrameworkBoard, control: ControlFacts, how_far: str, judged: Status
) -> dict[str, Any]:
    last = last_test(control)
    return {
        "ref": control.ref,
        "title": control.title,
        "coverage": how_far,
        "status": judged.name,
        "status_word": judged.word,
        "owner": control.owner,
        "last_test": (
            last
            and {
                "at": last.tested_on.isoformat(),
                "sample": last.sample,
                "passed": last.sample - last.failed,
                "note": last.finding,
            }
        ),
        "evidence": [_piece(board, proof) for proof in control.proofs],
    }


def _piece(board: FrameworkBoard, proof: SupportingEvidence) -> dict[str, Any]:
    fresh = freshness(
        proof.versions, cadence=proof.cadence, due_on=proof.due_on, today=board.as_of.date()
    )
    version = accepted_version(proof.versions) or (proof.versions[-1] if proof.versions else None)
    return {
        "ref": proof.ref,
        "title": proof.title,
        "state": (
            "in review"
            if fresh.state == "in review"
            else ("overdue" if fresh.state == "rejected" else fresh.state)
        ),
        "collected_on": version and version.collected_on.isoformat(),
        "due_on": (
            version.valid_until.isoformat()
            if version
            else (proof.due_on and proof.due_on.isoformat())
        ),
        "period_from": version and version.period_from.isoformat(),
        "period_to": version and version.period_to.isoformat(),
        "sha256": version and version.sha256,
        "source": version.source if version else "",
        "collector": version.collector if version else "",
    }


def _movement(board: FrameworkBoard) -> list[dict[str, Any]]:
    """Return the coverage at the ends of the last four quarters with a history, and now."""
    day, ends = board.as_of.date(), []
    first = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    for _ in range(4):
        last = first - timedelta(days=1)
        ends.append(datetime.combine(last, time(23, 59, 59), UTC))
        first = date(last.year, (last.month - 1) // 3 * 3 + 1, 1)
    moments = [*level_history.with_history(board, reversed(ends)), board.as_of]
    rows = []
    for at, shares in zip(moments, level_history.shares_at(board, moments), strict=True):
        share = board.share if at == board.as_of else shares["all"]
        rows.append(
            {
                "label": f"Q{(at.month + 2) // 3} {at.year}",
                "at": at.date().isoformat(),
                "levels": list(share.levels),
                "at_target": share.met,
            }
        )
    return rows


def _actions(board: FrameworkBoard) -> list[dict[str, Any]]:
    """Return the actions that close gaps, largest gain first. One action may close several gaps."""
    found: dict[str, dict[str, Any]] = {}
    rows = {row.ref: row for row in board.rows}
    for gap in board.gaps:
        row = rows[gap.requirement.ref]
        due = row.item.row.due_on.isoformat() if row.item and row.item.row.due_on else None
        each = found.setdefault(
            closes(row),
            {"action": closes(row), "closes": [], "points": 0, "owner": row.owner, "due": due},
        )
        each["closes"].append({"ref": row.ref, "gained": gap.requirement.short})
        each["points"] += gap.requirement.short
        each["due"] = min((d for d in (each["due"], due) if d), default=None)
    return sorted(found.values(), key=lambda each: (-each["points"], each["closes"][0]["ref"]))


PASSIVE = (FIRST_EVIDENCE, NO_FAILURE, ALL_EVIDENCE, KEEP_UP)


def closes(row: AssessedRequirement) -> str:
    """Return what closes the gap: the next two steps of the ladder that someone can take."""
    if not row.derived.controls:
        return "Map a control that fully covers it"
    steps = [
        text
        for text in row.derived.ladder[row.derived.level + 1 : row.target + 1]
        if text and text not in PASSIVE
    ][:2]
    return (
        "; then ".join([steps[0], *(s[0].lower() + s[1:] for s in steps[1:])])
        if steps
        else PASSIVE[-1]
    )


def _evidence_index(board: FrameworkBoard) -> list[dict[str, Any]]:
    """Return each evidence item once, under the first requirement and control that it supports."""
    found: dict[UUID, dict[str, Any]] = {}
    for row in board.rows:
        for control, _, _ in row.derived.controls:
            for proof in control.proofs:
                found.setdefault(
                    proof.evidence_id,
                    _piece(board, proof) | {"control": control.ref, "requirement": row.ref},
                )
    return list(found.values())


def _findings(board: FrameworkBoard) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for row in board.rows:
        for control, _, _ in row.derived.controls:
            last = last_test(control)
            if last is not None and last.failed:
                found.setdefault(
                    control.ref,
                    {
                        "ref": last.finding_ref or control.ref,
                        "requirement": row.ref,
                        "text": last.finding or f"{last.failed} of {last.sample} samples failed",
                        "opened_on": last.tested_on.isoformat(),
                        "retest_by": last.retest_by.isoformat() if last.retest_by else None,
                        "owner": control.owner or "",
                    },
                )
    return list(found.values())
