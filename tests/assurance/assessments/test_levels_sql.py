"""The level of a requirement in SQL and in Python, which must agree for generated tenants."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from governance.assurance.assessments import board_queries
from governance.assurance.assessments.levels_sql import levels
from governance.assurance.controls.models import Control, ControlMapping, ControlTest
from governance.assurance.evidence.models import (
    Evidence,
    EvidenceFault,
    EvidenceLink,
    EvidenceReview,
    EvidenceVersion,
)
from governance.assurance.frameworks import queries as frameworks
from governance.kernel import clock
from governance.kernel.data import tenant_cache
from governance.kernel.data.db import session
from governance.kernel.data.ids import uuid7
from governance.kernel.work.inbox import parameters
from governance.operations.systems import actions as systems
from tests import make
from tests.assurance.controls.policy_and_switch_rows import (
    add_finished_drill,
    add_live_version,
    add_live_waiver,
)
from tests.assurance.controls.reliability_rows import add_alert, add_incident

NOW = datetime(2026, 11, 25, 9, 24, tzinfo=UTC)
RMF = "nist-ai-rmf-1.0"
CONTROLS = 40


def days_ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


@pytest.fixture(autouse=True)
def fixed_day(app):
    with clock.frozen(NOW):
        yield


def add_row[Row](row: Row) -> Row:
    session().add(row)
    session().flush()
    return row


def some_evidence(random: Random, number: int) -> Evidence:
    due = (
        (NOW + timedelta(days=random.choice([-3, 5, 60, 60]))).date()
        if random.random() < 0.4
        else None
    )  # noqa: S311 - drawn, not secret
    found = add_row(
        Evidence(
            ref=f"EV-{number:04}",
            title=f"Record {number}",
            kind="report",
            cadence=random.choice(["weekly", "quarterly", "per change"]),
            owner_id=None,
            due_on=due,
            retired_at=days_ago(1) if random.random() < 0.1 else None,
            created_at=days_ago(400),
        )
    )
    for place in range(1, random.choice([1, 1, 2, 3])):
        some_version(random, found, place)
    return found


def some_version(random: Random, evidence: Evidence, number: int) -> None:
    collected = days_ago(random.choice([1, 20, 100]))
    version = add_row(
        EvidenceVersion(
            evidence_id=evidence.id,
            number=number,
            filename=None,
            media_type=None,
            size=None,
            sha256=None,
            storage_key=None,
            url="https://files.acme.example/a",
            source="upload",
            collected_at=collected,
            uploaded_at=collected,
            uploaded_by=make.person_id("reviewer"),
            key_id=None,
            period_from=days_ago(400).date(),
            period_to=collected.date(),
            created_at=collected,
            valid_until=(NOW + timedelta(days=random.choice([-2, 3, 90, 90, 200, 200]))).date(),
        )
    )
    decision = random.choice(["accepted"] * 6 + ["rejected", None])
    if decision:
        by = make.person_id("compliance_officer")
        add_row(
            EvidenceReview(
                version_id=version.id,
                decision=decision,
                reason="",
                reviewed_by=by,
                reviewed_at=collected,
                created_at=collected,
            )
        )
    if random.random() < 0.03:
        add_row(
            EvidenceFault(
                version_id=version.id,
                kind="missing",
                found_at=days_ago(1),
                restored_at=None,
                created_at=days_ago(1),
            )
        )


def some_control(random: Random, number: int, refs: list[Any], evidence: list[Evidence]) -> None:
    control = add_row(
        Control(
            ref=f"TST-{number:02}",
            title="A practice",
            does="It is done.",
            kind="preventive",
            automation="manual",
            cadence="quarterly",
            rests_on=random.choice([None] * 6 + ["drill", "policy", "service_levels", "incidents"]),
            owner_id=None,
            retired_at=days_ago(2) if random.random() < 0.1 else None,
            retirement_reason=None,
            created_at=days_ago(300),
        )
    )
    for requirement in random.sample(refs, 2):
        removed = days_ago(3) if random.random() < 0.15 else None
        coverage = random.choice(["full", "full", "partial"])
        add_row(
            ControlMapping(
                control_id=control.id,
                requirement_id=requirement.id,
                coverage=coverage,
                mapped_by=None,
                removed_at=removed,
                created_at=days_ago(200),
            )
        )
    for each in random.sample(evidence, random.choice([0, 1, 1, 1, 2])):
        removed = days_ago(3) if random.random() < 0.15 else None
        add_row(
            EvidenceLink(
                evidence_id=each.id,
                control_id=control.id,
                removed_at=removed,
                created_at=days_ago(200),
            )
        )
    for _ in range(random.choice([0, 0, 1, 2, 3])):
        on = days_ago(random.randrange(1, 60))
        add_row(
            ControlTest(
                id=uuid7(),
                control_id=control.id,
                tested_on=on.date(),
                sample=5,
                failed=random.choice([0] * 7 + [2]),
                finding_ref=None,
                finding="",
                retest_by=None,
                tested_by=None,
                sample_id=None,
                retest_id=None,
                unsettled=None,
                created_at=on,
            )
        )


@pytest.mark.parametrize("seed", range(5))
def test_the_database_and_the_board_agree(app, isolated, seed):
    random = Random(seed)  # noqa: S311 - drawn, not secret
    with make.acting("compliance_officer"):
        refs = [
            each
            for each in frameworks.requirements(frameworks.framework(RMF).id)
            if each.assessable
        ]
        system = systems.register(
            key="ad-copywriter",
            stage="live",
            name="Ad copywriter",
            purpose="Writes.",
            lane="standard",
            owner_id=None,
        ).id
        evidence = [some_evidence(random, number) for number in range(1, CONTROLS)]
        for number in range(CONTROLS):
            some_control(random, number, refs, evidence)
        if random.random() < 0.8:
            add_finished_drill(
                system, days_ago(random.choice([10, 120])), passed=random.random() < 0.7
            )
        if random.random() < 0.8:
            add_live_version(days_ago(50), 1, random.choice(["strict", "baseline"]))
        if random.random() < 0.5:
            add_alert(system, NOW - timedelta(hours=random.choice([3, 30])))
        if random.random() < 0.5:
            add_incident(days_ago(random.choice([3, 20])))
        if random.random() < 0.3:
            add_live_waiver(
                system, "grounding", "open", since=days_ago(5), until=NOW + timedelta(days=5)
            )
    tenant_cache.forget()
    with make.acting("compliance_officer", read_only=True):
        board = board_queries.board(frameworks.framework(RMF))
        statement = levels()
        found = {
            row.requirement_id: row for row in session().execute(select(statement), parameters())
        }
    seen = set()
    for row in board.rows:
        told = found.get(row.requirement.id)
        seen.add(row.derived.level)
        if told is None:
            assert row.derived.controls == () and row.derived.level == 0
            continue
        assert min(told.level, 3) == min(row.derived.level, 3), row.ref
        assert told.level >= row.derived.level, row.ref
        assert told.is_red == row.derived.is_red, row.ref
    assert len(seen) >= 3, "the drawn tenant is too plain to prove anything"
