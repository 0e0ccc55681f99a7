"""Proof by a pinned case that a finding is fixed.

The case must fail on the release that broke and pass on the fixed one. Both are read from
evaluation runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select

from governance.assurance.red_teams.models import RedTeamFinding
from governance.kernel.data.selects import Rows, read_rows
from governance.operations.evaluations.judges import queries as judge_queries
from governance.operations.evaluations.models import (
    EvaluationRun,
    EvaluationSuite,
    SuiteMeasure,
    SuiteVersion,
)
from governance.operations.evaluations.runs import case_results
from governance.operations.evaluations.runs.case_results import CaseResult


@dataclass(frozen=True, slots=True)
class PinnedCase:
    """A case by its digest, in a version of a suite, judged by one of its measures."""

    suite: EvaluationSuite
    version: SuiteVersion
    measure: SuiteMeasure
    digest: str

    @property
    def words(self) -> str:
        return f"{self.suite.name} v{self.version.number}, {self.measure.name}"


@dataclass(frozen=True, slots=True)
class CaseReading:
    """The result of a case on one release. `passes` is None if it is undecided, and `why` says why."""

    release: str
    run: EvaluationRun | None
    passes: bool | None
    why: str = ""

    @property
    def state(self) -> tuple[str, str]:
        """Return the state as the template macro `c.state` expects it."""
        if self.passes is None:
            return "due", "Undecided" if self.run else "No run"
        return ("ok", "Passes") if self.passes else ("bad", "Fails")


@dataclass(frozen=True, slots=True)
class Proof:
    """The results for a finding. The fix is proved if `reasons` against it is empty."""

    case: PinnedCase | None
    old: CaseReading
    new: CaseReading | None
    reasons: list[str]

    @property
    def is_proved(self) -> bool:
        return not self.reasons


_VERSION = bindparam("case_version_id", type_=Uuid())
PINNED: tuple[Rows[Any], ...] = (
    Rows(SuiteVersion, lambda m: m.id == _VERSION, lambda m: (m.id,)),
    Rows(
        EvaluationSuite,
        lambda m: m.id.in_(select(SuiteVersion.suite_id).where(SuiteVersion.id == _VERSION)),
        lambda m: (m.id,),
    ),
    Rows(SuiteMeasure, lambda m: m.version_id == _VERSION, lambda m: (m.position,)),
)


def proof_of(found: RedTeamFinding) -> Proof:
    """Return the proof of a finding from its pinned case, in at most three statements."""
    none_yet = CaseReading(found.release, None, None)
    if found.case_version_id is None or found.case_digest is None:
        return Proof(None, none_yet, None, ["Pin a regression case first."])
    (version,), (suite,), measures = read_rows(*PINNED, case_version_id=found.case_version_id)
    placed = case_results.place_of(measures, found.case_measure or "")
    assert placed is not None, "a published version keeps its measures"
    place, measure = placed
    case = PinnedCase(suite, version, measure, found.case_digest.hex())
    releases = [each for each in (found.release, found.fixed_release) if each]
    results = case_results.newest_results(found.system_id, version.id, found.case_digest, releases)
    judges = judge_queries.judges_of_system(found.system_id) if results else {}
    stale = judge_queries.stale_by(((each.run, suite.id) for each in results.values()), judges)

    def read(release: str) -> CaseReading:
        return _reading(release, results.get(release), case, place, stale)

    old = read(found.release)
    new = read(found.fixed_release) if found.fixed_release else None
    return Proof(case, old, new, list(_reasons(case, old, new)))


def _reading(
    release: str,
    result: CaseResult | None,
    case: PinnedCase,
    place: int,
    stale: Mapping[tuple[UUID, str], str],
) -> CaseReading:
    if result is None:
        return CaseReading(release, None, None)
    why = stale.get((result.run.id, case.measure.key), "")
    if case.version.withdrawn_at is not None:
        why = f"Version {case.version.number} of the suite was withdrawn"
    if why:
        return CaseReading(release, result.run, None, why)
    passed = case_results.passes(case.measure, place, result)
    return CaseReading(
        release, result.run, passed, "" if passed is not None else "The case has no score"
    )


def _reasons(case: PinnedCase, old: CaseReading, new: CaseReading | None) -> list[str]:
    """Return sentences that say why the case doesn't prove the fix."""
    found = []
    if old.run is None:
        found.append(
            f"Run {case.suite.name}, version {case.version.number}, on release {old.release} with"
            " this case: it has to fail there."
        )
    elif old.passes is None:
        found.append(f"Run {old.run.number:,} on release {old.release} decides nothing: {old.why}.")
    elif old.passes:
        found.append(
            f"The case passes on release {old.release} too (run {old.run.number:,}), so it doesn't"
            " show the finding. Pin one that fails there."
        )
    if new is None:
        found.append("Name the release that fixes it.")
    elif new.run is None:
        found.append(
            f"Run {case.suite.name}, version {case.version.number}, on release {new.release} with"
            " this case: it has to pass there."
        )
    elif new.passes is None:
        found.append(f"Run {new.run.number:,} on release {new.release} decides nothing: {new.why}.")
    elif not new.passes:
        found.append(f"The case still fails on release {new.release} (run {new.run.number:,}).")
    return found
