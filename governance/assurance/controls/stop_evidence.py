"""Evidence from real stops.

A stop becomes an evidence version when it ends and its record is complete. A job stores it, so a
restart never waits for storage. The item has no deadline, because stops follow incidents. It isn't
linked to a control automatically, because its coverage would have a gap between two stops; an
officer links it to controls about incidents. Drills are planned, so they support their controls
automatically (drill_evidence.py).
"""

import io

from sqlalchemy import select

from governance.assurance.evidence import actions as evidence
from governance.assurance.evidence import version_actions
from governance.assurance.evidence.deletion_guard import filed_by_meridian
from governance.assurance.evidence.models import Evidence, EvidenceVersion
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import current
from governance.kernel.data.db import session, transaction
from governance.kernel.work import jobs
from governance.kernel.work.jobs import Progress, WorkItem, work
from governance.operations.switches import stop_record
from governance.operations.switches.events import StopLifted
from governance.operations.switches.stop_record import TENANT, StopRecord

WORK = "file stop"


def queue_filing(lifted: StopLifted) -> None:
    jobs.enqueue(WORK, lifted.stop_id)


@work(WORK, waited_for=False)
def file_stop(item: WorkItem, _progress: Progress) -> None:
    """Store the record of the stop `item.target_id`, once.

    Meridian is the uploader, not the person who restarted, so any reviewer can review it.
    """
    if item.target_id is None:
        raise RuntimeError("the work names its stop")
    who = current.actor()
    with (
        current.acting_as(system_actor_in(who.tenant_id, who.tenant_slug, who.tenant_name)),
        transaction(),
    ):
        record = stop_record.read(item.target_id)
        evidence_item = _evidence(record)
        if not _is_filed(evidence_item, record):
            _file(evidence_item, record)


def _file(evidence_item: Evidence, record: StopRecord) -> None:
    with filed_by_meridian():
        version_actions.upload_version(
            evidence_item,
            io.BytesIO(record.sheet),
            _filename(record),
            collected_on=record.restarted_on,
            period_from=record.stopped_on,
            period_to=record.restarted_on,
            valid_until=record.restarted_on + version_actions.MAX_VALIDITY,
            source="stop",
        )


def _evidence(record: StopRecord) -> Evidence:
    title = f"Kill-switch stops of {record.system or TENANT}"
    query = select(Evidence).where(Evidence.title == title, Evidence.retired_at.is_(None)).limit(1)
    found = session().scalars(query).one_or_none()
    return found or evidence.create_item(title, kind="record", cadence="per incident")


def _is_filed(evidence_item: Evidence, record: StopRecord) -> bool:
    v = EvidenceVersion
    query = (
        select(v.id)
        .where(v.evidence_id == evidence_item.id, v.filename == _filename(record))
        .limit(1)
    )
    return session().scalar(query) is not None


def _filename(record: StopRecord) -> str:
    return f"stop-{record.stop_id}.csv"
