"""Suites and runs of Acme, created through the actions that people use."""

import io
import json
from collections.abc import Mapping
from typing import Any

from governance.foundation.people.jobs import actor_of
from governance.kernel.data.db import session
from governance.kernel.work import jobs
from governance.operations.evaluations import queries
from governance.operations.evaluations.models import EvaluationRun, EvaluationSuite, SuiteVersion
from governance.operations.evaluations.releases import actions as release_actions
from governance.operations.evaluations.runs import actions as run_actions
from governance.operations.evaluations.suites import actions as suite_actions
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from governance.operations.systems.models import AISystem
from tests import make
from tests.operations.evaluations.files.evaluation_files import inspect_log, inspect_sample


def published_suite(key: str = "claims-grounding", pack: str = "support") -> EvaluationSuite:
    """Create a suite with a published first version. The caller acts as a person."""
    suite = suite_actions.create(
        key=key, name="Claims grounding", purpose="Answers cite the wording.", pack=pack
    )
    suite_actions.publish(queries.versions(suite.id)[0], suite)
    return suite


def system(key: str = "claims-triage", *, serves: str = "2026.11.2") -> AISystem:
    """Create an AI system of the acting tenant, with the release that a person stated as served."""
    made = systems.register(
        key=key, stage="live", name=key, lane="standard", purpose="Sorts claims.", owner_id=None
    )
    if serves:
        release_actions.state_release(made, serves, reason="The deployment log.")
    return made


def log_of(passed: int, failed: int, *, run: str = "run-1", **changes: Any) -> dict[str, Any]:
    """Return an Inspect log whose measure `grounded` has these counts."""
    values = ["C"] * passed + ["I"] * failed
    samples = [inspect_sample(n, value) for n, value in enumerate(values)]
    log = inspect_log(len(samples), **({"samples": samples} | changes))
    log["eval"]["eval_id"] = run
    return log


def imported(
    log: Mapping[str, Any] | bytes,
    suite: EvaluationSuite,
    system: AISystem,
    *,
    release: str = "2026.11.2",
    version: SuiteVersion | None = None,
) -> EvaluationRun:
    """Import a run of this log without judging it. The caller acts as a person."""
    content = log if isinstance(log, bytes) else json.dumps(log).encode()
    return run_actions.import_run(
        io.BytesIO(content),
        system=system,
        suite=suite,
        version=version or queries.version(suite.id),
        release=release,
        name="log.json",
    )


def drain() -> None:
    """Do the queued work."""
    jobs.drain(actor_of)


def judged(log: Mapping[str, Any] | bytes, role: str = "admin", **options: Any) -> EvaluationRun:
    """Import and judge a log as that person, in Acme's first suite and system."""
    with make.acting(role):
        suite = queries.suite("claims-grounding")
        run_id = imported(log, suite, _first_system(), **options).id
    drain()
    with make.acting(role):
        run = queries.run(run_id)
        session().expunge(run)
    return run


def _first_system() -> AISystem:
    return register.system("claims-triage")
