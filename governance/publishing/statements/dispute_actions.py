"""Actions on disputes: a tenant raises one, and the operator answers it on the record.

An accepted dispute changes the input of the next revision (statement_facts.py): its exclusion no
longer hides minutes, or its minutes are left out. The closed figures stay until then.
"""

from datetime import timedelta
from typing import Any

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.webhooks import event_types
from governance.foundation.webhooks.actions import send
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.intervals import Span
from governance.publishing.statements import actions, dispute_effects, month_close, queries
from governance.publishing.statements.models import Dispute, Statement, StatementRevision
from governance.publishing.statements.statement_calculation import read_span

DISPUTED = ("number", "revision", "kind", "indicator", "exclusion", "starts_at", "ends_at")
RAISED = action(
    "dispute.raised",
    "disputed a statement",
    target="Dispute",
    activity="create",
    severity="low",
    fields="number month revision kind indicator exclusion starts_at ends_at",
    shape="open",
)
ANSWERED = action(
    "dispute.answered",
    "answered a dispute",
    target="Dispute",
    activity="update",
    severity="low",
    fields="number month state",
    personal="answer",
)
WITHDRAWN = action(
    "dispute.withdrawn",
    "withdrew a dispute",
    target="Dispute",
    activity="update",
    severity="informational",
    fields="number month",
)

ANSWER_DAYS = 14
MAX_REASON_LENGTH = 2000
event_types.register("dispute.raised", "a person disputes a statement")
event_types.register("dispute.answered", "a dispute is answered")


class NotOpen(DomainError):
    pass


def raise_dispute(
    statement: Statement,
    *,
    kind: str,
    span: Span,
    reason: str,
    indicator: str | None = None,
    exclusion: str | None = None,
) -> Dispute:
    """Dispute minutes of an indicator, or one occurrence of an exclusion, of the newest revision.

    Returns the open dispute of the same minutes, if there is one, so sending it twice raises it
    once.
    """
    if not reason.strip():
        raise Invalid("Explain what is wrong.", field="reason")
    row = _disputable_revision(statement)
    indicator = indicator if kind == "minutes" else None
    exclusion = exclusion if kind == "exclusion" else None
    _check_span(span, read_span(row.facts["span"]))
    if kind == "minutes" and indicator not in {each["key"] for each in row.facts["indicators"]}:
        raise Invalid("Choose an indicator of this statement.", field="indicator")
    effect = dispute_effects.effect(
        month_close.statement_in_file(row),
        kind=kind,
        span=span,
        indicator=indicator,
        exclusion=exclusion,
    )
    lock_tenant("dispute numbers")
    existing = _open_dispute(statement, (kind, indicator, exclusion, span.start, span.end))
    if existing is not None:
        return existing
    made = Dispute(
        statement_id=statement.id,
        number=queries.next_dispute_number(),
        revision=row.number,
        kind=kind,
        indicator=indicator,
        exclusion=exclusion,
        starts_at=span.start,
        ends_at=span.end,
        reason=reason.strip()[:MAX_REASON_LENGTH],
        effect=effect,
        raised_by=current.person_id(),
        due_on=clock.today() + timedelta(days=ANSWER_DAYS),
        answered_by=None,
        answered_at=None,
    )
    session().add(made)
    session().flush()
    record(
        RAISED,
        made,
        reason=made.reason,
        month=statement.month,
        **{name: getattr(made, name) for name in DISPUTED},
    )
    send("dispute.raised", {"id": made.id, "ref": made.ref, "month": statement.month})
    return made


def _disputable_revision(statement: Statement) -> StatementRevision:
    """Return the newest revision.

    Raises NotOpen before the close, and if its minutes are deleted.
    """
    row = queries.revision_numbered(statement.id, statement.revision)
    if row is None:
        raise NotOpen("This month isn't closed yet, so there is nothing to dispute.")
    if not queries.has_minutes(statement):
        raise NotOpen(
            "The minutes of this month are no longer kept, so they can't be disputed. The statement's"
            " file still proves its figures."
        )
    return row


def _open_dispute(statement: Statement, disputed: tuple[Any, ...]) -> Dispute | None:
    """Return the open dispute of the same minutes, or None."""
    for each in queries.disputes_of(statement.id):
        there = (each.kind, each.indicator, each.exclusion, each.starts_at, each.ends_at)
        if each.state == "open" and there == disputed:
            return each
    return None


def _check_span(span: Span, month: Span) -> None:
    if span.end <= span.start:
        raise Invalid(
            "The minutes end before they start. Change one of the times.", field="ends_at"
        )
    if not month.start <= span.start < span.end <= month.end:
        raise Invalid("Choose minutes of this statement's month.", field="starts_at")


def exclusion_span(statement: Statement, ref: str, start: str) -> Span:
    """Return an exclusion's occurrence in the newest revision. Raises Invalid if there is none."""
    row = queries.revision_numbered(statement.id, statement.revision)
    for each in row.facts["exclusions"] if row else ():
        if (each["ref"], each["from"]) == (ref, start):
            return read_span([each["from"], each["to"]])
    raise Invalid("Choose an exclusion of this statement.", field="exclusion")


def answer(dispute: Dispute, *, is_accepted: bool, text: str) -> None:
    """Answer a dispute. The answer is final. Accepting it makes a revision due."""
    if not text.strip():
        raise Invalid("Give the reasons of your answer. The tenant reads them.", field="answer")
    session().refresh(dispute, with_for_update=True)
    _check_open(dispute)
    statement = queries.statement(dispute.statement_id, lock=True)
    dispute.state = "accepted" if is_accepted else "rejected"
    dispute.answer = text.strip()[:MAX_REASON_LENGTH]
    dispute.answered_by, dispute.answered_at = current.person_id(), clock.now()
    record(
        ANSWERED,
        dispute,
        number=dispute.number,
        month=statement.month,
        state=dispute.state,
        answer=dispute.answer,
    )
    send("dispute.answered", {"id": dispute.id, "ref": dispute.ref, "state": dispute.state})
    if is_accepted:
        actions.mark_late([statement], "dispute", dispute.starts_at, dispute.ends_at)
        actions.request_revision(statement)


def withdraw(dispute: Dispute) -> None:
    """Withdraw a dispute, as its tenant."""
    session().refresh(dispute, with_for_update=True)
    _check_open(dispute)
    statement = queries.statement(dispute.statement_id)
    dispute.state = "withdrawn"
    dispute.answered_by, dispute.answered_at = current.person_id(), clock.now()
    record(WITHDRAWN, dispute, number=dispute.number, month=statement.month)


def _check_open(dispute: Dispute) -> None:
    if dispute.state != "open":
        raise NotOpen(f"{dispute.ref} is {dispute.state} already.")
