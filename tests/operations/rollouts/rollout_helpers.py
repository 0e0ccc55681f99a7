"""A system with a feature and one measure, its runs, and rollouts of its releases."""

import json
import re
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.operations.decision_counts import actions as decision_counts
from governance.operations.decision_counts.models import DecisionCount
from governance.operations.evaluations import queries as evaluations
from governance.operations.evaluations.runs import actions as run_actions
from governance.operations.evaluations.runs import reading_child
from governance.operations.evaluations.runs import work as run_work
from governance.operations.evaluations.suites import actions as suite_actions
from governance.operations.evaluations.suites.actions import MeasureInput
from governance.operations.rollouts import actions, jobs, queries
from governance.operations.rollouts.actions import RolloutDraft
from governance.operations.rollouts.models import Rollout
from governance.operations.rollouts.status import status_of
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from tests import make
from tests.assurance.red_teams.red_team_helpers import finished
from tests.browser import field_value
from tests.operations.evaluations.evaluation_helpers import imported, log_of

NEW, OLD = "2026.12.0", "2026.11.2"
PLAN = "All buckets get 2026.11.2.\nOpen claims are triaged again."
GOOD, ALSO_GOOD, UNDECIDED, BAD = (200, 0), (199, 1), (20, 2), (150, 50)


LIMITS = dict.fromkeys(("baseline", "standard", "strict", "regulated"), 0.9)


def world(lane: str = "standard", limits: Mapping[str, float] = LIMITS) -> None:
    """Create claims-triage with the feature auto-approve, a suite of one measure and a red team.

    The measure decides, and the red team found nothing.
    """
    with make.acting("admin"):
        system = systems.register(
            key="claims-triage",
            stage="live",
            name="claims-triage",
            lane=lane,
            purpose="Sorts.",
            owner_id=None,
        )
        systems.add_feature(system, key="auto-approve", fallback="A person decides.")
        suite = suite_actions.create(
            key="claims-grounding", name="Claims grounding", purpose="Answers cite the wording."
        )
        version = evaluations.versions(suite.id)[0]
        suite_actions.edit_draft(version, method="Each answer is checked against its source.")
        suite_actions.set_measures(
            version,
            [
                MeasureInput(
                    key="grounded",
                    name="Grounded answers",
                    kind="rate",
                    unit="share",
                    at_least=True,
                    sources=["grounded"],
                    limits=dict(limits),
                )
            ],
        )
        suite_actions.publish(version, suite)
    finished(release=OLD)


def evaluate(counts: tuple[int, int] = GOOD, release: str = NEW) -> None:
    """Add a judged run of an hour ago. `counts` are its grounded answers and its others.

    It is read in this process: the sandbox has tests of its own.
    """
    at = clock.now() - timedelta(hours=1)
    log = log_of(*counts, run=str(uuid4()), stats={"completed_at": f"{at:%Y-%m-%dT%H:%M:%S}+00:00"})
    with make.acting("admin"), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "run").write_text(json.dumps(log))
        run = imported(
            log,
            evaluations.suite("claims-grounding"),
            register.system("claims-triage"),
            release=release,
        )
        orders = run_work._orders(run) | {"path": str(folder / "run")}
        *_progress, found = reading_child.main(orders)
        run_actions.keep_results(run.id, found, folder / reading_child.CASES_FILE)


def draft(**changed: Any) -> RolloutDraft:
    values = {
        "feature_id": feature_id(),
        "change": "model",
        "release": NEW,
        "previous": OLD,
        "summary": "A larger model.",
        "rollback_plan": PLAN,
        "on_failure": "halt",
        "owner_id": None,
    }
    return RolloutDraft(**(values | changed))


def feature_id() -> UUID:
    return register.features(register.system("claims-triage").id)[0].id


def planned(role: str = "contributor", **changed: Any) -> UUID:
    """Plan a rollout by the action that the form calls."""
    with make.acting(role):
        return actions.plan(draft(**changed)).id


def form(**changed: Any) -> dict[str, Any]:
    """Return the fields of the form that plans a rollout."""
    with make.acting("contributor", read_only=True):
        given = draft()
    values = {
        "once": str(uuid4()),
        "feature_id": str(given.feature_id),
        "change": given.change,
        "release": given.release,
        "previous": given.previous,
        "summary": given.summary,
        "rollback_plan": given.rollback_plan,
        "on_failure": given.on_failure,
        "owner_id": "",
    }
    return values | changed


def advance(visitor, rollout_id: UUID, *, then: int = 303, reason: str = "All gates pass."):
    """Take or request the next step as its page offers it."""
    address = f"rollouts/{rollout_id}/advance"
    shown = visitor.get(address).text
    return visitor.post(
        address,
        then=then,
        step=field_value(shown, "step") or "promote",
        seen=field_value(shown, "seen") or "",
        reason=reason,
    )


def approve(visitor, address: str, *, then: int = 303, seen: str | None = None):
    """Approve as the page of the approval offers it."""
    if seen is None:
        seen = field_value(visitor.get(address).text, "seen") or ""
    return visitor.post(address, then=then, verb="approve", seen=seen, typed="", reason="")


def approval_of(visitor, rollout_id: UUID) -> str:
    """Return the address of the open request, as the rollout's page links it."""
    page = visitor.get(f"rollouts/{rollout_id}").text
    return re.search(r"approvals/[0-9a-f-]{36}", page)[0]


def pass_time(rollout_id: UUID, hours: float = 24 * 8) -> None:
    """Let the time of its stage pass, by an earlier start of its clock."""
    with make.acting("admin"):
        row = session().get_one(Rollout, (make.actor("admin").tenant_id, rollout_id))
        for name in ("since", "entered_at", "started_at"):
            if (at := getattr(row, name)) is not None:
                setattr(row, name, at - timedelta(hours=hours))


def answered(candidate: int, current: int) -> None:
    """Count these answers of the decision API for each release, a minute ago."""
    at = (clock.now() - timedelta(minutes=1)).replace(second=0, microsecond=0)
    flag = ("claims-triage", "rollout.auto-approve")
    with make.acting("admin"):
        decision_counts.add({(at, *flag, NEW): candidate, (at, *flag, OLD): current})


def running_at(share: int, rollout_id: UUID) -> None:
    """Take the steps up to the stage of that share, with what each of them needs."""
    for _ in range(10):
        with make.acting("contributor"):
            row = queries.rollout(rollout_id)
            if row.stage is not None and row.stage.share == share:
                return
            stage = row.stage
        if stage is not None:
            pass_time(rollout_id)
            if stage.share:
                answered(stage.samples, round(stage.samples * (10_000 / stage.share - 1)))
        with make.acting("contributor"):
            row = queries.rollout(rollout_id)
            at = status_of(row)
            actions.advance(row, step=at.step or "", seen=at.fingerprint)
        if stage is not None and stage.share:
            forget_answers()
    raise AssertionError(f"no stage has the share {share}")


def forget_answers() -> None:
    """Delete the counted answers, which were from an earlier stage."""
    with make.acting("admin"):
        for each in session().scalars(select(DecisionCount)):
            session().delete(each)


def state_of(rollout_id: UUID) -> tuple[str, str]:
    """Return its state and the name of its stage."""
    with make.acting("viewer", read_only=True):
        row = queries.rollout(rollout_id)
        return row.state, row.stage.name if row.stage else ""


def readings(rollout_id: UUID) -> Mapping[str, str]:
    """Return the verdict of each gate by its name."""
    with make.acting("viewer", read_only=True):
        results = status_of(queries.rollout(rollout_id)).results
        return {each.reading.name: each.verdict for each in results}


def served() -> list[tuple[int, tuple[str, str], str]]:
    """Return share, releases and state of what the decision API serves."""
    with make.acting("viewer", read_only=True):
        return [(each.share, each.variants, each.state) for each in queries.serving()]


def watch() -> None:
    """Let the job check the gates of Acme."""
    with current.acting_as(make.system_actor("acme")):
        jobs.watch_tenant()
