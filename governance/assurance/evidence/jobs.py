"""Jobs that carry out approved deletions, and nightly jobs on evidence."""

from functools import partial
from itertools import batched

import structlog

from governance.assurance.evidence import (
    deletion,
    deletion_queries,
    integrity,
    push,
    reminders,
    verifying,
)
from governance.foundation.tenants.for_each_tenant import in_each, once_a_day_in_each
from governance.kernel import clock, current
from governance.kernel.data.db import transaction
from governance.kernel.work.jobs import Progress, WorkItem, has_run, once_per, work

VERIFY = "verify evidence"
MAX_LOGGED_FINDINGS = 5
log = structlog.get_logger("evidence")


@work("destroy evidence")
def destroy(item: WorkItem, progress: Progress) -> None:
    """Carry out the EvidenceDeletion with the id item.target_id."""
    if item.target_id is None:
        raise RuntimeError("the work names what is to be destroyed")
    progress(0, 1, "Deleting the file")
    with transaction():
        request, _version, _evidence = deletion_queries.deletion_request(item.target_id, lock=True)
        deletion.carry_out(request)


FILES_PER_STEP = 1000  # Per transaction.


def tidy_evidence() -> None:
    once_a_day_in_each("tidy evidence", tidy, in_steps=True)


def tidy() -> None:
    """Delete unused files, old previews and old pushes, and request deletions by retention.

    Each batch has its own transaction, so that uploads aren't blocked for long.
    """
    for keys in batched(integrity.old_stored_files(), FILES_PER_STEP, strict=False):
        with transaction():
            integrity.delete_orphans(keys)
    with transaction():
        integrity.delete_partial_uploads()
        integrity.delete_previews()
        push.delete_old_pushes()
        deletion.propose_by_retention()


def remind_of_evidence() -> None:
    """Remind owners, each morning, of late or due evidence, once per due date."""
    once_a_day_in_each("remind of evidence", reminders.remind)


def verify_evidence() -> None:
    """Hash every stored file once a week, at night, and log corrupted ones."""
    week = f"{clock.today():%G-W%V}"
    in_each(
        partial(_verify_evidence, week),
        "evidence not verified",
        wanted=lambda t: not has_run(VERIFY, t.slug, week),
    )


def _verify_evidence(week: str) -> None:
    slug = current.actor().tenant_slug
    report = verifying.verify(
        claim=partial(once_per, VERIFY, slug, week)
    )  # Claimed at the end, so a killed check runs again.
    if not report.is_intact:
        log.error(
            "evidence corrupted",
            tenant=slug,
            findings=[f.sentence for f in report.findings[:MAX_LOGGED_FINDINGS]],
        )
