"""Eighteen closed months of the operator, and what it decided about the last one.

Finance closes each month that was over when it imported the files. A correction of a cloud
bill then restates one of them.
"""

import random
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import msgspec

from governance.demo.cast import MONTHS, Cast, acting_on, days_ago
from governance.demo.economics_revenue_story import IMPORTED
from governance.demo.file_imports import import_table
from governance.economics.reviews import actions, guardrail_file, queries
from governance.economics.reviews.closing import actions as close_actions
from governance.economics.reviews.closing import awaited_sign_offs
from governance.economics.reviews.models import Review
from governance.economics.reviews.scenarios import Assumptions
from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals import kinds
from governance.foundation.approvals.queries import open_approval
from governance.foundation.people.jobs import actor_of
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.data.db import transaction
from governance.kernel.months import Month
from governance.kernel.work import jobs
from governance.kernel.work.background_work import run_of, under_way

CLOSED = 2  # days ago
CORRECTED_MONTH = 3  # months ago, as in economics_costs_story.py
PAUSE_SECONDS = 0.2  # between two checks of work that another process runs
REVIEWED = 6  # months whose blocks people reviewed
BLOCKS = (  # customer, guardrail, confirmed, mistaken, milliseconds
    ("acme", "prompt_injection", 21, 2, 95),
    ("brightwater", "personal_data", 34, 5, 120),
    ("kestrel", "prompt_injection", 6, 1, 60),
    ("tallis", "toxicity", 2, 1, 40),
)
PLANNED = (  # title, owner, days from today, whether it is done
    ("Cap context at 16,000 tokens for Globex", "finance", 12, False),
    ("Price the strict tier per reviewed answer", "operator", 26, False),
    ("Stop paid search for small business", "finance", 9, True),
)


def tell(cast: Cast) -> None:
    """Close the months, restate one, sign off, and plan actions."""
    finance, product = cast("finance"), cast("operator")
    months = closed_months()
    with acting_on(finance, days_ago(CLOSED)):
        import_table(guardrail_file.KIND, "reviewed-blocks.csv", list(_reviewed_blocks(months)))
        for month in months:
            close_month(month)
    for month in months[:-1]:
        _sign(month, finance, product)
    _restate(months[-CORRECTED_MONTH], finance)
    _discuss(months[-1], cast)


def closed_months() -> list[Month]:
    """Return the months that were over when their bills and invoices were imported."""
    present = Month.of(days_ago(IMPORTED))
    return [present.plus(-ago) for ago in range(MONTHS, 0, -1)]


def _reviewed_blocks(months: Sequence[Month]) -> Iterator[str]:
    """Yield the lines of the file of reviewed blocks for the last months.

    Most blocks prevented harm, and some were mistakes.
    """
    for month in months[-REVIEWED:]:
        for slug, guardrail, confirmed, mistaken, milliseconds in BLOCKS:
            chance = random.Random(f"{month}{slug}{guardrail}")  # noqa: S311 - a story
            found = round(confirmed * chance.uniform(0.8, 1.2))
            yield f"{month},{slug},{guardrail},{found},{mistaken},{milliseconds}"


def close_month(month: Month) -> None:
    """Close a month. Raises ValueError with the reason if that fails."""
    with transaction():
        review_id = close_actions.request_close(month).id
    _finish_work(review_id)
    with transaction(read_only=True):
        run = run_of(queries.review_of(month))
        if not run.is_ready:
            why = run.row.problem or (run.work.step if run.work else "no work was queued")
            raise ValueError(f"the demo's {month} doesn't close: {why}")


def _finish_work(review_id: UUID) -> None:
    """Run the close until none of its work is in progress.

    The story's clock is frozen, so it advances by the retry pause for work that is retried. Work
    that another process has claimed is awaited.
    """
    at = clock.now()
    while True:
        with clock.frozen(at):
            count = jobs.drain(actor_of, of=current.actor().tenant_id)
        with transaction(read_only=True):
            if not under_way(Review, Review.id == review_id):
                return
        at += jobs.RETRY_PAUSE
        if not count:
            time.sleep(PAUSE_SECONDS)


def _sign(month: Month, finance: Actor, product: Actor) -> None:
    for who, side in ((finance, "finance"), (product, "product")):
        with acting_on(who, days_ago(1)), transaction():
            kind = awaited_sign_offs.kind_name(side)
            asked = open_approval(kind, queries.review_of(month).id)
            if asked is None:
                raise LookupError(f"no signature of {side} is asked for")
            approvals.approve(asked, seen=kinds.fingerprint_seen(asked))


def _restate(month: Month, finance: Actor) -> None:
    with acting_on(finance, days_ago(1), hour=15):
        with transaction():
            close_actions.reopen(
                queries.review_of(month), "The cloud corrected its bill of this month."
            )
        close_month(month)


def _discuss(month: Month, cast: Cast) -> None:
    with acting_on(cast("finance"), days_ago(1), hour=16):
        for title, owner, days, is_done in PLANNED:
            with transaction():
                review = queries.review_of(month)
                due = clock.today() + timedelta(days=days)
                made = actions.add_action(review, title, cast.id(owner), due)
                if is_done:
                    actions.finish_action(made)
        with transaction():
            actions.add_comment(
                queries.review_of(month),
                "Cache writes were billed twice on two days. The claim is with the provider.",
            )
        with transaction():
            raised = Assumptions(price_percent=Decimal(8))
            actions.save_scenario(
                queries.review_of(month), "Prices up by 8% at renewal", msgspec.to_builtins(raised)
            )
