"""Two suites of 400 cases whose answers must be based on clauses that are in effect.

One is of claims-triage, one of policy-lookup, and both systems share an index. When it loses
the flags of withdrawn clauses, both cite clause 14.3, which becomes a case of both suites.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from governance.assurance.evaluation_findings import finding_actions
from governance.assurance.evaluation_findings import queries as findings
from governance.demo import evaluation_story
from governance.demo.cast import Cast
from governance.demo.evaluation_logs import log_of
from governance.kernel import clock, current
from governance.kernel.data.db import transaction
from governance.operations.evaluations import queries as evaluations
from governance.operations.evaluations.suites import actions as suite_actions
from governance.operations.evaluations.suites.actions import MeasureInput
from governance.operations.systems import queries as systems

CASES, REGRESSION = 400, "clause-14.3-withdrawn"
LIMITS: Mapping[str, float] = {
    "baseline": 0.94,
    "standard": 0.95,
    "strict": 0.95,
    "regulated": 0.97,
}


@dataclass(frozen=True, slots=True)
class WordingSuite:
    """A suite with one measure, and the AI system that it evaluates."""

    key: str
    name: str
    purpose: str
    measure: str
    measures: str  # the name of the measure
    method: str
    system: str

    def publish(self, cast: Cast) -> None:
        """Create the suite and publish its first version, as the officer."""
        with current.acting_as(cast("officer")), transaction():
            suite = suite_actions.create(
                key=self.key, name=self.name, purpose=self.purpose, owner_id=cast.id("jun")
            )
            version = evaluations.versions(suite.id)[0]
            suite_actions.set_measures(
                version,
                [
                    MeasureInput(
                        key=self.measure,
                        name=self.measures,
                        kind="rate",
                        unit="share",
                        at_least=True,
                        sources=("grounded",),
                        limits=dict(LIMITS),
                    )
                ],
            )
            suite_actions.edit_draft(version, method=self.method, cases=CASES)
            suite_actions.publish(version, suite)

    def run(self, cast: Cast, release: str, which: str, wrong: int, *, with_case: bool) -> None:
        """Import the log of a run as Anna, with `wrong` wrong answers.

        With `with_case`, one answer is about the withdrawn clause. It is wrong if the run fails the
        standard limit, and right otherwise.
        """
        log = dict(log_of(self.key, clock.now(), wrong, cases=CASES, run=f"-{which}"))
        if with_case:
            is_wrong = wrong > CASES * (1 - LIMITS["standard"])
            log["samples"] = _with_case(log["samples"], "I" if is_wrong else "C")
        evaluation_story.send(
            cast, self.key, self.system, release, log, f"{self.key}-{release}-{which}.json"
        )

    def add_case(self, cast: Cast) -> None:
        """Publish a version with the case of the withdrawn clause, as the officer."""
        method = f"{self.method} Since the index lost its flags, {REGRESSION} is one of the cases."
        with current.acting_as(cast("officer")), transaction():
            suite = evaluations.suite(self.key)
            version = suite_actions.draft(suite)
            suite_actions.edit_draft(version, method=method, cases=CASES)
            suite_actions.publish(version, suite)

    def close_finding(self, cast: Cast, note: str) -> None:
        """Close the finding of its measure, as Jun."""
        with current.acting_as(cast("jun")), transaction():
            system, suite = systems.system(self.system), evaluations.suite(self.key)
            found = findings.open_finding(system.id, suite.id, self.measure)
            if found is not None:
                finding_actions.close(found, note=note)


def _with_case(samples: list[Any], value: str) -> list[Any]:
    """Return the samples, with the first of that value as the case of the withdrawn clause."""
    place = next(n for n, s in enumerate(samples) if s["scores"]["grounded"]["value"] == value)
    return [*samples[:place], samples[place] | {"id": REGRESSION}, *samples[place + 1 :]]
