"""Push a run from a machine, once per Idempotency-Key.

check(wanted)            checks the names in the address, before the file is read
push(file, wanted, …)    queue the reading of a file; the same file again is the same run
request_of_key(id)       a request to runners that the acting key may answer
run_of_key(run_id)       a run that the acting key has access to
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, cast
from uuid import UUID

from governance.foundation.api_keys import batch_actions
from governance.foundation.api_keys.batch_actions import BatchResult
from governance.foundation.api_keys.queries import acting_key_system
from governance.kernel.data.db import lock_tenant
from governance.kernel.errors import DomainError, Invalid, NotFound, Unavailable
from governance.kernel.work import background_work
from governance.operations.evaluations import queries
from governance.operations.evaluations.models import (
    EvaluationRun,
    EvaluationSuite,
    SuiteVersion,
)
from governance.operations.evaluations.requests import actions as request_actions
from governance.operations.evaluations.requests import queries as request_queries
from governance.operations.evaluations.requests.models import EvaluationRequest
from governance.operations.evaluations.runs import actions as run_actions
from governance.operations.evaluations.runs.received_file import ReceivedFile
from governance.operations.systems import queries as systems
from governance.operations.systems.models import AISystem

ENDPOINT = "evaluations"
MAX_WAITING = 100  # Unread runs from machines, per tenant
NO_SYSTEM = "This AI system doesn't exist, or the key has no access to it."


class AnotherRunHasTheName(DomainError):
    """Another run with the same machine-given name has different content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRun:
    """The names in the address: suite, version, release and system of the run."""

    system: str
    suite: str
    release: str
    version: int | None = None
    model: str = ""
    run: str = ""  # The machine's name of the run, such as that of a CI job
    request: UUID | None = None  # Request that it answers


def push(file: ReceivedFile, wanted: WantedRun, *, idempotency_key: str | None) -> BatchResult:
    """Queue the reading of a file. Raises Invalid with the field, and as batch_actions.once."""
    given = json.dumps([file.sha256, asdict(wanted)], sort_keys=True, default=str)
    digest = hashlib.sha256(given.encode()).hexdigest()
    return batch_actions.once_of(ENDPOINT, digest, idempotency_key, lambda: _store(file, wanted))


def check(wanted: WantedRun) -> None:
    """Raise Invalid unless the system, the suite and its version exist.

    It doesn't check if they accept a run now, so that a repeated request gets its first answer.
    """
    _system(wanted.system)
    _version(wanted.suite, wanted.version)


def _store(file: ReceivedFile, wanted: WantedRun) -> dict[str, Any]:
    system = _system(wanted.system)
    suite, version = _version(wanted.suite, wanted.version)
    run_actions.check(system, suite, version, wanted.release)
    asked = request_of_key(wanted.request) if wanted.request is not None else None
    if asked is not None:
        request_actions.check_run(asked, system, version, wanted.release)
    lock_tenant("evaluation runs")
    _check_name(wanted.run, system, file.sha256)
    if len(_waiting()) >= MAX_WAITING:
        raise Unavailable(
            f"{MAX_WAITING} runs wait to be read. Nothing was saved; send it again in a moment."
        )
    try:
        run, is_known = _imported(file, wanted, system, suite, version), False
    except run_actions.AlreadyImported as known:
        run, is_known = known.run, True
        _read_again(run)
    if asked is not None:
        request_actions.arrived(asked, run)
    return {"id": str(run.id), "duplicate": is_known}


def _imported(
    file: ReceivedFile,
    wanted: WantedRun,
    system: AISystem,
    suite: EvaluationSuite,
    version: SuiteVersion,
) -> EvaluationRun:
    return run_actions.import_run(
        cast("Any", file.file),  # A temporary file is a binary file.
        system=system,
        suite=suite,
        version=version,
        release=wanted.release,
        name=wanted.run,
        model=wanted.model,
    )


def _system(slug: str) -> AISystem:
    try:
        found = systems.system(slug)
    except NotFound:
        raise Invalid(NO_SYSTEM, field="system") from None
    if acting_key_system() not in {None, found.id}:
        raise Invalid(NO_SYSTEM, field="system")
    return found


def _version(slug: str, number: int | None) -> tuple[EvaluationSuite, SuiteVersion]:
    try:
        suite = queries.suite(slug)
    except NotFound:
        raise Invalid("This evaluation suite doesn't exist.", field="suite") from None
    try:
        return suite, queries.version(suite.id, number)
    except NotFound as missing:
        raise Invalid(missing.message, field="version") from None


def _check_name(name: str, system: AISystem, sha256: str) -> None:
    earlier = queries.pushed_as(name, system.id) if name else None
    if earlier is not None and earlier.sha256 != sha256:
        raise AnotherRunHasTheName(
            f"The run {name} was sent before as run {earlier.number:,}, with other content. A run is"
            " never changed: evaluate again under a new name.",
            field="run",
        )


def _waiting() -> list[EvaluationRun]:
    of_machines = EvaluationRun.requested_by.is_(None)
    return list(background_work.under_way(EvaluationRun, of_machines, limit=MAX_WAITING))


def _read_again(run: EvaluationRun) -> None:
    """Restart failed or canceled work when its file is sent again."""
    work = background_work.run_of(run)
    if work.state in {"failed", "cancelled"}:
        background_work.retry(work)


def run_of_key(run_id: UUID) -> EvaluationRun:
    """Return the run. Raises NotFound, also if the key is limited to another system."""
    found = queries.run(run_id)
    if acting_key_system() not in {None, found.system_id}:
        raise NotFound("This evaluation run doesn't exist, or you don't have access to it.")
    return found


def request_of_key(request_id: UUID) -> EvaluationRequest:
    """Return the request to runners. Raises NotFound, also if the key has another system."""
    found = request_queries.request(request_id)
    if acting_key_system() not in {None, found.system_id}:
        raise NotFound("This evaluation request doesn't exist, or you don't have access to it.")
    return found
