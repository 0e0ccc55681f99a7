"""Requests to runners, and the available runners."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Row, Select, func, select

from governance.foundation.webhooks import queries as webhooks
from governance.foundation.webhooks.models import WebhookEndpoint
from governance.kernel.data.db import find, session
from governance.kernel.pages.rendering import Keyset, keyset
from governance.operations.evaluations.models import (
    EvaluationRun,
    EvaluationSuite,
    SuiteVersion,
)
from governance.operations.evaluations.requests.models import OPEN, EvaluationRequest
from governance.operations.evaluations.requests.runner_messages import EVENT_TYPE
from governance.operations.systems.models import AISystem


def runners() -> Sequence[WebhookEndpoint]:
    """Return the webhook endpoints that accept requests."""
    return webhooks.subscribers(EVENT_TYPE)


def request(request_id: UUID, *, lock: bool = False) -> EvaluationRequest:
    """Return the request. Raises NotFound."""
    return find(EvaluationRequest, request_id, what="evaluation request", lock=lock)


def same(system_id: UUID, version_id: UUID, release: str) -> EvaluationRequest | None:
    """Return the open request for the same system, version and release."""
    query = select(EvaluationRequest).where(
        EvaluationRequest.system_id == system_id,
        EvaluationRequest.version_id == version_id,
        EvaluationRequest.release == release,
        EvaluationRequest.state.in_(OPEN),
    )
    return session().scalars(query.limit(1)).one_or_none()


def open_count() -> int:
    """Count the requests that have not ended."""
    query = select(func.count()).select_from(EvaluationRequest)
    return session().scalars(query.where(EvaluationRequest.state.in_(OPEN))).one()


def open_requests() -> Sequence[EvaluationRequest]:
    """Return the requests that have not ended."""
    query = select(EvaluationRequest).where(EvaluationRequest.state.in_(OPEN))
    return session().scalars(query).all()


def overdue(now: datetime) -> Sequence[EvaluationRequest]:
    """Return the open requests past their deadline, locked."""
    query = select(EvaluationRequest).where(
        EvaluationRequest.state.in_(OPEN), EvaluationRequest.ends_at <= now
    )
    return session().scalars(query.with_for_update()).all()


def about(row: EvaluationRequest) -> Row[EvaluationSuite, SuiteVersion, AISystem]:
    """Return the suite, version and AI system of a request. Runs one statement."""
    query = (
        select(EvaluationSuite, SuiteVersion, AISystem)
        .join(SuiteVersion, SuiteVersion.suite_id == EvaluationSuite.id)
        .join(AISystem, AISystem.id == row.system_id)
        .where(SuiteVersion.id == row.version_id)
    )
    return session().execute(query).one()


def requests(*, after: str | None = None, size: int = 50) -> Keyset:
    """Return a page of the requests with suite, version, system and run, newest first."""
    query = (
        select(EvaluationRequest, EvaluationSuite, SuiteVersion, AISystem, EvaluationRun)
        .join(SuiteVersion, SuiteVersion.id == EvaluationRequest.version_id)
        .join(EvaluationSuite, EvaluationSuite.id == SuiteVersion.suite_id)
        .join(AISystem, AISystem.id == EvaluationRequest.system_id)
        .outerjoin(EvaluationRun, EvaluationRun.id == EvaluationRequest.run_id)
    )
    columns = (EvaluationRequest.created_at, EvaluationRequest.id)
    return keyset(cast("Select[Any]", query), *columns, after=after, size=size, descending=True)
