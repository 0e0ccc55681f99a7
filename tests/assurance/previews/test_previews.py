"""Previews of files that a person may download: each view is recorded and deleted with its file."""

import base64
import io
import re
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import select

from governance.assurance.evidence.models import EvidenceVersion
from governance.assurance.previews import actions, jobs
from governance.assurance.previews.models import FilePreview
from governance.foundation.people.jobs import actor_of
from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
from governance.kernel.files import storage
from governance.kernel.work import jobs as work
from tests import faults, make
from tests.assurance.engagements import engagement_helpers
from tests.assurance.evidence import deletion_helpers, evidence_helpers
from tests.assurance.previews import preview_helpers as files

PICTURE = re.compile(r'src="data:image/webp;base64,([^"]+)"')


def row_of(version):
    with make.acting(read_only=True):
        found = session().scalar(select(FilePreview).where(FilePreview.version_id == version))
        session().expunge_all()
        return found


def viewings():
    return evidence_helpers.entries_of_action("evidence.version.previewed")


def test_a_pdf_is_shown_as_pictures_after_its_work(as_officer):
    version = files.upload(files.make_pdf(6), "report.pdf")
    item = as_officer.get(f"evidence/versions/{version}/preview").text
    assert "No preview yet" in item and "Generate preview" in item
    as_officer.post(f"evidence/versions/{version}/preview")
    assert "Preview" in as_officer.get(f"evidence/versions/{version}/preview").text
    assert not viewings()
    shown = files.preview(as_officer, version).text
    assert len(PICTURE.findall(shown)) == 5 and "The first 5 of 6 pages." in shown
    assert "Penetration test, page 1" in shown and "Text of page 1" in shown
    assert [entry.facts["number"] for entry in viewings()] == [1]


def test_it_is_rendered_once_and_every_view_is_recorded(as_officer, as_viewer):
    version = files.upload(b"a,b\n1,2\n", "members.csv")
    files.preview(as_officer, version)
    key = row_of(version).storage_key
    shown = files.preview(as_viewer, version)
    assert row_of(version).storage_key == key and len(viewings()) == 2
    assert "<td>1</td>" in shown.text and shown.headers["Cache-Control"] == "no-store"
    assert len(evidence_helpers.entries_of_action("evidence.preview.requested")) == 1
    item = as_officer.get(f"evidence/{_item_of(version)}").text
    assert "Viewed as a preview" in item and f"{version}/preview" in item


def _item_of(version):
    with make.acting(read_only=True):
        return evidence_helpers.find_version(version)[1].id


def test_a_view_that_cannot_be_recorded_shows_nothing(as_officer, isolated):
    version = files.upload(b"secret words\n", "notes.txt")
    assert "secret words" in files.preview(as_officer, version).text
    away = faults.fail(RuntimeError("the log is away"))
    for _ in range(2):  # The second time nothing changed.
        with faults.before_statement(isolated, "INSERT INTO audit_entries", away):
            refused = as_officer.get(f"evidence/versions/{version}/preview", then=503).text
        assert "secret words" not in refused and "audit log" in refused


def test_nobody_else_sees_it(as_officer, as_neighbour, client):
    version = files.upload(b"secret words\n", "notes.txt")
    files.preview(as_officer, version)
    for verb in (as_neighbour.get, as_neighbour.post):
        verb(f"evidence/versions/{version}/preview", then=404)
    as_neighbour.post(f"evidence/versions/{version}/preview/again", then=404)
    assert client.get(f"/t/acme/evidence/versions/{version}/preview", then=None).status_code != 200


def test_text_and_names_are_escaped(as_officer):
    version = files.upload(b"a\n" * 600 + b"<script>alert(1)</script>\n", "a<b>.txt")
    shown = files.preview(as_officer, version).text
    assert "<script>alert" not in shown and "&lt;script&gt;alert(1)" in shown
    assert "a<b>" not in shown


def test_an_auditor_sees_what_is_in_scope_with_a_watermark_in_the_pixels(
    as_auditor, as_officer, acting
):
    control = evidence_helpers.create_control("SEC-77", "In scope")
    version = files.upload(files.blank_pdf(1), "report.pdf", supports=[control])
    bare = PICTURE.findall(files.preview(as_officer, version).text)
    shown = as_auditor.get(f"evidence/versions/{version}/preview").text
    marked = PICTURE.findall(shown)
    assert bare != marked and len(marked) == 1
    assert "Halden &amp; Co · Harriet Lowe · engagement ENG-" in shown and " · viewed " in shown
    assert "Harriet Lowe" not in as_officer.get(f"evidence/versions/{version}/preview").text
    picture = Image.open(io.BytesIO(base64.b64decode(marked[0]))).convert("L")
    assert sum(picture.histogram()[:245]) > 5000
    assert {entry.actor_kind for entry in viewings()} >= {"person"} and len(viewings()) == 3
    pages = evidence_helpers.entries_of_action("tenant.page.viewed")
    assert str(version) in {entry.facts["object"] for entry in pages}


def test_an_auditor_asks_for_what_was_provided_and_not_for_the_rest(app, as_auditor, acting):
    asked = engagement_helpers.create_request(engagement_helpers.world_engagement())
    version = files.upload(b"a,b\n1,2\n", "given.csv")
    engagement_helpers.attach_version(engagement_helpers.world_engagement(), asked, version)
    engagement_helpers.provide_request(engagement_helpers.world_engagement(), asked)
    page = as_auditor.get(f"engagements/{engagement_helpers.world_engagement()}/requests/{asked}")
    assert f"{version}/preview" in page.text
    assert "<td>1</td>" in files.preview(as_auditor, version).text


def test_back_leads_to_the_page_it_came_from_and_nowhere_else(as_officer):
    version = files.upload(b"a,b\n1,2\n", "given.csv")
    there = as_officer.post(
        f"evidence/versions/{version}/preview", back="/t/acme/evidence/inbox"
    ).headers["Location"]
    assert 'href="/t/acme/evidence/inbox"' in as_officer.get(there).text
    for outside in ("//evil.example", "https://evil.example", "/t/globex/"):
        where = as_officer.post(f"evidence/versions/{version}/preview", back=outside)
        assert "evil" not in as_officer.get(where.headers["Location"]).text


def test_a_file_without_a_preview_says_why_and_is_not_tried_again(as_officer):
    version = files.upload(files.make_pdf(password="closed"), "report.pdf")
    assert "locked with a password" in files.preview(as_officer, version).text
    as_officer.post(f"evidence/versions/{version}/preview")
    assert work.drain(actor_of) == 0
    assert not viewings()  # No part of the file was shown.


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg"),
        (b"<!doctype html><script>1</script>", "a.html"),
    ],
)
def test_what_scripts_could_be_in_is_rejected_before_there_is_a_preview(as_officer, content, name):
    item = evidence_helpers.create_evidence()
    form = evidence_helpers.version_form(content, name)
    as_officer.post(f"evidence/{item}/versions/new", then=422, **form)


def test_a_link_has_no_preview(as_officer):
    item = evidence_helpers.create_evidence()
    as_officer.post(
        f"evidence/{item}/versions/new",
        **(evidence_helpers.version_form(None) | {"url": "https://a.example/report"}),
    )
    with make.acting(read_only=True):
        version = session().scalar(
            select(EvidenceVersion.id).where(EvidenceVersion.evidence_id == item)
        )
    assert "preview" not in as_officer.get(f"evidence/{item}").text
    as_officer.get(f"evidence/versions/{version}/preview", then=409)


def test_a_file_that_is_gone_fails_with_its_fault_recorded(as_officer):
    version = files.upload(files.make_pdf(), "report.pdf")
    storage.store().remove(deletion_helpers.storage_key_of(version))
    shown = files.preview(as_officer, version).text
    assert "There is nothing to preview." in shown and "The stored file is missing." in shown
    assert evidence_helpers.entries_of_action("evidence.version.corrupted")


def test_the_preview_is_encrypted_where_it_is_stored(as_officer, folder):
    version = files.upload(b"a secret sentence\n" * 50, "notes.txt")
    files.preview(as_officer, version)
    key = row_of(version).storage_key
    assert "/file-previews/" in key and key.endswith(".sealed")
    assert b"secret" not in (folder / "objects" / key).read_bytes()


def test_it_is_deleted_with_its_file_and_what_others_share_stays(as_officer, as_reviewer):
    version = files.upload(b"a,b\n1,2\n", "given.csv")
    twin = files.upload(b"a,b\n1,2\n", "twin.csv")
    files.preview(as_officer, version)
    files.preview(as_officer, twin)
    key = row_of(version).storage_key
    assert key == row_of(twin).storage_key
    _delete(as_officer, as_reviewer, version)
    assert row_of(version) is None and storage.store().exists(key)
    as_officer.get(f"evidence/versions/{version}/preview", then=410)
    as_officer.post(f"evidence/versions/{version}/preview", then=410)
    assert "<td>1</td>" in as_officer.get(f"evidence/versions/{twin}/preview").text
    _delete(as_officer, as_reviewer, twin)
    assert row_of(twin) is None and not storage.store().exists(key)


def _delete(as_officer, as_reviewer, version):
    deletion_helpers.request_deletion(as_officer, version)
    deletion_helpers.approve_deletion(as_reviewer, version)
    work.drain(actor_of)


def test_work_that_ends_after_the_file_was_deleted_leaves_nothing(as_officer, as_reviewer):
    version = files.upload(b"a,b\n1,2\n", "given.csv")
    as_officer.post(f"evidence/versions/{version}/preview")
    preview_id = row_of(version).id
    deletion_helpers.request_deletion(as_officer, version)
    deletion_helpers.approve_deletion(as_reviewer, version)
    with make.acting():
        blob = storage.store().write(
            current.actor().tenant_id, io.BytesIO(b"[]"), limit=9, prefix=actions.STORAGE_PREFIX
        )
        with pytest.raises(Exception, match="deleted"):
            actions.keep_preview(preview_id, blob, "")
    work.drain(actor_of)
    assert row_of(version) is None


def test_a_month_later_it_is_deleted_and_made_again_when_it_is_wanted(as_officer):
    version = files.upload(b"a,b\n1,2\n", "given.csv")
    files.preview(as_officer, version)
    key = row_of(version).storage_key
    _tidy()
    assert row_of(version) is not None
    later = clock.now() + actions.KEPT
    with clock.frozen(later):
        _tidy()
    assert row_of(version) is None and not storage.store().exists(key)
    assert "<td>1</td>" in files.preview(as_officer, version).text


def _tidy():
    with current.acting_as(make.system_actor("acme")):
        jobs.tidy()


def test_who_waits_for_a_preview_does_not_wait_for_scheduled_work(as_officer):
    with (
        clock.frozen(clock.now() - timedelta(hours=6)),
        current.acting_as(make.system_actor("acme")),
        transaction(),
    ):
        work.enqueue("destroy evidence")
    version = files.upload(b"a,b\n1,2\n", "given.csv")
    as_officer.post(f"evidence/versions/{version}/preview")
    assert work.run_next(actor_of)
    assert row_of(version).is_ready


def test_a_preview_that_was_lost_is_made_again(as_officer):
    version = files.upload(b"a,b\n1,2\n", "given.csv")
    files.preview(as_officer, version)
    storage.store().remove(row_of(version).storage_key)
    assert "Generate preview" in as_officer.get(f"evidence/versions/{version}/preview").text
    assert "<td>1</td>" in files.preview(as_officer, version).text
