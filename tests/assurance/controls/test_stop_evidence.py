"""The evidence that is filed when a real stop is lifted.

It states the duration, the planes, and who obeyed how fast.
"""

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import select

from governance.app import schedule  # noqa: F401 - the handler of the work
from governance.assurance.controls import stop_evidence
from governance.assurance.evidence import permissions
from governance.assurance.evidence import queries as evidence
from governance.assurance.evidence.models import Evidence, EvidenceVersion
from governance.foundation.people.jobs import actor_of
from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.files import storage
from governance.kernel.safety.access import why_not
from governance.kernel.work import jobs
from governance.kernel.work.jobs import WorkItem
from governance.operations.switches import actions, queries
from tests import make
from tests.foundation.approvals.approval_helpers import approve_below_pages
from tests.operations.switches import switch_helpers


@pytest.fixture(autouse=True)
def registered_systems(database):
    switch_helpers.register_system()
    switch_helpers.register_system("ad-copywriter", "standard", ["draft"])


def restart_system(stop_id, by="compliance_officer"):
    shown = switch_helpers.stop_fingerprint(stop_id)
    with make.acting(by):
        actions.restart(
            queries.stop(stop_id),
            seen=shown,
            reason="The clause is in the policy again, Maya Okafor says.",
        )


def requested(stop_id):
    """Return the id of the request, in the high-risk class."""
    with make.acting("admin"):
        found = queries.stop(stop_id)
        return actions.request_restart(found, seen=actions.seen(found), reason="Repaired.").id


def filed_stop_evidence(slug="acme"):
    """Return (title, version, its rows) of all evidence that stops stored."""
    with make.acting("admin", slug, read_only=True):
        query = select(Evidence, EvidenceVersion).join(
            EvidenceVersion, EvidenceVersion.evidence_id == Evidence.id
        )
        rows = (
            session()
            .execute(
                query.where(EvidenceVersion.source == "stop").order_by(EvidenceVersion.uploaded_at)
            )
            .all()
        )
        found = [
            (item.title, version, storage.store().open(version.storage_key).read())
            for item, version in rows
        ]
        session().expunge_all()
    return [
        (title, version, list(csv.DictReader(io.StringIO(data.decode("utf-8-sig")))))
        for title, version, data in found
    ]


def test_restarting_through_the_front_door_files_the_stop_for_another_person_to_review(
    as_admin, acting
):
    key = switch_helpers.create_api_key()
    switch_helpers.note_answers(key, ["a", "b"])
    stop_id = switch_helpers.stop_feature("draft", "ad-copywriter")
    held = switch_helpers.stop_by_id(stop_id)
    switch_helpers.note_answers(
        key, ["a"], version=held.version, at=held.created_at + timedelta(seconds=0.4)
    )
    as_admin.post(
        f"switches/stops/{stop_id}/restart",
        verb="restart",
        seen=switch_helpers.stop_fingerprint(stop_id),
        reason="Repaired.",
    )
    assert filed_stop_evidence() == [], "the restart itself waits for no store"
    assert jobs.drain(actor_of) == 1
    [(title, version, rows)] = filed_stop_evidence()
    assert title == "Kill-switch stops of ad-copywriter" and version.uploaded_by is None
    assert [
        (r["Switch"], r["Planes"], r["Expected"], r["Obeyed"], r["Consumer"], r["Obeyed after (s)"])
        for r in rows
    ] == [
        ("ad-copywriter · draft", "generate and serve", "2", "1", "a", "0.4"),
        ("ad-copywriter · draft", "generate and serve", "2", "1", "b", ""),
    ]
    assert {r["Stop"] for r in rows} == {str(stop_id)}
    with acting("compliance_officer", read_only=True):
        item = evidence.find_evidence(version.evidence_id)
        assert item.cadence == "per incident" and evidence.control_links(item) == []
        assert why_not(permissions.REVIEW, on=evidence.find_version(version.id)[0]) is None
    assert filed_stop_evidence("globex") == []
    assert "View evidence" in as_admin.get(f"switches/stops/{stop_id}").text
    assert (
        "Kill-switch stops of ad-copywriter" in as_admin.get("evidence/?q=Kill-switch+stops").text
    )


def test_a_stop_of_everything_files_itself_and_names_no_person_and_no_reason():
    with make.acting("admin"):
        stop_id = actions.stop("tenant", None, None, reason="Maya Okafor saw wrong answers").id
    approve_below_pages(requested(stop_id), "compliance_officer")
    jobs.drain(actor_of)
    [(title, _version, rows)] = filed_stop_evidence()
    assert title == "Kill-switch stops of everything"
    assert [(r["Scope"], r["Switch"], r["Consumer"]) for r in rows] == [
        ("tenant", "everything", "")
    ]
    assert "Maya" not in str(rows) and "Repaired" not in str(rows)


def test_each_stop_is_another_version_and_is_filed_once_however_often_its_work_runs(acting):
    for _ in range(2):
        restart_system(switch_helpers.stop_feature("draft", "ad-copywriter"))
    jobs.drain(actor_of)
    with acting("admin"):
        items = session().scalars(select(WorkItem).where(WorkItem.kind == stop_evidence.WORK)).all()
        session().expunge_all()
    for item in items:
        with current.acting_as(make.system_actor("acme")):
            stop_evidence.file_stop(item, lambda *_told: None)
    found = filed_stop_evidence()
    assert [version.number for _title, version, _rows in found] == [1, 2] and len(
        {title for title, _v, _r in found}
    ) == 1


def test_a_stop_that_lasts_files_nothing_and_so_does_a_restart_that_is_only_requested():
    approval = requested(switch_helpers.stop_feature())
    jobs.drain(actor_of)
    assert filed_stop_evidence() == []
    approve_below_pages(approval, "compliance_officer")
    jobs.drain(actor_of)
    assert len(filed_stop_evidence()) == 1


def test_a_store_that_is_away_keeps_nothing_stopped_and_the_stop_is_filed_later(
    app, acting, tmp_path
):
    stop_id = switch_helpers.stop_feature("draft", "ad-copywriter")
    (tmp_path / "no folder").write_text("a file")
    storage.use(f"file:{tmp_path / 'no folder'}")
    restart_system(stop_id)
    assert switch_helpers.stop_by_id(stop_id).restarted_at is not None
    storage.use(app.config["SETTINGS"].storage_url)
    jobs.drain(actor_of)
    assert len(filed_stop_evidence()) == 1
