"""Import runs: store the file, judge it in the background, keep its figures or its error.

    import_run(…)              a file of any tool that files/ reads; its text isn't kept
    keep_results(run_id, …)    the child's results, in one transaction with the cases
    refuse(run_id, …)          only the reason is kept

The same content for the same system and version is one run. A run with an earlier one's reference
and other content is rejected, since somebody may have changed a figure.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import psycopg
from sqlalchemy import text

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current, formatting
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import extend_statement_timeout, lock_tenant, session
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import DomainError, Invalid, Unavailable
from governance.kernel.files import storage
from governance.kernel.safety import access
from governance.kernel.work import background_work, events
from governance.operations.evaluations import permissions, queries
from governance.operations.evaluations.events import RunJudged
from governance.operations.evaluations.judges import queries as judge_queries
from governance.operations.evaluations.models import (
    EvaluationRun,
    EvaluationSuite,
    MeasureResult,
    SuiteVersion,
)
from governance.operations.evaluations.series.weeks import monday_of, ran_at
from governance.operations.systems import queries as systems
from governance.operations.systems.models import AISystem

PREFIX = "evaluations"
MAX_FILE_BYTES = 512 * 1024 * 1024
MAX_RELEASE_LENGTH = 60
OLDEST_RUN = timedelta(days=800)
# Row-level security forbids COPY, so cases are copied to a temporary table and inserted from there.
CREATE_CASES = text(
    "CREATE TEMPORARY TABLE IF NOT EXISTS evaluation_cases_copied (case_digest bytea, repetition smallint,"
    " outcome smallint, source text, latency_ms real, cost real, scores real[]) ON COMMIT DROP"
)
EMPTY_CASES = text("TRUNCATE evaluation_cases_copied")
COPY_CASES = (
    b"COPY evaluation_cases_copied"
    b" (case_digest, repetition, outcome, source, latency_ms, cost, scores) FROM STDIN"
)
INSERT_CASES = text(
    "INSERT INTO evaluation_run_cases (tenant_id, run_id, case_digest, repetition, outcome, source,"
    " latency_ms, cost, scores)"
    " SELECT :tenant, :run, case_digest, repetition, outcome, source, latency_ms, cost, scores"
    " FROM evaluation_cases_copied"
)

IMPORTED = action(
    "evaluation.run.imported",
    "imported an evaluation run",
    target="EvaluationRun",
    activity="create",
    severity="informational",
    fields="number system release suite version sha256 size",
)
JUDGED = action(
    "evaluation.run.judged",
    "judged an evaluation run",
    target="EvaluationRun",
    activity="update",
    severity="informational",
    fields="number system release tool reference outcome cases failed look verdicts tier policy read_as",
    shape="ok",
)
REFUSED = action(
    "evaluation.run.refused",
    "refused an evaluation run",
    target="EvaluationRun",
    activity="update",
    severity="low",
    fields="number place problem",
    shape="stop",
)
CANCELLED = action(
    "evaluation.run.cancelled",
    "cancelled the import of an evaluation run",
    target="EvaluationRun",
    activity="update",
    severity="informational",
    fields="number",
)


class AlreadyImported(DomainError):
    """The same content was imported for this system and version as `run`."""

    def __init__(self, message: str, run: EvaluationRun) -> None:
        super().__init__(message)
        self.run = run


def import_run(
    stream: BinaryIO,
    *,
    system: AISystem,
    suite: EvaluationSuite,
    version: SuiteVersion,
    release: str,
    name: str = "",
    model: str = "",
) -> EvaluationRun:
    """Store a run's file and queue its reading.

    Raises AlreadyImported for known content, Invalid with the field, and TooLarge.
    """
    check(system, suite, version, release)
    extend_statement_timeout()
    run_id, store = uuid7(), storage.store()
    blob = store.write(
        current.actor().tenant_id, stream, limit=MAX_FILE_BYTES, prefix=f"{PREFIX}/{run_id.hex}"
    )
    lock_tenant("evaluation runs")
    there = queries.same_file(blob.sha256, version.id, system.id)
    if there is not None or not blob.size:
        store.remove(blob.key)
        if there is None:
            raise Invalid("The file is empty.", field="file")
        raise AlreadyImported(
            f"This file is run {there.number:,} already. Nothing was changed.", there
        )
    run = background_work.start(
        EvaluationRun(
            id=run_id,
            system_id=system.id,
            version_id=version.id,
            release=release.strip(),
            number=queries.next_number(),
            name=name,
            size=blob.size,
            sha256=blob.sha256,
            storage_key=blob.key,
            chosen_model=model.strip(),
            week=monday_of(clock.today()),
            requested_by=current.actor().person_id,
            created_at=clock.now(),
        )
    )
    record(
        IMPORTED,
        run,
        number=run.number,
        system=system.key,
        release=run.release,
        suite=suite.key,
        version=version.number,
        sha256=run.sha256,
        size=run.size,
    )
    return run


def check(system: AISystem, suite: EvaluationSuite, version: SuiteVersion, release: str) -> None:
    """Raise Invalid, with the field, unless the system and the version accept a run now."""
    access.require(permissions.IMPORT if current.actor().kind == "person" else permissions.PUSH)
    if system.is_retired:
        raise Invalid(f"{system.name} is retired, so it takes no runs.", field="system")
    if suite.is_retired:
        raise Invalid(f"{suite.name} is retired, so it takes no runs.", field="suite")
    if version.withdrawn_at is not None:
        raise Invalid(
            f"Version {version.number} was withdrawn: {version.withdrawal_reason}", field="version"
        )
    if version.published_at is None:
        raise Invalid(f"Version {version.number} isn't published yet.", field="version")
    if not release.strip() or len(release) > MAX_RELEASE_LENGTH:
        raise Invalid("Enter the release that was evaluated, such as 2026.11.2.", field="release")


# ---- the child's results


def keep_results(run_id: UUID, found: Mapping[str, Any], cases: Path) -> None:
    """Store a run's figures and cases, all or none. Raises DomainError if it is rejected."""
    run = queries.run(run_id, lock=True)
    if run.state != "reading":
        return
    lock_tenant("evaluation runs")
    facts, measures = found["run"], {each.key: each for each in queries.measures(run.version_id)}
    _check_reference(facts)
    suite, *_rest = queries.about(run)
    judge_queries.check_judges(suite.id, facts["model"], facts["judges"])
    run.tool, run.tool_version = facts["tool"], facts["tool_version"]
    run.reference, run.model, run.judges = facts["run_id"], facts["model"], list(facts["judges"])
    run.outcome, run.problem = facts["outcome"], facts["problem"] or None
    run.cases, run.failed, run.unscored = facts["cases"], facts["failed"], facts["unscored"]
    run.ran_at = ran_at(facts["completed_at"], facts["started_at"]) or run.created_at
    run.week = monday_of(run.ran_at.date())
    run.judged_tier, run.judged_policy = queries.policy_tier(), queries.policy_number()
    run.read_as = dict(facts.get("read_as") or {})
    run.look = queries.looks(run).get(run.week, 0) + 1
    if run.look != facts["look"]:
        raise Unavailable("Another run of the same week was judged meanwhile.")
    for each in found["measures"]:
        session().add(_result(run, measures[each["key"]].id, each))
    session().flush()
    _copy(run, cases)
    run.state, run.storage_key = "judged", None
    record(
        JUDGED,
        run,
        number=run.number,
        system=systems.system(run.system_id).key,
        release=run.release,
        tool=run.tool,
        reference=run.reference,
        outcome=run.outcome,
        cases=run.cases,
        failed=run.failed,
        look=run.look,
        tier=run.judged_tier,
        policy=run.judged_policy,
        read_as=run.read_as,
        verdicts={
            each["key"]: {tier: judged["verdict"] for tier, judged in each["verdicts"].items()}
            for each in found["measures"]
        },
    )
    tenant_revision.advance()
    events.publish(RunJudged(run.id, run.system_id, run.version_id, run.week))


def _check_reference(facts: Mapping[str, Any]) -> None:
    known = queries.earlier(facts["tool"], facts["run_id"])
    if known is not None:
        raise DomainError(
            f"{facts['tool']} calls this run {facts['run_id']}, which is run {known.number:,} of"
            f" {formatting.long_day(known.created_at)} with other content. A run is never changed:"
            " evaluate again."
        )
    ran = ran_at(facts["completed_at"], facts["started_at"])
    if ran is not None and ran > clock.now() + timedelta(days=1):
        raise DomainError(
            f"The run says that it ended on {formatting.long_day(ran)}, in the future."
        )
    if ran is not None and ran < clock.now() - OLDEST_RUN:
        raise DomainError(f"The run ended on {formatting.long_day(ran)}, more than two years ago.")


def _result(run: EvaluationRun, measure_id: UUID, each: Mapping[str, Any]) -> MeasureResult:
    return MeasureResult(
        run_id=run.id,
        measure_id=measure_id,
        n=each["n"],
        successes=each["successes"],
        deviation=each["deviation"],
        point=each["point"],
        low=each["low"],
        high=each["high"],
        confidence=each["confidence"],
        verdicts=each["verdicts"],
        created_at=clock.now(),
    )


def _copy(run: EvaluationRun, cases: Path) -> None:
    session().execute(CREATE_CASES)
    session().execute(EMPTY_CASES)
    raw = session().connection().connection.driver_connection
    if not isinstance(raw, psycopg.Connection):
        raise TypeError("the driver must be psycopg 3")
    with cases.open("rb") as file, raw.cursor() as cursor, cursor.copy(COPY_CASES) as copy:
        while piece := file.read(storage.PIECE_BYTES):
            copy.write(piece)
    session().execute(INSERT_CASES, {"tenant": run.tenant_id, "run": run.id})


def refuse(run_id: UUID, place: str, problem: str) -> None:
    """Store why a run is rejected, and nothing else of it."""
    run = queries.run(run_id, lock=True)
    if run.state != "reading":
        return
    run.state, run.place, run.problem = "refused", place[:200] or None, problem[:1000]
    run.storage_key = None
    record(REFUSED, run, number=run.number, place=run.place, problem=run.problem)


RUNS = background_work.WorkKind(
    name="evaluation run",
    noun="evaluation run",
    model=EvaluationRun,
    view=permissions.VIEW,
    permission=permissions.IMPORT,
    find=queries.run,
    title=lambda run: f"Run {run.number:,}",
    page=lambda run: ("evaluations.run", {"run_id": run.id}),
    address=lambda run: {"run_id": run.id},
    requested=lambda _run: None,
    cancelled=lambda run: record(CANCELLED, run, number=run.number),
    stored=EvaluationRun.storage_key,
    prefix=PREFIX,
    max_bytes=MAX_FILE_BYTES,
    icon="flask",
    result_label="Open run",
)
