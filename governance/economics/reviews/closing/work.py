"""The background work of a close: read, compute, freeze. A killed one restarts from the beginning.

The revision, its audit entry and the sign-off requests are one transaction, which locks the
review's row: of two concurrent closes of a month, the second finds it closed. The transaction reads
one snapshot.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import rfc8785

from governance.economics.formulas.estimates import NotEstimable
from governance.economics.formulas.unit_cost import cost_per_completed_task
from governance.economics.rates.conversion import ProvisionalRate
from governance.economics.rates.queries import provisional_rates
from governance.economics.reviews import queries
from governance.economics.reviews.closing import actions as close_actions
from governance.economics.reviews.closing import earlier_months
from governance.economics.reviews.facts.assembly import assemble
from governance.economics.reviews.facts.review_facts import (
    Headline,
    Input,
    ReviewFacts,
    TaskCost,
    encode,
)
from governance.economics.reviews.inputs import reading as input_reading
from governance.economics.reviews.inputs import user_reading
from governance.economics.reviews.inputs.user_reading import Users
from governance.economics.reviews.models import Review
from governance.kernel import clock
from governance.kernel.data.db import transaction
from governance.kernel.errors import DomainError
from governance.kernel.months import Month
from governance.kernel.work.background_work import target_of
from governance.kernel.work.jobs import Progress, WorkItem

STEPS = 2
MAX_CHANGES = 200  # listed in a revision
ZERO = Decimal(0)


def close(item: WorkItem, progress: Progress) -> None:
    """Close or revise the month of a review, or store why it can't be closed yet."""
    progress(0, STEPS, "Counting users")
    with transaction(read_only=True):
        month = queries.review_with_id(target_of(close_actions.CLOSING, item)).its_month
    with provisional_rates() as provisional:
        users = user_reading.read(month)
    progress(1, STEPS, "Adding up the month")
    with transaction(snapshot=True):
        review = queries.review_with_id(target_of(close_actions.CLOSING, item), lock=True)
        if review.is_ready:
            return
        try:
            with provisional_rates() as used:
                facts = _facts(month, users)
        except DomainError as missing:  # such as a missing rate
            close_actions.note_problem(review, missing.message)
            return
        if provisional | used:
            close_actions.note_problem(review, provisional_problem(provisional | used))
            return
        problem = problem_of(facts, queries.settings().residual_limit)
        if problem is not None and review.accepted_residual is None:
            close_actions.note_problem(review, problem)
        else:
            close_actions.file_revision(review, revision_values(review, facts))


def _facts(month: Month, users: Mapping[UUID, Users]) -> ReviewFacts:
    """Compute the month. The first month to be closed also stores the margins before it."""
    facts = assemble(input_reading.read(month, users))
    if queries.has_closed_before(month):
        return facts
    return msgspec.structs.replace(facts, earlier=earlier_months.read(month))


def revision_values(review: Review, facts: ReviewFacts) -> dict[str, Any]:
    """Return the values of the review's next revision."""
    before = queries.newest_of(review.id).facts if review.is_closed else None
    return {
        "number": review.revision + 1,
        "closed_at": clock.now().replace(microsecond=0),
        "reason": review.reopened or "",
        "input_digest": input_digest(facts),
        "facts": encode(facts),
        "headline": encode(headline_of(facts)),
        "changes": changes_between(before, facts) if before else None,
        "accepted_residual": review.accepted_residual,
    }


# ---- pure


def problem_of(facts: ReviewFacts, limit: Decimal) -> str | None:
    """Return why the month can't be closed, as a sentence, or None if it can."""
    found = facts.reconciliation
    if found.invoiced == 0 and found.computed > 0:
        return "No bill of a model provider is imported for this month. Import it, then try again."
    if found.share is None or abs(found.share) <= limit:
        return None
    return (
        f"The residual is {abs(found.share):.2%} of invoiced model cost, above the limit of"
        f" {limit:.2%}. Find its causes under Reconciliation, or ask another person to accept it."
    )


def provisional_problem(used: Collection[ProvisionalRate]) -> str:
    """Return which rates must be entered before the month closes."""
    sentences = [
        f"{each.currency} for {each.month.long_name} is provisional"
        f" (rate of {each.rate_month.long_name})."
        for each in sorted(used)
    ]
    asks = "Enter the rate, then close." if len(used) == 1 else "Enter the rates, then close."
    return " ".join([*sentences, asks])


def headline_of(facts: ReviewFacts) -> Headline:
    """Return the figures that pages of other months show of this one."""
    return Headline(
        month=facts.month,
        currency=facts.currency,
        waterfall=facts.waterfall,
        mrr=facts.mrr,
        accounts=facts.accounts,
        ratios=facts.ratios,
        tasks=_tasks(facts),
        residual_share=facts.reconciliation.share,
    )


def _tasks(facts: ReviewFacts) -> list[TaskCost]:
    cost: dict[tuple[str, str], Decimal] = {}
    done: dict[tuple[str, str], int] = {}
    for each in facts.systems:
        key = (each.tenant, each.system)
        cost[key] = cost.get(key, ZERO) + each.cost
        done[key] = done.get(key, 0) + each.completed_tasks
    found = []
    for key, amount in cost.items():
        per_task = cost_per_completed_task(amount, done[key])
        if not isinstance(per_task, NotEstimable):
            found.append(TaskCost(tenant=key[0], system=key[1], per_task=per_task))
    return found


def input_digest(facts: ReviewFacts) -> str:
    """Return SHA-256 over the digests of all inputs, and the rates, rules and formulas used."""
    content: dict[str, Any] = {
        "month": facts.month,
        "currency": facts.currency,
        "inputs": [[each.name, each.rows, each.sha256] for each in facts.inputs],
        "rates": encode_all(facts.rates),
        "rules": encode_all(facts.rules),
        "formulas": [[each.name, each.version] for each in facts.formulas],
    }
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()


def encode_all(parts: Sequence[Any]) -> list[dict[str, Any]]:
    """Encode each struct as JSON values."""
    return [encode(each) for each in parts]


def changes_between(before: ReviewFacts, after: ReviewFacts) -> list[list[str]]:
    """Return [figure, before, after] for each figure that differs, those of the whole month first."""
    pairs: list[tuple[str, Any, Any]] = [
        *_parts("", encode(before.waterfall), encode(after.waterfall)),
        *_parts("", encode(before.ratios), encode(after.ratios)),
        *_parts("MRR ", encode(before.mrr), encode(after.mrr)),
    ]
    earlier = {each.id: each for each in before.tenants}
    for tenant in after.tenants:
        old = earlier.get(tenant.id)
        for name in ("revenue", "margin"):
            was = str(getattr(old, name)) if old else "0.00"
            pairs.append((f"{tenant.name}: {name}", was, str(getattr(tenant, name))))
    changed = [[name, str(old), str(new)] for name, old, new in pairs if old != new]
    return changed[:MAX_CHANGES]


def _parts(
    prefix: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    for name, value in after.items():
        old = before.get(name)
        if isinstance(value, dict):
            yield from _parts(prefix, old or {}, value)
        else:
            yield f"{prefix}{name.replace('_', ' ')}", old, value


def changed_inputs(facts: ReviewFacts, now: Sequence[Input]) -> list[str]:
    """Return the labels of inputs that differ from those of a closed month."""
    before = {each.name: each.sha256 for each in facts.inputs}
    return [each.label for each in now if before.get(each.name) != each.sha256]
