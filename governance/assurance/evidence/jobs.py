"""Background work on evidence: carrying out approved deletions, and the nightly jobs."""

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
    """The work of one EvidenceDeletion (item.target_id)."""
    if item.target_id is None:
        raise RuntimeError("the work names what is to be destroyed")
    progress(0, 1, "Deleting the file")
    with transaction():
        request, _version, _evidence = deletion_queries.deletion_request(item.target_id, lock=True)
        deletion.carry_out(request)


FILES_PER_STEP = 1000  # files


def tidy_evidence() -> None:
    once_a_day_in_each("tidy evidence", tidy, in_steps=True)


def tidy() -> None:
    """Delete stored files without a row and previews after a day; request what retention allows.

    Each batch has its own transaction, so uploads go on meanwhile.
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
    """Remind owners each morning of what is late or due, once per due date."""
    once_a_day_in_each("remind of evidence", reminders.remind)


def verify_evidence() -> None:
    """Hash every stored file once a week, at night; log what is corrupted."""
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
    )  # afterwards: a killed one is made again
    if not report.is_intact:
        log.error(
            "evidence corrupted",
            tenant=slug,
            findings=[f.sentence for f in report.findings[:MAX_LOGGED_FINDINGS]],
        )
