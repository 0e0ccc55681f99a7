"""The signed PDF of a model card: a draft for members, the published version for its readers."""

import io
import json
import zipfile

import pdfplumber
import pikepdf
import pytest

from governance.foundation.audit import queries as audit
from governance.foundation.people.jobs import actor_of
from governance.kernel import clock
from governance.kernel.work import background_work, jobs
from governance.operations.evaluations.releases import actions as release_actions
from governance.operations.systems import queries as register
from governance.publishing.model_cards import card_layout, file_actions, queries, record
from governance.publishing.model_cards.models import CardFile
from governance.publishing.reports import queries as reports
from governance.publishing.reports.signatures import signing
from governance.publishing.reports.signatures.verify import verify
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.publishing.model_cards import card_helpers
from tests.publishing.model_cards.card_helpers import (
    HOME,
    SYSTEM,
    complete_system,
    evaluated,
    public_path,
    rolled_out,
)


@pytest.fixture(scope="module")
def complete(module_transaction):
    return complete_system()


@pytest.fixture
def system(complete, database):
    return complete


def drain():
    jobs.drain(actor_of)


def file_ids(number=None):
    """Return the files of a version, or of the draft."""
    with make.acting("compliance_officer", read_only=True):
        found = register.system(SYSTEM)
        card = queries.version(found.id, number).id if number else None
        return [each.row.id for each in queries.files_of(found.id, card)]


def unzipped(reply):
    """Return the name of the PDF, the PDF and its signature."""
    archive = zipfile.ZipFile(io.BytesIO(reply.data))
    name, signature = archive.namelist()
    assert signature == f"{name}.sig"
    return name, archive.read(name), archive.read(signature).decode()


def read(content):
    """Return the text of a PDF and its data."""
    with pikepdf.open(io.BytesIO(content)) as document:
        data = json.loads(document.attachments["snapshot.json"].get_file().read_bytes())
    with pdfplumber.open(io.BytesIO(content)) as printed:
        text = " ".join(" ".join(page.extract_text() or "" for page in printed.pages).split())
    return text.replace("\xa0", " "), data


def verdict(content, signature):
    with make.acting("compliance_officer", read_only=True):
        key = reports.signing_key()
        return verify(content, signature, str(signing.VerifierKey(key.name, key.public)))


def test_readers_get_a_signed_pdf_that_says_exactly_what_the_published_json_says(
    system, client, as_officer
):
    card_helpers.publish()
    assert "PDF" not in client.get(public_path()).text  # It isn't generated yet.
    client.get(f"{public_path()}/1/card.pdf", then=404)
    drain()
    assert f"{public_path()}/1/card.pdf" in client.get(public_path()).text
    evaluated(290, 10, number=2, at=clock.now())  # The record continues.
    reply = client.get(f"{public_path()}/1/card.pdf")
    assert reply.headers["Content-Type"] == "application/pdf"
    assert "model-card-claims-triage-v1.pdf" in reply.headers["Content-Disposition"]
    found = verdict(reply.data, client.get(f"{public_path()}/1/card.pdf.sig").text)
    assert all(each.ok for each in found.checks), found.checks
    text, data = read(reply.data)
    public = json.loads(client.get(f"{public_path()}/1/card.json").text)
    assert {name: data[name] for name in public} == public
    assert "its limit is met" in text and "raft" not in text
    assert "It describes release 2026.11.2." in text and "at most 3.0%" in text and "run 1" in text
    assert "Explains cover, deductibles and bills" in text and "Decide on a claim" in text
    assert "3.3%" not in text and "Ines" not in text and str(system) not in str(data)
    name, content, _signature = unzipped(
        as_officer.post(f"model-card-files/{file_ids(1)[0]}/download", then=200)
    )
    assert name == "model-card-claims-triage-v1.pdf" and content == reply.data


def test_a_draft_is_named_as_one_and_lists_what_is_missing(system, as_officer):
    rolled_out(system, "2027.1.0")  # Nobody has evaluated it.
    as_officer.post(f"{HOME}/files", then=303)
    as_officer.post(f"{HOME}/files", then=303)  # The second of two clicks watches the first.
    (made,) = file_ids()
    drain()
    assert "1 thing missing" in main_text(as_officer.get(f"{HOME}/"))
    name, content, signature = unzipped(
        as_officer.post(f"model-card-files/{made}/download", then=200)
    )
    assert name == f"model-card-claims-triage-draft-{clock.now():%Y-%m-%d}.pdf"
    assert all(each.ok for each in verdict(content, signature).checks)
    text, data = read(content)
    assert "This is a draft." in text and "One thing missing:" in text
    assert "Release 2027.1.0 has no run of its own." in text and "no figure yet" in text
    assert data["published_at"] is None and data["card"]["release"] == "2027.1.0"


def test_a_figure_that_misses_its_limit_and_a_known_failure_are_printed(system, client, as_officer):
    with make.acting("admin"):
        release_actions.state_release(register.system(SYSTEM), "2026.11.2", reason="The log.")
    evaluated(280, 20, number=2, at=clock.now())
    with make.acting("viewer", read_only=True):
        (finding,) = record.assembled(register.system(SYSTEM)).failures
    address = f"{HOME}/failures/finding/{finding.id}"
    as_officer.post(address, seen="0", title="Old clauses", text="It cited old clauses.")
    card_helpers.publish()
    drain()
    text, _data = read(client.get(f"{public_path()}/1/card.pdf").data)
    assert "its limit is missed" in text and "misses its limit" in text
    assert "The known failure is still open" in text
    assert "EVF-1 Old clauses. It cited old clauses." in text and "Not fixed yet" in text


def test_a_version_that_was_withdrawn_has_no_pdf_for_anybody(system, as_officer, client):
    card_helpers.publish()
    drain()
    as_officer.post(f"{HOME}/1/withdraw", reason="It names a customer.")
    client.get(f"{public_path()}/1/card.pdf", then=410)
    assert "PDF" not in client.get(public_path(), then=410).text
    assert "Generate PDF" not in main_text(as_officer.get(f"{HOME}/1"))
    as_officer.post(f"{HOME}/1/files", then=409)


def test_publishing_never_waits_for_files_that_are_under_way(system):
    with make.acting("compliance_officer"):
        for _ in range(background_work.MAX_UNDER_WAY):
            row = CardFile(system_id=system, model_card_id=None, missing=None)
            background_work.start(row, is_limited=False)
    card_helpers.publish()
    assert len(file_ids(1)) == 1


def test_only_those_who_may_export_do_and_each_step_is_in_the_log(
    system, as_officer, as_contributor, as_viewer, as_auditor, as_neighbour
):
    for visitor in (as_contributor, as_viewer, as_auditor):
        assert "Signed PDF" not in main_text(visitor.get(f"{HOME}/"))
        visitor.post(f"{HOME}/files", then=403)
    as_neighbour.post(f"{HOME}/files", then=404)
    as_officer.post(f"{HOME}/files", then=303)
    (made,) = file_ids()
    as_officer.post(f"model-card-files/{made}/download", then=409)  # Not ready yet.
    drain()
    as_neighbour.post(f"model-card-files/{made}/download", then=404)
    as_contributor.post(f"model-card-files/{made}/download", then=403)
    as_officer.post(f"model-card-files/{made}/download", then=200)
    with make.acting("compliance_officer", read_only=True):
        said = {each.action for each in audit.entries_about([made])}
    assert said == {
        each.name
        for each in (file_actions.REQUESTED, file_actions.GENERATED, file_actions.DOWNLOADED)
    }


def test_a_pdf_that_was_cancelled_can_be_generated_after_all(system, as_officer, as_viewer):
    as_officer.post(f"{HOME}/files", then=303)
    (made,) = file_ids()
    as_viewer.post(f"model-card-files/{made}/cancel", then=403)
    as_officer.post(f"model-card-files/{made}/cancel", then=303)
    drain()
    as_officer.post(f"model-card-files/{made}/again", then=303)
    drain()
    as_officer.post(f"model-card-files/{made}/download", then=200)


@pytest.mark.parametrize(
    ("verdicts", "position"),
    [
        ([], "no figure yet"),
        (["pass"], "its limit is met"),
        (["fail"], "its limit is missed"),
        (["undecided"], "its limit is undecided"),
        (["pass", "pass"], "every limit is met: 2 of 2"),
        (["fail", "pass", "fail"], "two of three limits are missed"),
        (["pass", "undecided"], "one of two limits is met"),
    ],
    ids=["none", "met", "missed", "undecided", "all", "some", "open"],
)
def test_the_title_says_how_many_limits_are_met(verdicts, position):
    every = [{"limit": 0.03, "verdict": each} for each in verdicts]
    assert card_layout.position(every) == position
