"""Eight weeks of evaluations: a release of claims-triage made it worse, and this week it fails.

Five weeks pass and become evidence of EVA-01, which a person accepts. Then a release is
undecided for two weeks. This week its answers miss the hallucination limit: a finding opens,
the control fails, and the release can't be promoted. Last week its error budget was exhausted
(error_budget_story.py).
"""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import select

from governance.assurance.controls.models import Control
from governance.assurance.evaluation_findings import mapping_actions
from governance.assurance.evidence import queries as shelf
from governance.assurance.evidence import review_queue, version_actions
from governance.demo import error_budget_story
from governance.demo.cast import Cast
from governance.demo.evaluation_logs import log_of
from governance.demo.story import StoryStep
from governance.foundation.people.jobs import actor_of
from governance.kernel import current
from governance.kernel.data.db import session, transaction
from governance.kernel.work import jobs
from governance.operations.evaluations import queries as evaluations
from governance.operations.evaluations.judges import actions as judge_actions
from governance.operations.evaluations.judges import labels as judge_labels
from governance.operations.evaluations.models import EvaluationSuite
from governance.operations.evaluations.releases import actions as release_actions
from governance.operations.evaluations.runs import actions as run_actions
from governance.operations.evaluations.suites import actions as suite_actions
from governance.operations.systems import queries as systems

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
RELEASED = 3  # weeks ago
# Hallucinating answers of claims-triage by week; the last is this week's.
HALLUCINATE = (11, 14, 12, 15, 13, 26, 31, 55)
CONTROL = "EVA-01"


@dataclass(frozen=True, slots=True)
class DemoSuite:
    """A suite with the AI system that it evaluates."""

    key: str
    name: str
    purpose: str
    pack: str
    system: str


CLAIMS = DemoSuite(
    "claims-grounding",
    "Claims grounding",
    "Summaries and approvals cite the policy wording that applies to the claim.",
    "support",
    "claims-triage",
)
ANSWERS = DemoSuite(
    "support-answers",
    "Support answers",
    "Answers to policyholders are in the help pages, or a person takes over.",
    "support",
    "support-assistant",
)
COPY = DemoSuite(
    "ad-copy",
    "Ad copy",
    "Ads claim nothing that the product sheet doesn't support.",
    "advertising",
    "ad-copywriter",
)
MAPPED = ("hallucination", "task-success")
# Of 400 answers: both people and the judge pass them, only people, only the judge, neither.
LABELS = ((320, "pass", "pass"), (3, "pass", "fail"), (11, "fail", "pass"), (66, "fail", "fail"))


def steps(cast: Cast, now: datetime) -> list[StoryStep]:
    """Return the steps, in order of time."""
    last = _this_week(now)
    found = [StoryStep(last - 9 * WEEK, partial(_begin, cast))]
    found += [
        StoryStep(at, partial(_serve, cast, at, now))
        for at in (last - 9 * WEEK + timedelta(hours=1), now - RELEASED * WEEK)
    ]
    for number, wrong in enumerate(HALLUCINATE):
        at = last - (len(HALLUCINATE) - 1 - number) * WEEK
        found.append(StoryStep(at, partial(_run, cast, CLAIMS, at, wrong, now)))
        if number < len(HALLUCINATE) - RELEASED:
            found.append(StoryStep(at + DAY, partial(accept, cast)))
    found += [
        StoryStep(last, partial(_run, cast, ANSWERS, last, 12, now)),
        StoryStep(last, partial(_run, cast, COPY, last, 27, now)),
    ]
    return [*found, *error_budget_story.steps(cast, last - 9 * WEEK, last - WEEK)]


def _this_week(now: datetime) -> datetime:
    """Return three hours ago, but not before Monday."""
    monday = datetime(now.year, now.month, now.day, tzinfo=UTC) - now.weekday() * DAY
    return max(now - timedelta(hours=3), min(monday + timedelta(minutes=10), now))


def _begin(cast: Cast) -> None:
    """Publish the suites as the officer, and map the measures of one to a control."""
    with current.acting_as(cast("officer")), transaction():
        control = session().scalars(select(Control).where(Control.ref == CONTROL)).one()
        for each in (CLAIMS, ANSWERS, COPY):
            suite = suite_actions.create(
                key=each.key,
                name=each.name,
                purpose=each.purpose,
                owner_id=cast.id("jun"),
                pack=each.pack,
            )
            suite_actions.publish(evaluations.versions(suite.id)[0], suite)
            if each is CLAIMS:
                for measure in MAPPED:
                    mapping_actions.map_measure(suite, measure, control)
                _calibrate(suite)


def _calibrate(suite: EvaluationSuite) -> None:
    """Register the judge of hallucination, and calibrate it with people's labels of 400 answers."""
    judge = judge_actions.register(
        suite, measure="hallucination", provider="northstar", name="j2", version="2026-06"
    )
    pairs = [(people, said) for count, people, said in LABELS for _ in range(count)]
    lines = [f"{CLAIMS.key}-{n:04},{people},{said}\r\n" for n, (people, said) in enumerate(pairs)]
    content = ("case,human,judge\r\n" + "".join(lines)).encode()
    judge_actions.calibrate(
        judge,
        suite,
        judge_labels.read(content),
        filename="labelled-answers.csv",
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _serve(cast: Cast, at: datetime, now: datetime) -> None:
    for each in (CLAIMS, ANSWERS, COPY):
        state(cast, each.system, release_of(at, now))


def state(cast: Cast, system: str, release: str) -> None:
    """State which release a system serves, as Anna, because no rollout records it."""
    with current.acting_as(cast("anna")), transaction():
        release_actions.state_release(
            systems.system(system), release, reason="The deployment log says so."
        )


def _run(cast: Cast, suite: DemoSuite, at: datetime, wrong: int, now: datetime) -> None:
    log, name = log_of(suite.key, at, wrong), f"{suite.key}-{at:%Y-%m-%d}.json"
    send(cast, suite.key, suite.system, release_of(at, now), log, name)


def send(
    cast: Cast, suite: str, system: str, release: str, log: Mapping[str, Any], name: str
) -> None:
    """Import the log of a run as Anna, which makes Meridian judge it and act on the result."""
    with current.acting_as(cast("anna")):
        with transaction():
            found = evaluations.suite(suite)
            run_actions.import_run(
                io.BytesIO(json.dumps(log).encode()),
                system=systems.system(system),
                suite=found,
                version=evaluations.version(found.id),
                release=release,
                name=name,
            )
        jobs.drain(actor_of, of=current.actor().tenant_id)


def accept(cast: Cast) -> None:
    """Accept the evidence that evaluations filed automatically, as Jun."""
    with current.acting_as(cast("jun")), transaction():
        for _, held in review_queue.queue_page({}, size=1000).rows:
            version, evidence = shelf.find_version(held.version_id, lock=True)
            if version.source == "evaluation":
                version_actions.accept(version, evidence)


def release_of(at: datetime, now: datetime) -> str:
    """Return the release that was live at a time. The newest began three weeks ago."""
    began = now - RELEASED * WEEK
    if at >= began:
        return f"{began.year}.{began.month}.2"
    before = began - 5 * WEEK
    return f"{before.year}.{before.month}.3"
