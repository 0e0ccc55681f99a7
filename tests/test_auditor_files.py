"""Files that an auditor downloads, none of which names a person hidden by their engagement.

Everybody has a unique name. Each file is opened completely: pages of a PDF as text, its
attachments, the members of an archive. An auditor whose engagement shows names reads them in the
same places.
"""

import io
import json
import re
import shutil
import subprocess
from hashlib import sha256
from typing import Any
from zipfile import ZipFile, is_zipfile

import pikepdf
import pytest
from sqlalchemy import select, update

from governance.app import schedule
from governance.assurance.assessments.models import Assessment
from governance.foundation.people.jobs import actor_of
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.files.downloads import FILE
from governance.kernel.work import jobs
from governance.publishing.reports.models import ReportRun
from governance.publishing.reports.signatures.verify import verify
from tests import make
from tests.assurance.assessments.assessment_helpers import conclude, entries_of_action
from tests.assurance.assessments.conftest import measured_item, open_assessment
from tests.assurance.engagements import engagement_helpers, package_helpers
from tests.name_helpers import CANARY, rename_everybody, show_names
from tests.route_helpers import call_route, route_methods

assert open_assessment and measured_item  # Both are fixtures.
assert schedule.HANDLERS  # Loading the schedule registers the kinds of work.
POSTED = {  # Every file that an auditor downloads by a POST.
    "anchors.receipt",
    "engagements.take_package",
    "evidence.download",
    "log_exports.file",
    "reports.pdf",
    "reports.signature",
    "statements.download",
    "testing.download",
}


def content_of(body: bytes) -> str:
    """Return all that a person can read in a file, including the files in it."""
    if body.startswith(b"%PDF"):
        with pikepdf.open(io.BytesIO(body)) as document:
            inside = [each.get_file().read_bytes() for each in document.attachments.values()]
        return "\n".join([_text_of_pdf(body), *map(content_of, inside)])
    if is_zipfile(io.BytesIO(body)):
        with ZipFile(io.BytesIO(body)) as archive:
            return "\n".join(
                f"{each}\n{content_of(archive.read(each))}" for each in archive.namelist()
            )
    return body.decode("utf-8", "replace")


def _text_of_pdf(body: bytes) -> str:
    program = shutil.which("pdftotext")
    assert program, "pdftotext is missing: apt-get install poppler-utils"
    return subprocess.run(  # noqa: S603 - our own file
        [program, "-", "-"], input=body, capture_output=True, check=True
    ).stdout.decode()


def names(body: bytes) -> bool:
    return CANARY.lower() in content_of(body).lower()


def request_reports(officer: Any, assessment: Any) -> dict[str, str]:
    """Return the page of a finished report of each kind."""
    today = clock.today()
    first = today.replace(day=1).isoformat()
    pages = {
        "ai-rmf": officer.post("reports/", assessment_id=str(assessment)).location,
        "policy-attestation": officer.post(
            "reports/attestations", span="day", until=today.isoformat()
        ).location,
        "soc2-readiness": officer.post(
            "reports/readiness", categories=["security"], on=today.isoformat()
        ).location,
        "type-ii-matrix": officer.post(
            "reports/matrices", begins=first, ends=today.isoformat()
        ).location,
    }
    jobs.drain(actor_of)
    return pages


def run_of(page: str) -> Any:
    """Return the fingerprint of the report with this page, and its number and version."""
    r = ReportRun
    query = select(r.fingerprint, r.snapshot["document"].label("document"))
    with make.acting("compliance_officer"):
        return session().execute(query.where(r.id == page.rsplit("/", 1)[1])).one()


@pytest.fixture
def closed(as_officer, open_assessment, measured_item) -> Any:
    """Conclude and close an assessment as an officer with a unique name."""
    rename_everybody()
    conclude(as_officer, measured_item)
    as_officer.post(f"assessments/{open_assessment}/closing", accept_open="y")
    return open_assessment


@pytest.mark.slow
def test_each_kind_of_report_and_the_package_come_without_names(
    as_officer, as_auditor, acting, closed
):
    pages = request_reports(as_officer, closed)
    key = as_officer.get("/keys").text.splitlines()[0]
    for kind, page in pages.items():
        assert names(as_officer.post(f"{page}/pdf", then=200).data), kind
        refused = as_auditor.post(f"{page}/pdf", then=403).text
        assert "Download the file without names instead." in refused
        other = as_auditor.get(page, then=303).location
        shown = as_auditor.get(other).text
        assert CANARY not in shown and "By role and letter" in shown
        copy = as_auditor.post(f"{other}/pdf", then=200)
        note = as_auditor.post(f"{other}/signature", then=200).text
        text = content_of(copy.data)
        assert CANARY not in text and "Officer " in text, kind
        assert "-without-names.pdf" in copy.headers["Content-Disposition"]
        found = verify(copy.data, note, key)
        assert found.ok, (kind, found.checks)
        assert f'"without_names_of":"{run_of(page).fingerprint}"' in text, kind
        unmarked = content_of(as_officer.post(f"{other}/pdf", then=200).data)
        assert "By role and letter, without names" in " ".join(unmarked.split()), kind
        # The footer of pages.
        assert " ".join(unmarked.split()).count(", without names:") > 1, kind
        assert run_of(page).document == run_of(other).document
    listed = as_auditor.get("reports/").text
    assert listed.count(", without names</") == len(pages) and CANARY not in listed
    assert ", without names</" not in as_officer.get("reports/").text
    package_helpers.sequence_entries(acting)
    package = package_helpers.download_package(as_auditor, engagement_helpers.world_engagement())
    text = content_of(package)
    assert CANARY not in text
    packed = set(re.findall(r"/data/(reports/\S+)\n", text)) - {"reports/keys.txt"}
    assert sum(each.endswith("-without-names.pdf") for each in packed) == len(pages)
    assert len(packed) == 2 * len(pages)  # Each comes with its signature, and none with names.


@pytest.mark.slow
def test_an_auditor_with_names_reads_them_and_is_refused_the_same_files_without(
    as_officer, as_auditor, acting, closed
):
    show_names(True)
    page = as_officer.post(
        "reports/attestations", span="day", until=clock.today().isoformat()
    ).location
    jobs.drain(actor_of)
    package_helpers.sequence_entries(acting)
    engagement = engagement_helpers.world_engagement()
    package = package_helpers.generate_package(as_auditor, engagement)
    frozen = f"assessments/{closed}/frozen.json"
    assert names(as_auditor.post(f"{page}/pdf", then=200).data)
    assert names(as_auditor.post(f"{package}/download", then=200).data)
    assert names(as_auditor.get(frozen).data)
    assert CANARY in as_auditor.get(f"assessments/{closed}").text
    show_names(False)
    refused = as_auditor.post(f"{page}/pdf", then=403).text
    assert "Ask an admin or compliance officer of Acme" in refused
    assert "names people, and your engagement hides names" in as_auditor.get(page).text
    assert as_officer.get(page).status_code == 200
    assert "Generate another package" in as_auditor.post(f"{package}/download", then=403).text
    assert "Generate another package" in as_auditor.get(package).text
    assert "By name in reports" in as_officer.get(package).text
    other = package_helpers.download_package(as_auditor, engagement)
    assert not names(other)
    assert names(as_officer.post(f"{page}/pdf", then=200).data)
    show_names(True)
    assert names(as_auditor.post(f"{page}/pdf", then=200).data)


def test_frozen_results_have_a_form_without_names(as_officer, as_auditor, acting, closed):
    page, file = f"assessments/{closed}", f"assessments/{closed}/frozen.json"
    [entry] = entries_of_action(acting, "assessment.closed")
    shown, own = as_auditor.get(page).text, as_auditor.get(file)
    assert CANARY not in shown and "The digest matches the stored results" in shown
    assert not names(own.data) and "-without-names.json" in own.headers["Content-Disposition"]
    assert sha256(own.data).hexdigest() == entry.facts["digest_without_names"]
    whole = as_officer.get(file)
    assert names(whole.data) and sha256(whole.data).hexdigest() == entry.facts["digest"]
    facts, others = json.loads(whole.data), json.loads(own.data)
    assert others.pop("without_names_of") == entry.facts["digest"]
    assert _refs(facts) == _refs(others)
    assert CANARY in as_officer.get(page).text


def _refs(facts: dict[str, Any]) -> list[tuple[str, int]]:
    return [
        (each["ref"], each["level"])
        for function in facts["functions"]
        for category in function["categories"]
        for each in category["requirements"]
    ]


@pytest.mark.slow
def test_results_that_were_frozen_with_names_alone_are_refused(
    as_officer, as_auditor, acting, closed
):
    with acting("compliance_officer"):
        earlier = {"frozen_without_names": None, "digest_without_names": None}
        session().execute(update(Assessment).where(Assessment.id == closed).values(earlier))
    page = as_auditor.get(f"assessments/{closed}").text
    assert CANARY not in page and "Name hidden" in page
    assert "Ask an admin or compliance officer of Acme" in " ".join(page.split())
    refused = as_auditor.get(f"assessments/{closed}/frozen.json", then=403).text
    assert "to show names in your engagement" in refused
    assert names(as_officer.get(f"assessments/{closed}/frozen.json").data)
    report = as_officer.post("reports/", assessment_id=str(closed)).location
    jobs.drain(actor_of)
    as_auditor.post(f"{report}/pdf", then=403)
    assert names(as_officer.post(f"{report}/pdf", then=200).data)


def test_every_file_that_a_post_downloads(app, as_auditor, planted):
    """Download each with a planted row. Generated files are opened by the tests above."""
    posted = [
        door
        for door in route_methods(app, "tenant")
        if door.method == "POST"
        and "auditor" in door.needs.roles
        and getattr(app.view_functions[door.rule.endpoint], "answers", None) == FILE
    ]
    assert {door.rule.endpoint for door in posted} == POSTED
    for door in posted:
        reply = call_route(as_auditor, door, door.address(app, "acme", planted))
        assert not names(reply.get_data()), str(door)
